//! What a machine is told.

use std::fmt;

use crate::{ChildId, ChildPlan, ExitClass};

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The supervisor itself starts.
    Boot,
    /// The child that was being started runs.
    Started(ChildRun),
    /// The child that was being started did not come up.
    StartFailed(ChildRun),
    /// The child that was being started found nothing to do; that is not a failure.
    Ignored(ChildRun),
    /// The child that was being stopped is gone.
    Stopped(ChildRun),
    /// A child ended by itself and is gone.
    Exited(ChildRun, ExitClass),
    /// A retry that was asked for is due.
    Retry {
        /// The child to start again.
        id: ChildId,
        /// The ticket of the `Retry` action; an old one is ignored.
        ticket: u64,
    },
    /// Somebody wants a child added and started.
    StartChild(ChildPlan),
    /// Somebody wants a child stopped, its spec kept.
    TerminateChild(ChildId),
    /// Somebody wants a stopped child started.
    RestartChild(ChildId),
    /// Somebody wants the spec of a stopped child dropped.
    DeleteChild(ChildId),
    /// Somebody has new specs, in their order. They hold from the next start on: what runs goes
    /// on, new children are not started, and those without a spec become the youngest and stay
    /// until they are deleted.
    Reconfigure(Vec<ChildPlan>),
    /// The supervisor is to stop.
    Stop,
}

/// Which life of a child: every start within one supervisor gets a new number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Incarnation(pub u64);

/// One life of one child.
#[derive(Clone, PartialEq, Eq)]
pub struct ChildRun {
    /// Which child.
    pub id: ChildId,
    /// Which of its lives.
    pub incarnation: Incarnation,
}

impl fmt::Debug for ChildRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.id, self.incarnation.0)
    }
}
