//! The hub of a tree: which processes there are, what they have done, and what crashed.

mod foreign;
mod snapshot;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use heights_core::{AutoShutdown, ChildId, Intensity, Rows, Strategy};
use tokio::time::Instant;

pub use self::foreign::{ForeignInfo, GroupInfo, MemberInfo};
pub use self::snapshot::{ProcessInfo, ProcessState, TreeSnapshot, WaitingInfo};
use crate::exit::Exit;
use crate::panic::shielded;
use crate::process::{Figures, Process, ProcessId};
use crate::recipient::Recipient;
use crate::report::Report;
use crate::timer::instant_after;

/// How many crashes are kept: enough to see a pattern, small enough to forget about.
const CRASHES_KEPT: usize = 256;

/// Knows all processes of one tree. Clones are the same hub; every root has its own unless given one.
///
/// Nothing here waits for a process, so it works however busy or stuck the tree is.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{ChildSpec, Hub, Supervisor};
///
/// let hub = Hub::new();
/// let clock = ChildSpec::task("clock", |cx| async move {
///     cx.shutdown().await;
///     Ok(())
/// });
/// let root = Supervisor::builder("root").hub(hub.clone()).child(clock).start().await?;
/// let paths: Vec<_> = hub.snapshot().processes.into_iter().map(|process| process.path).collect();
/// assert_eq!(paths.iter().map(|path| &**path).collect::<Vec<_>>(), ["root", "root/clock"]);
///
/// let clock = hub.find("root/clock").ok_or("it runs")?;
/// hub.kill(clock.pid());
/// clock.gone().await;
/// root.stop().await;
/// assert!(hub.snapshot().processes.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Hub(Arc<Inner>);

#[derive(Default)]
struct Inner {
    table: Mutex<Table>,
    listeners: Mutex<Vec<Recipient<Report>>>,
}

#[derive(Default)]
struct Table {
    processes: Rows<ProcessId, Process>,
    waiting: BTreeMap<Arc<str>, Waiting>,
    crashes: VecDeque<Crash>,
}

struct Waiting {
    id: ChildId,
    until: Instant,
}

/// How a supervisor treats its children, for whoever looks in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Which siblings share a fate; a dynamic supervisor has none.
    pub strategy: Option<Strategy>,
    /// How many restarts it takes.
    pub intensity: Intensity,
    /// Whether it ends with its significant children.
    pub auto_shutdown: AutoShutdown,
    /// How many of them are used up right now.
    pub restarts_used: usize,
}

/// What is kept of a crash.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{ChildSpec, Exit, Restart, Supervisor};
///
/// let import = ChildSpec::task("import", |_cx| async { panic!("no such column") });
/// let root = Supervisor::builder("root").child(import.restart(Restart::Temporary)).start().await?;
/// let hub = root.hub().ok_or("it runs")?;
/// if let Some(import) = hub.find("root/import") {
///     import.gone().await;
/// }
/// let crash = hub.crashes().pop().ok_or("it has crashed")?;
/// assert_eq!((&*crash.path, crash.incarnation), ("root/import", 1));
/// let Exit::Panic(panic) = &crash.exit else { return Err("it has panicked".into()) };
/// assert_eq!(panic.message, "no such column");
/// assert!(panic.location.is_some() && panic.backtrace.is_some());
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Crash {
    /// When it happened.
    pub at: SystemTime,
    /// The path of the process.
    pub path: Arc<str>,
    /// The life that ended.
    pub pid: ProcessId,
    /// How many lives there had been.
    pub incarnation: u32,
    /// The name of the type that crashed.
    pub type_name: &'static str,
    /// How it ended.
    pub exit: Exit,
    /// How long it had lived.
    pub age: Duration,
    /// What it had done, and which message it was handling.
    pub figures: Box<Figures>,
    /// The label of the message it was handling last.
    pub last_label: Option<&'static str>,
    /// That message, as far as its server wants it kept: by [`LastMessage`](crate::LastMessage).
    pub last_message: Option<String>,
    /// The supervisors above it, the nearest first.
    pub parents: Vec<ProcessId>,
}

impl Hub {
    /// Makes a hub that knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Finds a living process.
    pub fn process(&self, pid: ProcessId) -> Option<Process> {
        self.table().processes.get(pid).cloned()
    }

    /// Finds the living process at a path.
    pub fn find(&self, path: &str) -> Option<Process> {
        let table = self.table();
        table.processes.values().rev().find(|process| process.path() == path).cloned()
    }

    /// Returns all living processes, the oldest first.
    pub fn processes(&self) -> Vec<Process> {
        self.table().processes.values().cloned().collect()
    }

    /// Asks a process to stop; `false` if there is none. Its supervisor reacts by its rules.
    pub fn stop(&self, pid: ProcessId) -> bool {
        self.process(pid).inspect(Process::stop).is_some()
    }

    /// Kills a process and all it supervises; `false` if there is none. Its supervisor reacts by
    /// its rules, once all of them are gone.
    pub fn kill(&self, pid: ProcessId) -> bool {
        self.process(pid).inspect(Process::kill).is_some()
    }

    /// Tells all reports of the tree to a recipient, from now on.
    pub fn subscribe(&self, recipient: Recipient<Report>) {
        self.listeners().push(recipient);
    }

    /// Returns the crashes that are remembered, the oldest first.
    pub fn crashes(&self) -> Vec<Crash> {
        self.table().crashes.iter().cloned().collect()
    }

    pub(crate) fn report(&self, report: &Report) {
        // Whoever writes the log is code of others, too.
        shielded("the log", || report.trace());
        let listeners = self.listeners().clone();
        for listener in listeners {
            shielded("a listener to reports", || listener.tell(report.clone()));
        }
    }

    pub(crate) fn enter(&self, process: &Process) {
        let mut table = self.table();
        if !table.waiting.is_empty() {
            table.waiting.remove(process.path());
        }
        table.processes.insert(process.pid(), process.clone());
    }

    pub(crate) fn leave(&self, process: &Process, exit: &Exit) {
        let crashed = exit.is_abnormal() && !process.was_killed_in_order(exit);
        let crash = crashed.then(|| Crash::of(process, exit));
        let mut table = self.table();
        table.processes.remove(process.pid());
        let Some(crash) = crash else { return };
        if table.crashes.len() == CRASHES_KEPT {
            table.crashes.pop_front();
        }
        table.crashes.push_back(crash.clone());
        drop(table);
        // A kill says nothing about the process; whoever supervises it has to say that it happened.
        if exit.is_crash() {
            self.report(&Report::Crash(crash));
        }
    }

    /// Notes that a child waits to be started again.
    pub(crate) fn waits(&self, path: Arc<str>, id: ChildId, delay: Duration) {
        let until = instant_after(Instant::now(), delay);
        self.table().waiting.insert(path, Waiting { id, until });
    }

    pub(crate) fn waits_no_more(&self, path: &str) {
        self.table().waiting.remove(path);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Recipient<Report>>> {
        self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hub({} processes)", self.table().processes.len())
    }
}

impl Crash {
    fn of(process: &Process, exit: &Exit) -> Self {
        Self {
            at: SystemTime::now(),
            path: process.shared_path(),
            pid: process.pid(),
            incarnation: process.incarnation(),
            type_name: process.type_name(),
            exit: exit.clone(),
            age: process.age(),
            last_label: process.activity().last_label(),
            last_message: process.activity().last_message(),
            parents: std::iter::successors(process.parent(), |parent| parent.parent())
                .map(Process::pid)
                .collect(),
            figures: Box::new(process.figures()),
        }
    }
}
