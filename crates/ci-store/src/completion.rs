//! A future of one answer that needs no runtime: await it anywhere, or block on it.

use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::{Done, Seq, WriteError};

type Answer = Result<Seq, WriteError>;

/// The answer to one write, once there is one.
///
/// Dropping it does not take the write back.
#[derive(Debug)]
#[must_use = "a write is durable only once its answer says so"]
pub struct Completion {
    slot: Arc<Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct State {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

/// The other end. Dropped without an answer, it answers that the ledger is closed.
struct Promise {
    slot: Option<Arc<Slot>>,
}

/// Makes a callback and the future that it completes.
pub(crate) fn completion() -> (Done, Completion) {
    let slot = Arc::new(Slot::default());
    let promise = Promise { slot: Some(slot.clone()) };
    (Box::new(move |answer| promise.keep(answer)), Completion { slot })
}

impl Completion {
    /// Blocks the thread until the answer is there.
    ///
    /// # Errors
    /// Why the write did not happen.
    pub fn wait(self) -> Answer {
        let mut state = self.slot.lock();
        loop {
            if let Some(answer) = state.answer.take() {
                return answer;
            }
            state = self.slot.answered.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Future for Completion {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let mut state = self.slot.lock();
        if let Some(answer) = state.answer.take() {
            return Poll::Ready(answer);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fill(&self, answer: Answer) {
        let waker = {
            let mut state = self.lock();
            state.answer = Some(answer);
            state.waker.take()
        };
        self.answered.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Promise {
    fn keep(mut self, answer: Answer) {
        if let Some(slot) = self.slot.take() {
            slot.fill(answer);
        }
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            slot.fill(Err(WriteError::Closed));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn gives_the_answer_that_was_given() {
        let (done, completion) = completion();
        done(Ok(Seq(3)));
        assert_eq!(completion.wait(), Ok(Seq(3)));
    }

    #[test]
    fn is_pending_until_answered() {
        let (done, mut completion) = completion();
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(Pin::new(&mut completion).poll(&mut context), Poll::Pending);
        done(Ok(Seq(1)));
        assert_eq!(Pin::new(&mut completion).poll(&mut context), Poll::Ready(Ok(Seq(1))));
    }

    #[test]
    fn a_promise_that_is_dropped_says_closed() {
        let (done, completion) = completion();
        drop(done);
        assert_eq!(completion.wait(), Err(WriteError::Closed));
    }
}
