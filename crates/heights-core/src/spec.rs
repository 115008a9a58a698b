//! What a supervisor is told about itself and about each child, and how that is checked.

mod check;
mod flags;
mod plan;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use self::check::{SpecError, check_child_plans};
pub use self::flags::{AutoShutdown, Flags};
pub use self::plan::{ChildPlan, Counts, GiveUp, RestartLimit};

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
