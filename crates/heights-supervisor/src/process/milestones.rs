//! What a process has been told and what has become of it: flags that are set once and can be
//! waited for by any number of tasks.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::sync::Notify;

/// One flag each; a process passes them in any order, and never goes back.
#[derive(Debug, Clone, Copy)]
#[repr(u16)]
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
const SUSPENDED: u16 = 128;

/// Set when somebody waits for the first time, so that nobody is looked for who never came.
const WAITED_FOR: u16 = 256;

/// All flags of a process share one list of waiters, as each process has them and few wait.
#[derive(Default)]
pub(super) struct Milestones {
    passed: AtomicU16,
    /// There before `WAITED_FOR` is set.
    change: OnceLock<Box<Notify>>,
}

impl Milestones {
    pub(super) fn pass(&self, milestone: Milestone) {
        let before = self.passed.fetch_or(milestone as u16, Ordering::AcqRel);
        // Whoever waits from now on has seen the flag: both change the same word.
        if before & WAITED_FOR != 0
            && let Some(change) = self.change.get()
        {
            change.notify_waiters();
        }
    }

    pub(super) fn passed(&self, milestone: Milestone) -> bool {
        self.passed_one_of(milestone as u16)
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
        self.passed_one_of(SUSPENDED | Milestone::Stopping as u16)
    }

    /// Tells whether anything has been said about ending.
    pub(super) fn is_ending(&self) -> bool {
        let told = [Milestone::Stopping, Milestone::Ordered, Milestone::Killing];
        self.passed_one_of(told.into_iter().fold(0, |all, milestone| all | milestone as u16))
    }

    pub(super) fn reached(&self, milestone: Milestone) -> impl Future<Output = ()> {
        self.reached_one_of(milestone as u16)
    }

    /// Waits until it is known whether it comes up.
    pub(super) fn decided(&self) -> impl Future<Output = ()> {
        self.reached_one_of(Milestone::Up as u16 | Milestone::Failed as u16)
    }

    async fn reached_one_of(&self, wanted: u16) {
        if self.passed_one_of(wanted) {
            return;
        }
        let change = self.change.get_or_init(Box::default);
        self.passed.fetch_or(WAITED_FOR, Ordering::AcqRel);
        loop {
            // Made before the flags are read, so that no change in between is missed.
            let change = change.notified();
            if self.passed_one_of(wanted) {
                return;
            }
            change.await;
        }
    }

    fn passed_one_of(&self, wanted: u16) -> bool {
        self.passed.load(Ordering::Acquire) & wanted != 0
    }
}
