//! A picture of the tree at one moment.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use heights_core::{ChildId, ChildKind, Restart, RestartLimit};
use tokio::time::Instant;

use super::{Crash, Hub, Shape, Table};
use crate::process::{Figures, Process, ProcessId};

/// All processes of a tree, taken under one lock.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{ChildSpec, Supervisor};
///
/// let idle = ChildSpec::task("idle", |cx| async move { Ok(cx.shutdown().await) });
/// let root = Supervisor::builder("root").child(idle).start().await?;
/// let tree = root.tree().ok_or("it runs")?;
/// let paths: Vec<&str> = tree.processes.iter().map(|process| &*process.path).collect();
/// assert_eq!(paths, ["root", "root/idle"]);
/// assert!(tree.waiting.is_empty(), "nobody is about to be restarted");
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TreeSnapshot {
    /// When it was taken.
    pub at: SystemTime,
    /// The living processes, the oldest first; a parent comes before its children.
    pub processes: Vec<ProcessInfo>,
    /// The children that wait to be started again.
    pub waiting: Vec<WaitingInfo>,
    /// The crashes that are remembered, the oldest first.
    pub crashes: Vec<Crash>,
}

/// One process in a snapshot.
#[derive(Debug, Clone)]
pub struct ProcessInfo {
    /// The id of this life.
    pub pid: ProcessId,
    /// The supervisor; a root has none.
    pub parent: Option<ProcessId>,
    /// The ids from the root down, joined by slashes.
    pub path: Arc<str>,
    /// The id of the child within its supervisor.
    pub id: ChildId,
    /// What it is.
    pub kind: ChildKind,
    /// When its supervisor restarts it; nobody restarts a root.
    pub restart: Option<Restart>,
    /// The name of the type that implements it.
    pub type_name: &'static str,
    /// How many lives of this child there have been, this one included.
    pub incarnation: u32,
    /// The earlier siblings that it cannot do without.
    pub binds_to: Box<[ChildId]>,
    /// Whether its end can end its supervisor.
    pub significant: bool,
    /// How many restarts of this child alone are too many.
    pub limit: Option<RestartLimit>,
    /// When this life began.
    pub started_at: SystemTime,
    /// How long ago that is.
    pub age: Duration,
    /// What it is doing.
    pub state: ProcessState,
    /// Whether it has been suspended, and leaves its messages waiting.
    pub suspended: bool,
    /// Whether it takes no more messages, and ends when it has handled what waits.
    pub draining: bool,
    /// The name and the number of the thread that runs its code right now.
    pub thread: Option<Arc<str>>,
    /// What it has done.
    pub figures: Figures,
    /// How it treats its children, if it is a supervisor.
    pub shape: Option<Shape>,
}

impl ProcessInfo {
    /// Returns how often this child was restarted.
    pub const fn restarts(&self) -> u32 {
        self.incarnation.saturating_sub(1)
    }
}

/// What a process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessState {
    /// It is not up yet.
    Starting,
    /// It is up.
    Running,
    /// It has been told to end.
    Stopping,
}

/// A child that waits to be started again.
#[derive(Debug, Clone)]
pub struct WaitingInfo {
    /// The path it will have.
    pub path: Arc<str>,
    /// The id of the child within its supervisor.
    pub id: ChildId,
    /// How long it still waits.
    pub remaining: Duration,
}

impl TreeSnapshot {
    /// Keeps what is at or below a path.
    #[must_use]
    pub fn below(mut self, path: &str) -> Self {
        let inside = |other: &str| {
            other.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.processes.retain(|process| inside(&process.path));
        self.waiting.retain(|waiting| inside(&waiting.path));
        self.crashes.retain(|crash| inside(&crash.path));
        self
    }
}

impl Hub {
    /// Returns the children that wait to be started again.
    pub fn waiting(&self) -> Vec<WaitingInfo> {
        waiting(&self.table())
    }

    /// Takes a picture of the tree.
    pub fn snapshot(&self) -> TreeSnapshot {
        let table = self.table();
        let at = SystemTime::now();
        TreeSnapshot {
            at,
            processes: table.processes.values().map(|process| describe(process, at)).collect(),
            waiting: waiting(&table),
            crashes: table.crashes.iter().cloned().collect(),
        }
    }
}

fn waiting(table: &Table) -> Vec<WaitingInfo> {
    let now = Instant::now();
    let waiting = table.waiting.iter().map(|(path, waiting)| WaitingInfo {
        path: Arc::clone(path),
        id: waiting.id.clone(),
        remaining: waiting.until.saturating_duration_since(now),
    });
    waiting.collect()
}

fn describe(process: &Process, now: SystemTime) -> ProcessInfo {
    let age = process.age();
    ProcessInfo {
        pid: process.pid(),
        parent: process.parent().map(Process::pid),
        path: process.shared_path(),
        id: process.id().clone(),
        kind: process.kind(),
        restart: process.restart(),
        type_name: process.type_name(),
        incarnation: process.incarnation(),
        binds_to: process.plan().binds_to.clone(),
        significant: process.plan().significant,
        limit: process.plan().limit.as_deref().copied(),
        started_at: now.checked_sub(age).unwrap_or(now),
        age,
        state: match (process.is_stopping(), process.is_up()) {
            (true, _) => ProcessState::Stopping,
            (false, true) => ProcessState::Running,
            (false, false) => ProcessState::Starting,
        },
        suspended: process.is_suspended(),
        draining: process.is_draining(),
        thread: process.site().thread(),
        figures: process.figures(),
        shape: process.shape(),
    }
}
