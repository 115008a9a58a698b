//! How long a tree may take to stop, by its specs alone.
//!
//! | child | takes at most |
//! |---|---|
//! | `Brutal` | nothing |
//! | `Timeout(d)` | `d`; a supervisor takes less if its children do |
//! | `Infinity`, a supervisor with known children | all its children, one after the other |
//! | `Infinity`, anything else | no limit is known |
//!
//! On top comes the longest kill grace in the tree, for a process that does not yield when it is killed.
//! There should be none; if there were several, each further one would add its own.

use std::time::Duration;

use heights_supervisor::{ChildKind, ChildSpec, Shutdown, SupervisorBuilder};

/// How long a tree may take to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShutdownBound {
    /// If every process uses all its time, and ends when it is killed.
    pub in_order: Duration,
    /// What one process that does not yield can add.
    pub kill_grace: Duration,
}

/// Why a tree may take longer to stop than it is given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShutdownBoundError {
    /// There is no limit to what a child may take.
    #[error("stop within {limit:?}: {path} may take any time: give it a shutdown timeout")]
    Unbounded {
        /// The path of the child.
        path: String,
        /// What the platform grants.
        limit: Duration,
    },
    /// The sum is too long.
    #[error("stop within {limit:?}: it may take {bound:?}, of which {path} takes {takes:?}")]
    TooLong {
        /// The path of the child that takes most, as deep as one makes up half of what is above it.
        path: String,
        /// What it takes.
        takes: Duration,
        /// What the whole tree takes, kill grace included.
        bound: Duration,
        /// What the platform grants.
        limit: Duration,
    },
}

impl ShutdownBound {
    /// Returns the sum.
    pub const fn total(self) -> Duration {
        self.in_order.saturating_add(self.kill_grace)
    }
}

/// Computes the bound of a tree and compares it with a limit.
pub(super) fn check(
    root: &SupervisorBuilder,
    limit: Duration,
) -> Result<ShutdownBound, ShutdownBoundError> {
    let (root, _reference) = root.clone().child_spec();
    let root = Cost::of(&root, "").map_err(|path| ShutdownBoundError::Unbounded { path, limit })?;
    let bound = ShutdownBound { in_order: root.takes, kill_grace: root.kill_grace };
    if bound.total() <= limit {
        return Ok(bound);
    }
    let most = root.most();
    let (path, takes) = (most.path.clone(), most.takes);
    Err(ShutdownBoundError::TooLong { path, takes, bound: bound.total(), limit })
}

/// What a child takes, and its children.
struct Cost {
    path: String,
    takes: Duration,
    kill_grace: Duration,
    children: Vec<Cost>,
}

impl Cost {
    /// Adds up a child; an error is the path of one that may take any time.
    fn of(spec: &ChildSpec, above: &str) -> Result<Self, String> {
        let path =
            if above.is_empty() { spec.id().to_string() } else { format!("{above}/{}", spec.id()) };
        let own = match spec.plan().shutdown {
            Shutdown::Brutal => Some(Duration::ZERO),
            Shutdown::Timeout(limit) => Some(limit),
            Shutdown::Infinity => None,
        };
        let children: Result<Vec<Self>, String> = match spec.children() {
            Some(children) if spec.plan().kind == ChildKind::Supervisor => {
                children.iter().map(|child| Self::of(child, &path)).collect()
            }
            _ => Err(path.clone()),
        };
        let (takes, children) = match (own, children) {
            (None, Err(endless)) => return Err(endless),
            (Some(own), Err(_endless)) => (own, Vec::new()),
            (own, Ok(children)) => {
                let sum = children
                    .iter()
                    .fold(Duration::ZERO, |sum, child: &Self| sum.saturating_add(child.takes));
                (own.map_or(sum, |own| own.min(sum)), children)
            }
        };
        let graces = children.iter().map(|child| child.kill_grace);
        let kill_grace = graces.fold(spec.gone_within(), Duration::max);
        Ok(Self { path, takes, kill_grace, children })
    }

    /// Finds who is to blame: down to the child that takes most, as long as that is half or more.
    fn most(&self) -> &Self {
        let longest = self.children.iter().max_by_key(|child| child.takes);
        match longest.filter(|child| child.takes * 2 >= self.takes) {
            Some(child) => child.most(),
            None => self,
        }
    }
}
