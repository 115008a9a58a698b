//! The pure part of a child specification.

use std::time::Duration;

use crate::{Backoff, ChildId, ChildKind, Restart, Shutdown};

/// How long a worker may take to stop before it is killed, unless its spec says otherwise.
const WORKER_SHUTDOWN: Duration = Duration::from_secs(5);

/// The pure part of a child specification.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildPlan {
    /// The name of the child within its supervisor.
    pub id: ChildId,
    /// What the child is.
    pub kind: ChildKind,
    /// When it is restarted.
    pub restart: Restart,
    /// How it is stopped.
    pub shutdown: Shutdown,
    /// How long to wait before restarting it; `None` leaves it to the supervisor.
    pub backoff: Option<Backoff>,
    /// Whether its own end can end its supervisor, as [`AutoShutdown`] says.
    pub significant: bool,
}

impl ChildPlan {
    /// A permanent worker that has five seconds to stop.
    pub fn worker(id: impl Into<ChildId>) -> Self {
        Self::new(id.into(), ChildKind::Worker, Shutdown::Timeout(WORKER_SHUTDOWN))
    }

    /// A permanent task that has five seconds to stop.
    pub fn task(id: impl Into<ChildId>) -> Self {
        Self::new(id.into(), ChildKind::Task, Shutdown::Timeout(WORKER_SHUTDOWN))
    }

    /// A permanent supervisor that has as long as it takes to stop.
    pub fn supervisor(id: impl Into<ChildId>) -> Self {
        Self::new(id.into(), ChildKind::Supervisor, Shutdown::Infinity)
    }

    const fn new(id: ChildId, kind: ChildKind, shutdown: Shutdown) -> Self {
        Self { id, kind, restart: Restart::Permanent, shutdown, backoff: None, significant: false }
    }
}

/// How many children a supervisor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Children known, running or not.
    pub specs: usize,
    /// Children that run.
    pub active: usize,
    /// Known children that are supervisors.
    pub supervisors: usize,
    /// Known children that are workers or tasks.
    pub workers: usize,
}
