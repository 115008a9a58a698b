//! Monitors: exactly one notice per monitor when a process is gone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ProcessId;
use crate::exit::Exit;
use crate::panic::shielded;

/// Tells that a monitored process is gone.
#[derive(Debug, Clone)]
pub struct Down {
    /// Which process.
    pub pid: ProcessId,
    /// How it ended; `NoProc` if it was gone before the monitor was set up.
    pub exit: Exit,
}

/// Names a monitor, so that it can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MonitorId(u64);

pub(super) type Tell = Box<dyn FnOnce(Down) + Send>;

/// Who waits for the end of a process; nobody any more once they have been told.
pub(super) struct Downs(Mutex<Option<Vec<(MonitorId, Tell)>>>);

impl Default for Downs {
    fn default() -> Self {
        Self(Mutex::new(Some(Vec::new())))
    }
}

impl Downs {
    pub(super) fn add(&self, pid: ProcessId, tell: Tell) -> MonitorId {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = MonitorId(NEXT.fetch_add(1, Ordering::Relaxed));
        let mut waiting = self.waiting();
        if let Some(waiting) = &mut *waiting {
            waiting.push((id, tell));
        } else {
            drop(waiting);
            tell(Down { pid, exit: Exit::NoProc });
        }
        id
    }

    pub(super) fn remove(&self, id: MonitorId) {
        if let Some(waiting) = &mut *self.waiting() {
            waiting.retain(|(waiting, _)| *waiting != id);
        }
    }

    pub(super) fn tell(&self, pid: ProcessId, exit: &Exit) {
        let waiting = self.waiting().take();
        for (_, tell) in waiting.into_iter().flatten() {
            shielded("a monitor", || tell(Down { pid, exit: exit.clone() }));
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Vec<(MonitorId, Tell)>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
