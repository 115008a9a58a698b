//! Keeping a thread busy, and letting it go.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use tokio::sync::Semaphore;

use super::support::{CEILING, within};

/// Keeps a thread from going on, as code that does not await would.
#[derive(Clone, Default)]
pub struct Gate(Arc<Inner>);

struct Inner {
    open: Mutex<bool>,
    opened: Condvar,
    arrivals: Semaphore,
}

impl Default for Inner {
    fn default() -> Self {
        let (open, opened) = (Mutex::default(), Condvar::default());
        Self { open, opened, arrivals: Semaphore::new(0) }
    }
}

impl Gate {
    /// Blocks the thread until the gate is open.
    pub fn pass(&self) {
        self.0.arrivals.add_permits(1);
        let open = self.0.open.lock().unwrap();
        drop(self.0.opened.wait_timeout_while(open, CEILING, |open| !*open).unwrap());
    }

    /// Waits until somebody stands before the gate.
    pub async fn reached(&self) {
        within("somebody to reach the gate", self.0.arrivals.acquire()).await.unwrap().forget();
    }

    /// Makes what opens the gate, at the latest when it is dropped.
    pub fn key(&self) -> Key {
        Key(self.clone())
    }
}

/// Opens its gate when it is dropped, so that a failed test does not hang.
pub struct Key(Gate);

impl Drop for Key {
    fn drop(&mut self) {
        *self.0.0.open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.0.opened.notify_all();
    }
}
