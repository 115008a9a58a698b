//! Where changes wait for the committing thread.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::{Change, Done};

/// The most changes that share one sync: enough for every actor of a busy node, and a bound for the batch in memory.
const LARGEST_GROUP: usize = 256;

/// A change and who waits for it.
pub(super) struct Request {
    pub(super) change: Change,
    pub(super) done: Done,
}

/// Changes in the order in which they came.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Request>,
    closed: bool,
}

impl Queue {
    pub(super) fn push(&self, request: Request) {
        self.lock().waiting.push_back(request);
        self.ready.notify_one();
    }

    /// Waits for changes and takes what has gathered; `None` once the queue is closed and empty.
    pub(super) fn next_group(&self) -> Option<Vec<Request>> {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.closed {
                return None;
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let group = state.waiting.len().min(LARGEST_GROUP);
        Some(state.waiting.drain(..group).collect())
    }

    /// Lets the committing thread end after what waits now.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_one();
    }

    pub(super) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
