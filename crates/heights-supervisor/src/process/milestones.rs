//! What a process has been told and what has become of it: flags that are set once and can be
//! waited for by any number of tasks.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

/// One flag each; a process passes them in any order, and never goes back.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(super) enum Milestone {
    /// It has been asked to stop.
    Stopping = 1,
    /// It has been told to end by the rules of its spec.
    Ordered = 2,
    /// It is to be killed.
    Killing = 4,
    /// It has been reported that it does not end.
    Zombie = 8,
    /// It is gone.
    Gone = 16,
    /// It has come up.
    Up = 32,
    /// It is gone without having come up, and everybody has been told.
    Failed = 64,
}

/// Not a milestone, as it can be taken back, but looked at together with one for each message.
const SUSPENDED: u8 = 128;

/// All flags of a process share one list of waiters, as each process has them and few wait.
#[derive(Default)]
pub(super) struct Milestones {
    passed: AtomicU8,
    change: Notify,
}

impl Milestones {
    pub(super) fn pass(&self, milestone: Milestone) {
        self.passed.fetch_or(milestone as u8, Ordering::Release);
        self.change.notify_waiters();
    }

    pub(super) fn passed(&self, milestone: Milestone) -> bool {
        self.passed_one_of(milestone as u8)
    }

    pub(super) fn suspend(&self) {
        self.passed.fetch_or(SUSPENDED, Ordering::Release);
    }

    pub(super) fn resume(&self) {
        self.passed.fetch_and(!SUSPENDED, Ordering::Release);
    }

    pub(super) fn is_suspended(&self) -> bool {
        self.passed_one_of(SUSPENDED)
    }

    pub(super) fn is_held_back(&self) -> bool {
        self.passed_one_of(SUSPENDED | Milestone::Stopping as u8)
    }

    /// Tells whether anything has been said about ending.
    pub(super) fn is_ending(&self) -> bool {
        let told = [Milestone::Stopping, Milestone::Ordered, Milestone::Killing];
        self.passed_one_of(told.into_iter().fold(0, |all, milestone| all | milestone as u8))
    }

    pub(super) fn reached(&self, milestone: Milestone) -> impl Future<Output = ()> {
        self.reached_one_of(milestone as u8)
    }

    /// Waits until it is known whether it comes up.
    pub(super) fn decided(&self) -> impl Future<Output = ()> {
        self.reached_one_of(Milestone::Up as u8 | Milestone::Failed as u8)
    }

    async fn reached_one_of(&self, wanted: u8) {
        loop {
            // Made before the flags are read, so that no change in between is missed.
            let change = self.change.notified();
            if self.passed_one_of(wanted) {
                return;
            }
            change.await;
        }
    }

    fn passed_one_of(&self, wanted: u8) -> bool {
        self.passed.load(Ordering::Acquire) & wanted != 0
    }
}
