//! A ledger that can be made to take its time.

use std::sync::{Mutex, PoisonError};

use ci_store::{Audit, Change, Done, Ledger, MemoryLedger, ReadError, Replay, Stats, StreamId};

/// A ledger in memory, whose writes can be held up, and with them every actor that decides something.
#[derive(Default)]
pub struct GatedLedger {
    inner: MemoryLedger,
    /// What waits while it is held up.
    held: Mutex<Option<Vec<(Change, Done)>>>,
}

impl GatedLedger {
    /// Refuses the next writes.
    pub fn fail_next_appends(&self, count: usize) {
        self.inner.fail_next_appends(count);
    }

    /// Lets every write wait from now on.
    pub fn hold(&self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
    }

    /// Does what waits, and lets nothing wait any more.
    pub fn release(&self) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        for (change, done) in held.into_iter().flatten() {
            self.inner.submit(change, done);
        }
    }
}

impl Ledger for GatedLedger {
    fn submit(&self, change: Change, done: Done) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *held {
            Some(held) => held.push((change, done)),
            None => {
                drop(held);
                self.inner.submit(change, done);
            }
        }
    }

    fn read(&self, stream: &StreamId) -> Result<Replay, ReadError> {
        self.inner.read(stream)
    }

    fn streams(&self, prefix: &str) -> Result<Vec<StreamId>, ReadError> {
        self.inner.streams(prefix)
    }

    fn check(&self) -> Result<Audit, ReadError> {
        self.inner.check()
    }

    fn stats(&self) -> Stats {
        self.inner.stats()
    }
}
