//! What a supervisor is told about each child, and how that is checked.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Backoff;

/// How long a worker may take to stop before it is killed, unless its spec says otherwise.
const WORKER_SHUTDOWN: Duration = Duration::from_secs(5);

/// Names a child within its supervisor.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChildId(Arc<str>);

impl ChildId {
    /// Makes an id from any text.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// Returns the text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ChildId {
    fn from(id: &str) -> Self {
        Self::new(id)
    }
}

impl From<String> for ChildId {
    fn from(id: String) -> Self {
        Self::new(id)
    }
}

impl From<&ChildId> for ChildId {
    fn from(id: &ChildId) -> Self {
        id.clone()
    }
}

impl fmt::Display for ChildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ChildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// When a child that ended by itself is started again.
///
/// | | normal | shutdown | error, panic, killed |
/// |---|---|---|---|
/// | permanent | restart | restart | restart |
/// | transient | – | – | restart |
/// | temporary | – | – | – |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Restart {
    /// Always restarted.
    #[default]
    Permanent,
    /// Restarted unless it ended normally or by an orderly shutdown; its spec is kept either way.
    Transient,
    /// Never restarted; its spec goes with it.
    Temporary,
}

impl Restart {
    /// Tells whether a child that ended like this is started again.
    pub const fn restarts_after(self, exit: ExitClass) -> bool {
        match self {
            Self::Permanent => true,
            Self::Transient => matches!(exit, ExitClass::Abnormal),
            Self::Temporary => false,
        }
    }
}

/// How a child ended, as far as restarting cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitClass {
    /// It had nothing left to do.
    Normal,
    /// It was asked to go, or left in good order for a reason.
    Shutdown,
    /// It failed, panicked or was killed.
    Abnormal,
}

/// How a child is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Killed at once.
    Brutal,
    /// Asked to stop, and killed if it has not by then; zero means asked and killed at once.
    Timeout(Duration),
    /// Asked to stop and waited for, however long it takes.
    Infinity,
}

/// What a child is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildKind {
    /// A process that does work.
    Worker,
    /// A process that has children of its own.
    Supervisor,
    /// A future that runs as a child.
    Task,
}

/// Which siblings share the fate of a failed child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// None: only the failed child is restarted.
    #[default]
    OneForOne,
    /// All: they are stopped in reverse order, then all are started in order.
    OneForAll,
    /// Those that were started after it.
    RestForOne,
}

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
        Self { id, kind, restart: Restart::Permanent, shutdown, backoff: None }
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

/// Why a specification is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpecError {
    /// A child has an empty id.
    EmptyId,
    /// Two children have the same id.
    DuplicateId(ChildId),
    /// The period of the restart intensity is zero.
    ZeroPeriod,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyId => f.write_str("a child has an empty id"),
            Self::DuplicateId(id) => write!(f, "two children have the id {id:?}"),
            Self::ZeroPeriod => f.write_str("the period of the restart intensity is zero"),
        }
    }
}

impl std::error::Error for SpecError {}

/// Checks a list of children as a supervisor would at start.
pub fn check_child_plans(plans: &[ChildPlan]) -> Result<(), SpecError> {
    let mut ids = HashSet::new();
    for plan in plans {
        if plan.id.as_str().is_empty() {
            return Err(SpecError::EmptyId);
        }
        if !ids.insert(&plan.id) {
            return Err(SpecError::DuplicateId(plan.id.clone()));
        }
    }
    Ok(())
}
