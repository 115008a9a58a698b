//! The pure part of a child specification.

use std::time::Duration;

use crate::{Backoff, ChildId, ChildKind, Intensity, Restart, Shutdown};

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
    /// How long to wait before restarting it; `None` leaves it to the supervisor. On the heap, as
    /// few have one.
    pub backoff: Option<Box<Backoff>>,
    /// How many restarts of this child are too many, whatever the supervisor allows. On the heap, as
    /// few have one.
    pub limit: Option<Box<RestartLimit>>,
    /// Whether its own end can end its supervisor, as [`AutoShutdown`](crate::AutoShutdown) says.
    pub significant: bool,
    /// The earlier siblings that it cannot do without: it is stopped before they are and comes
    /// back after them.
    pub binds_to: Box<[ChildId]>,
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

    fn new(id: ChildId, kind: ChildKind, shutdown: Shutdown) -> Self {
        Self {
            id,
            kind,
            restart: Restart::Permanent,
            shutdown,
            backoff: None,
            limit: None,
            significant: false,
            binds_to: Box::default(),
        }
    }
}

/// How many restarts of one child are too many: an extension that OTP does not have.
///
/// It is looked at before the intensity of the supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartLimit {
    /// The most restarts of this child in any period.
    pub intensity: Intensity,
    /// What one too many leads to.
    pub then: GiveUp,
}

/// What a supervisor does when a child has used up its own restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveUp {
    /// It gives up itself, as if its own intensity were exceeded.
    Escalate,
    /// It gives up on the child, drops its spec, and goes on; of its
    /// siblings only those that are bound to it share that fate.
    RemoveChild,
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
