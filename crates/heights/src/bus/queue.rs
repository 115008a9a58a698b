//! What waits for one subscriber.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use heights_supervisor::Recipient;

/// What a subscriber hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard<E> {
    /// Something happened.
    Event(E),
    /// So many events happened here and were lost, because the subscriber was too slow.
    Lagged(u64),
}

/// Says that events wait for an actor; iterating takes all that are there by then.
///
/// ```
/// # use heights::bus::{Heard, News};
/// fn handle(news: News<u32>) {
///     for heard in news {
///         match heard {
///             Heard::Event(build) => println!("build {build} has finished"),
///             Heard::Lagged(lost) => println!("{lost} builds have finished unseen"),
///         }
///     }
/// }
/// ```
#[must_use = "the events wait until they are taken"]
pub struct News<E> {
    queue: Arc<Queue<E>>,
    taken: bool,
}

/// Holds at most `bound` events; the oldest make room for new ones, and are counted.
pub(super) struct Queue<E> {
    bound: usize,
    reader: Reader<E>,
    waiting: Mutex<Waiting<E>>,
}

enum Reader<E> {
    Actor(Recipient<News<E>>),
    Stream,
}

struct Waiting<E> {
    events: VecDeque<E>,
    lost: u64,
    /// Whether an actor has a message about this queue that it has not handled.
    announced: bool,
    waker: Option<Waker>,
}

impl<E> Queue<E> {
    pub(super) fn telling(bound: usize, recipient: Recipient<News<E>>) -> Arc<Self> {
        Self::new(bound, Reader::Actor(recipient))
    }

    pub(super) fn waking(bound: usize) -> Arc<Self> {
        Self::new(bound, Reader::Stream)
    }

    fn new(bound: usize, reader: Reader<E>) -> Arc<Self> {
        let waiting = Waiting { events: VecDeque::new(), lost: 0, announced: false, waker: None };
        Arc::new(Self { bound: bound.max(1), reader, waiting: Mutex::new(waiting) })
    }

    pub(super) fn push(self: &Arc<Self>, event: E) {
        let mut waiting = self.waiting();
        let oldest = (waiting.events.len() == self.bound).then(|| waiting.events.pop_front());
        waiting.lost += u64::from(oldest.is_some());
        waiting.events.push_back(event);
        let announce = !std::mem::replace(&mut waiting.announced, true);
        let waker = waiting.waker.take();
        // Nobody's code runs under the lock: not a drop, not a recipient, not a waker.
        drop(waiting);
        drop(oldest);
        match &self.reader {
            Reader::Stream => waker.into_iter().for_each(Waker::wake),
            Reader::Actor(recipient) if announce => {
                recipient.tell(News { queue: Arc::clone(self), taken: false });
            }
            Reader::Actor(_) => {}
        }
    }

    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<Heard<E>> {
        let mut waiting = self.waiting();
        if let Some(lost) = waiting.take_lost() {
            return Poll::Ready(Heard::Lagged(lost));
        }
        match waiting.events.pop_front() {
            Some(event) => Poll::Ready(Heard::Event(event)),
            None => {
                waiting.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<E>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E> Waiting<E> {
    fn take_lost(&mut self) -> Option<u64> {
        Some(std::mem::take(&mut self.lost)).filter(|lost| *lost > 0)
    }
}

impl<E> IntoIterator for News<E> {
    type Item = Heard<E>;
    type IntoIter = std::iter::Chain<
        std::option::IntoIter<Heard<E>>,
        std::iter::Map<std::collections::vec_deque::IntoIter<E>, fn(E) -> Heard<E>>,
    >;

    fn into_iter(mut self) -> Self::IntoIter {
        let queue = Arc::clone(&self.queue);
        let mut waiting = queue.waiting();
        // In the same step as the events are taken: what comes after is told by a new message.
        waiting.announced = false;
        self.taken = true;
        let lagged = waiting.take_lost().map(Heard::Lagged);
        let events = std::mem::take(&mut waiting.events);
        drop(waiting);
        lagged.into_iter().chain(events.into_iter().map(Heard::Event as fn(E) -> Heard<E>))
    }
}

impl<E> Drop for News<E> {
    fn drop(&mut self) {
        // An actor that did not look is told of the next event, and then takes all.
        if !self.taken {
            self.queue.waiting().announced = false;
        }
    }
}

impl<E> fmt::Debug for News<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.queue.waiting();
        write!(f, "News({} waiting, {} lost)", waiting.events.len(), waiting.lost)
    }
}

impl<E> fmt::Debug for Queue<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Queue({} of {})", self.waiting().events.len(), self.bound)
    }
}
