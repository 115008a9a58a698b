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

#[derive(Default)]
pub(super) struct Downs(Mutex<State>);

#[derive(Default)]
struct State {
    told: bool,
    waiting: Vec<(MonitorId, Tell)>,
}

impl Downs {
    pub(super) fn add(&self, pid: ProcessId, tell: Tell) -> MonitorId {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = MonitorId(NEXT.fetch_add(1, Ordering::Relaxed));
        let mut state = self.state();
        if state.told {
            drop(state);
            tell(Down { pid, exit: Exit::NoProc });
        } else {
            state.waiting.push((id, tell));
        }
        id
    }

    pub(super) fn remove(&self, id: MonitorId) {
        self.state().waiting.retain(|(waiting, _)| *waiting != id);
    }

    pub(super) fn tell(&self, pid: ProcessId, exit: &Exit) {
        let mut state = self.state();
        state.told = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        for (_, tell) in waiting {
            shielded("a monitor", || tell(Down { pid, exit: exit.clone() }));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
