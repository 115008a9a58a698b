//! Processes that do not end although they were killed, because their code does not yield.

use std::sync::Arc;
use std::time::Duration;

use crate::panic::shielded;
use crate::process::{Process, ProcessId, Working};

/// What a child that was killed and does not end means for the next life of it.
///
/// It has been reported by then, and whoever stopped it does not wait any longer.
///
/// ```
/// use std::time::Duration;
/// use heights_supervisor::{ChildSpec, ZombiePolicy};
///
/// // It may compute for long without awaiting, and holds nothing that the next life needs.
/// let solver = ChildSpec::task("solver", |_cx| async { Ok(()) })
///     .kill_grace(Duration::from_secs(1))
///     .on_zombie(ZombiePolicy::Abandon);
/// assert_eq!(solver.zombie_policy(), ZombiePolicy::Abandon);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ZombiePolicy {
    /// Its place is taken: there is no next life before it is gone.
    #[default]
    Wait,
    /// It is given up: the next life starts beside it. Only for what holds nothing exclusively.
    Abandon,
    /// The program is aborted, which is the only way to be rid of it at once.
    AbortProcess,
}

/// A process that does not end although it was killed: its handler does not yield.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{path} was killed but does not end ({})", self.doing())]
pub struct Zombie {
    /// The path of the process.
    pub path: Arc<str>,
    /// Its id.
    pub pid: ProcessId,
    /// The message whose handler does not yield, if it is in one.
    pub working: Option<Working>,
    /// The thread that its code occupies, if it is running.
    pub thread: Option<Arc<str>>,
    /// How long the process has existed.
    pub age: Duration,
}

impl Zombie {
    pub(crate) fn of(process: &Process) -> Self {
        Self {
            path: process.shared_path(),
            pid: process.pid(),
            working: process.figures().working,
            thread: process.site().thread(),
            age: process.age(),
        }
    }

    /// Reports a process as a zombie, which may be the end of the program.
    pub(crate) fn report(process: &Process) -> Self {
        process.set_zombie();
        let zombie = Self::of(process);
        process.hub().report(&zombie.clone().into());
        if process.zombie_policy() == ZombiePolicy::AbortProcess {
            let path = process.path();
            let logging = || tracing::error!(path, "aborting the program, as its spec says");
            shielded("the log", logging);
            std::process::abort();
        }
        zombie
    }

    fn doing(&self) -> String {
        let thread = self.thread.as_ref().map(|thread| format!(" on thread {thread}"));
        let thread = thread.unwrap_or_default();
        match self.working {
            Some(Working { label, since, .. }) => {
                format!("handling {label:?} for {since:?}{thread}")
            }
            None => format!("not in a handler{thread}"),
        }
    }
}

/// Lists what is still there of a life that should be over and forbids the next one: the process
/// itself, and whatever it supervised.
pub(crate) fn remains_of(process: &Process) -> Vec<Process> {
    let mut remains: Vec<Process> = process.children().iter().flat_map(remains_of).collect();
    if process.is_alive() && process.zombie_policy() != ZombiePolicy::Abandon {
        remains.push(process.clone());
    }
    remains
}

/// Waits until all of them are gone.
pub(crate) async fn all_gone(processes: Vec<Process>) {
    for process in processes {
        process.gone().await;
    }
}
