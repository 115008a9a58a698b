//! The serving side of a queue.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Envelope, Origin, Queue};
use crate::process::{Batch, Mailroom, Process};

/// Where a life of a server leaves what it did not get to, for the next.
pub(crate) struct Locker<M>(Arc<Mutex<VecDeque<Envelope<M>>>>);

impl<M> Locker<M> {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    fn put(&self, left: VecDeque<Envelope<M>>) {
        let ours = left.into_iter().filter(|envelope| envelope.origin == Origin::Sender);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(ours);
    }

    fn empty(&self) -> VecDeque<Envelope<M>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<M> Clone for Locker<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Where a server sits while it serves a queue; it is left in whichever way the server ends.
pub(crate) struct Seat<M: Send + 'static> {
    queue: Arc<Queue<M>>,
    locker: Option<Locker<M>>,
    /// What it has taken and not handled yet.
    batch: VecDeque<Envelope<M>>,
    left: bool,
}

impl<M: Send + 'static> Seat<M> {
    pub(crate) fn new(queue: Arc<Queue<M>>, locker: Option<Locker<M>>) -> Self {
        Self { queue, locker, batch: VecDeque::new(), left: false }
    }

    /// Takes over what the life before left behind.
    pub(crate) fn inherit(&self) {
        if let Some(locker) = &self.locker {
            self.queue.inherit(locker.empty());
        }
    }

    /// Returns the next message; without one the server sleeps until it is woken.
    pub(crate) fn next(&mut self) -> Option<Envelope<M>> {
        if self.batch.is_empty() && !self.queue.take(&mut self.batch) {
            return None;
        }
        self.batch.pop_front()
    }

    /// Tells whether all that was taken has been handled, and nothing more is taken.
    pub(crate) fn is_drained(&self) -> bool {
        self.batch.is_empty() && self.queue.is_drained()
    }

    /// Lets the server sleep, although something may wait, until it is resumed or has stopped.
    pub(crate) fn pause(&self, process: &Process) {
        self.queue.sleep();
        if !process.is_held_back() {
            // It was resumed before it slept.
            self.queue.wake();
        }
    }

    /// Returns what it has taken and not handled yet.
    pub(crate) fn batch(&self) -> Batch {
        let oldest = self.batch.front().map(|envelope| envelope.sent);
        Batch { length: self.batch.len(), oldest }
    }

    /// Serves no more: what waits is left for the next life, or dropped.
    pub(crate) fn leave(&mut self) {
        if std::mem::replace(&mut self.left, true) {
            return;
        }
        let left = self.queue.close(std::mem::take(&mut self.batch));
        if let Some(locker) = &self.locker {
            locker.put(left);
        }
    }
}

impl<M: Send + 'static> Drop for Seat<M> {
    fn drop(&mut self) {
        self.leave();
    }
}
