//! A tree of queues behind one lock, and the clock that moves them.
//!
//! Every change settles the queues at once, on the thread that made it: no process has to be asked.
//! Two things are done by time alone. That a waiter's patience ends, it notices itself. That a rate
//! lets the next one in is noticed by whoever has the turn to watch the clock: the family's process
//! while it runs, else one of the waiters. So what happens wakes those whom it concerns, however
//! many wait.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::pending;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use heights_core::{Admission, Decision, Grant, Limits, Moment, QueueId, QueueView};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use super::Claim;
use super::place::End;

/// How often a waiter looks whether a rate should have let someone in, which goes unnoticed where
/// the one who has the turn to watch is a future that nobody polls: late then, but not for good.
const LOOK: Duration = Duration::from_secs(1);

/// Queues that share limits.
pub(super) struct Family {
    origin: Instant,
    state: Mutex<State>,
    /// Held by the one who watches the clock for all.
    turn: tokio::sync::Mutex<()>,
    /// Rung for that one: there is something to do sooner than it thinks.
    sooner: Notify,
    /// Rung for all who wait: there are other limits, perhaps a rate where there was none.
    reconfigured: Notify,
}

pub(super) struct State {
    pub(super) admission: Admission<oneshot::Sender<End>>,
    names: HashMap<QueueId, Arc<str>>,
    /// When the one who watches the clock looks again.
    next_look: Option<Moment>,
}

impl Family {
    pub(super) fn new() -> Self {
        let state =
            State { admission: Admission::default(), names: HashMap::new(), next_look: None };
        Self {
            origin: Instant::now(),
            state: Mutex::new(state),
            turn: tokio::sync::Mutex::const_new(()),
            sooner: Notify::const_new(),
            reconfigured: Notify::const_new(),
        }
    }

    pub(super) fn add(&self, parent: Option<QueueId>, limits: Limits, name: &Arc<str>) -> QueueId {
        let mut state = self.state();
        let queue = state.admission.add(parent, limits);
        state.names.insert(queue, Arc::clone(name));
        queue
    }

    /// Forgets a queue that nobody can ask any more.
    pub(super) fn remove(&self, queue: QueueId) {
        let mut state = self.state();
        if state.admission.remove(queue) {
            state.names.remove(&queue);
        }
    }

    pub(super) fn try_take(&self, queue: QueueId) -> Option<Grant> {
        self.state().admission.try_take(queue, self.now(), None)
    }

    pub(super) fn adopt(&self, queue: QueueId) -> Grant {
        self.state().admission.adopt(queue, self.now(), None)
    }

    pub(super) fn release(&self, grant: Grant) {
        let mut state = self.state();
        state.admission.release(grant);
        if state.admission.is_waited_for() {
            self.settle(state);
        }
    }

    pub(super) fn hold(&self, queue: QueueId) {
        self.state().admission.hold(queue);
    }

    pub(super) fn unhold(&self, queue: QueueId) {
        let mut state = self.state();
        state.admission.unhold(queue);
        self.settle(state);
    }

    pub(super) fn reconfigure(&self, queue: QueueId, limits: Limits) {
        let mut state = self.state();
        state.admission.reconfigure(queue, limits, self.now());
        self.settle(state);
        self.reconfigured.notify_waiters();
    }

    pub(super) fn view(&self, queue: QueueId) -> QueueView {
        self.state().admission.view(queue, self.now())
    }

    /// Returns all queues, by name.
    pub(super) fn views(&self) -> Vec<(Arc<str>, QueueView)> {
        let (state, now) = (self.state(), self.now());
        let all = state.names.iter();
        let mut views: Vec<_> = all
            .map(|(queue, name)| (Arc::clone(name), state.admission.view(*queue, now)))
            .collect();
        views.sort_by(|(one, _), (other, _)| one.cmp(other));
        views
    }

    pub(super) fn holders(&self, queue: QueueId) -> Vec<Claim> {
        let state = self.state();
        state.named(state.admission.holders(queue, self.now()))
    }

    pub(super) fn waiters(&self, queue: QueueId) -> Vec<Claim> {
        let state = self.state();
        state.named(state.admission.waiters(queue, self.now()))
    }

    /// Waits for the turn to watch the clock, and lets time do its part for as long as it is polled.
    pub(super) async fn drive(&self) -> Infallible {
        let _turn = self.turn.lock().await;
        loop {
            let next_look = self.settle(self.state());
            tokio::select! {
                () = self.sooner.notified() => {}
                () = self.until(next_look) => {}
            }
        }
    }

    /// Does what a waiter has to do about the clock, until its wait has ended.
    pub(super) async fn attend(&self, queue: QueueId, deadline: Option<Moment>) -> Infallible {
        let mut patience = pin!(self.until(deadline));
        loop {
            // Listening starts before looking, so that no change falls between the two.
            let reconfigured = self.reconfigured.notified();
            let is_rated = self.state().admission.is_rated(queue);
            tokio::select! {
                () = reconfigured => {}
                () = &mut patience => {
                    self.settle(self.state());
                    return pending().await;
                }
                never = self.drive(), if is_rated => match never {},
                never = self.look_now_and_then(), if is_rated => match never {},
            }
        }
    }

    async fn look_now_and_then(&self) -> Infallible {
        loop {
            sleep(LOOK).await;
            self.settle(self.state());
        }
    }

    async fn until(&self, moment: Option<Moment>) {
        match moment.and_then(|moment| self.origin.checked_add(moment)) {
            Some(instant) => sleep_until(instant).await,
            None => pending().await,
        }
    }

    /// Ends all waits that end now, and returns when time will let someone in.
    pub(super) fn settle(&self, mut state: MutexGuard<'_, State>) -> Option<Moment> {
        let now = self.now();
        while let Some(decision) = state.admission.decide(now) {
            let untaken = match decision {
                Decision::Admit(grant, waiter) => waiter.send(Ok(grant)),
                Decision::Refuse(why, waiter) => waiter.send(Err(why)),
            };
            if let Err(Ok(grant)) = untaken {
                state.admission.release(grant);
            }
        }
        let next_look = state.admission.next_due(now);
        let previous = std::mem::replace(&mut state.next_look, next_look);
        // Who watches may look too early, which is no harm, but not too late.
        if next_look.is_some_and(|next| previous.is_none_or(|previous| next < previous)) {
            self.sooner.notify_one();
        }
        next_look
    }

    pub(super) fn now(&self) -> Moment {
        self.origin.elapsed()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn named(&self, claims: Vec<heights_core::Claim>) -> Vec<Claim> {
        let named = |heights_core::Claim { queue, key, age }| Claim {
            queue: Arc::clone(&self.names[&queue]),
            key,
            age,
        };
        claims.into_iter().map(named).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Regulator;

    fn queues(regulator: &Regulator) -> (usize, usize) {
        let state = regulator.0.family.state();
        (state.admission.queues(), state.names.len())
    }

    #[tokio::test(start_paused = true)]
    async fn a_nested_queue_goes_with_its_last_handle() {
        let jobs = Regulator::builder("jobs").concurrency(1).build();
        for _ in 0..100 {
            let nested = Regulator::builder("jobs.nested").parent(&jobs).build();
            assert_eq!(queues(&jobs), (2, 2));
            let permit = nested.acquire().await.expect("one is free");
            drop(nested);
            assert_eq!(jobs.holders()[0].queue.as_ref(), "jobs.nested", "the permit is a handle");
            drop(permit);
        }
        assert_eq!(queues(&jobs), (1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_stays_while_another_is_inside() {
        let jobs = Regulator::builder("jobs").concurrency(1).build();
        let test = Regulator::builder("jobs.test").parent(&jobs).build();
        drop(jobs);
        let _permit = test.acquire().await.expect("one is free");
        assert!(test.try_acquire().is_none(), "the limit around it still holds");
        assert_eq!(queues(&test), (2, 2));
    }
}
