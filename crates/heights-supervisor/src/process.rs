//! A process: one life of one child, as everyone but the child itself sees it.

mod activity;
mod birth;
mod control;
mod down;
mod id;
mod looking;
mod milestones;
mod ownership;
mod reign;

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use heights_core::{ChildId, ChildKind, Restart, Shutdown};
use heights_registry::Owner;
use ractor::ActorCell;
use tokio::time::Instant;

pub(crate) use self::activity::{Activity, Backlog, Batch, Mailroom};
pub use self::activity::{Figures, Handled, MessageCount, Tracer, TracerId, Working};
pub(crate) use self::birth::{Birth, TypeName};
use self::down::Downs;
pub use self::down::{Down, MonitorId};
pub use self::id::ProcessId;
use self::milestones::{Milestone, Milestones};
use self::ownership::Ownership;
use self::reign::Reign;
use crate::exit::{Exit, ShutdownReason};
use crate::hub::{Hub, Shape};
use crate::keeper::StartFailure;
use crate::thread::Site;

/// A handle on one life of one child: to look at it, to end it, to wait for its end.
///
/// A clone is the same process. The handle stays valid when the process is gone.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{ChildSpec, DynamicSupervisor, Exit, Restart};
///
/// let root = DynamicSupervisor::builder("root").start().await?;
/// let sleeper = ChildSpec::task("sleeper", |_cx| std::future::pending());
/// let process = root.start_child(sleeper.restart(Restart::Temporary)).await?.process;
///
/// // A monitor tells exactly once, also of a process that is gone already.
/// let (told, heard) = tokio::sync::oneshot::channel();
/// process.monitor(move |down| drop(told.send(down.exit)));
/// process.kill();
/// assert!(matches!(process.gone().await, Exit::Killed));
/// assert!(matches!(heard.await?, Exit::Killed));
/// assert!(!process.is_alive());
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Process(Arc<Inner>);

/// What a child wants whoever started it to know.
pub(crate) type StartInfo = Arc<dyn Any + Send + Sync>;

struct Inner {
    pid: ProcessId,
    birth: Birth,
    born: Instant,
    activity: Activity,
    site: Site,
    cell: OnceLock<ActorCell>,
    /// For servers only.
    mailroom: OnceLock<Arc<dyn Mailroom>>,
    milestones: Milestones,
    /// On the heap, as most processes have nothing of it before they end.
    occasions: OnceLock<Box<Occasions>>,
    /// For supervisors only; most processes are none.
    reign: Option<Box<Reign>>,
}

/// What comes up once in the life of a process, or never.
#[derive(Default)]
struct Occasions {
    /// Put together when somebody asks for it.
    path: OnceLock<Arc<str>>,
    ownership: Ownership,
    downs: Downs,
    order: OnceLock<Shutdown>,
    farewell: OnceLock<Exit>,
    exit: OnceLock<Exit>,
    start_info: OnceLock<StartInfo>,
    failure: OnceLock<StartFailure>,
}

impl Drop for Occasions {
    /// Lets go of what the process told its starter, often on the time of its supervisor.
    fn drop(&mut self) {
        let info = self.start_info.take();
        crate::panic::shielded("dropping what a starter was told", move || drop(info));
    }
}

impl Process {
    pub(crate) fn new(birth: Birth, shape: Option<Shape>) -> Self {
        let reign = shape.map(|shape| Box::new(Reign::new(shape)));
        Self(Arc::new(Inner {
            pid: ProcessId::next(),
            birth,
            born: Instant::now(),
            activity: Activity::default(),
            site: Site::default(),
            cell: OnceLock::new(),
            mailroom: OnceLock::new(),
            milestones: Milestones::default(),
            occasions: OnceLock::new(),
            reign,
        }))
    }

    /// Returns the process whose code is running here, if any.
    pub fn current() -> Option<Self> {
        crate::panic::running_process()
    }

    /// Returns the id of this life.
    pub fn pid(&self) -> ProcessId {
        self.0.pid
    }

    /// Returns the id of the child within its supervisor.
    pub fn id(&self) -> &ChildId {
        &self.0.birth.spec.plan.id
    }

    /// Returns the ids from the root down to this child, joined by slashes.
    pub fn path(&self) -> &str {
        self.whole_path()
    }

    /// Returns what the process is.
    pub fn kind(&self) -> ChildKind {
        self.0.birth.spec.plan.kind
    }

    /// Returns when its supervisor restarts it; nobody restarts a root.
    pub fn restart(&self) -> Option<Restart> {
        self.parent().map(|_| self.0.birth.spec.plan.restart)
    }

    /// Returns the name of the type that implements the process.
    pub fn type_name(&self) -> &'static str {
        (self.0.birth.spec.type_name)()
    }

    /// Returns how many lives of this child there have been, this one included.
    pub fn incarnation(&self) -> u32 {
        self.0.birth.incarnation
    }

    /// Returns the supervisor of this process; a root has none.
    pub fn parent(&self) -> Option<&Self> {
        self.0.birth.parent.as_ref()
    }

    /// Returns the hub of the tree that this process belongs to.
    pub fn hub(&self) -> &Hub {
        &self.0.birth.hub
    }

    /// Returns the token that ends when the task of this process has ended.
    pub fn owner(&self) -> &Owner {
        self.occasions().ownership.owner()
    }

    /// Returns how long the process has existed.
    pub fn age(&self) -> Duration {
        self.0.born.elapsed()
    }

    /// Returns the counters and what the process is doing.
    pub fn figures(&self) -> Figures {
        self.0.activity.figures(self.0.mailroom.get().map(Arc::as_ref))
    }

    /// Tells whether the task of the process has not ended yet.
    pub fn is_alive(&self) -> bool {
        !self.0.milestones.passed(Milestone::Gone)
    }

    /// Asks the process to stop in good order; its supervisor then reacts by its rules.
    pub fn stop(&self) {
        self.stop_with(Exit::Shutdown(ShutdownReason::Requested));
    }

    /// Kills the process, and all that it supervises, without any `terminate`.
    ///
    /// Killing takes effect where the process awaits; code that never yields cannot be killed.
    pub fn kill(&self) {
        self.0.milestones.pass(Milestone::Killing);
        if let Some(cell) = self.cell() {
            cell.kill();
        }
    }

    /// Makes a server handle no more messages until it is resumed; what is sent to it waits.
    ///
    /// The message that is being handled is finished. A suspended server can be stopped and
    /// killed. Whatever is no server is not suspended, and `false` is returned.
    pub fn suspend(&self) -> bool {
        let serves = self.0.mailroom.get().is_some();
        if serves {
            self.0.milestones.suspend();
        }
        serves
    }

    /// Lets a suspended server go on, in the order in which messages were sent.
    pub fn resume(&self) {
        self.0.milestones.resume();
        if let Some(mailroom) = self.0.mailroom.get() {
            mailroom.wake();
        }
    }

    /// Tells whether the process has been suspended.
    pub fn is_suspended(&self) -> bool {
        self.0.milestones.is_suspended()
    }

    /// Waits until the task of the process, and all below it, has ended.
    pub async fn gone(&self) -> Exit {
        self.0.milestones.reached(Milestone::Gone).await;
        self.exit().unwrap_or(Exit::NoProc)
    }

    /// Calls back exactly once when the process is gone; at once, with `NoProc`, if it is already.
    pub fn monitor(&self, tell: impl FnOnce(Down) + Send + 'static) -> MonitorId {
        self.occasions().downs.add(self.0.pid, Box::new(tell))
    }

    /// Takes a monitor back; it never fires after this unless it already has.
    pub fn demonitor(&self, id: MonitorId) {
        if let Some(occasions) = self.0.occasions.get() {
            occasions.downs.remove(id);
        }
    }

    /// Returns how the process ended, once it is known.
    pub fn exit(&self) -> Option<Exit> {
        self.0.occasions.get()?.exit.get().cloned()
    }

    fn occasions(&self) -> &Occasions {
        self.0.occasions.get_or_init(Box::default)
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Process({} {})", self.pid(), self.path())
    }
}

impl PartialEq for Process {
    fn eq(&self, other: &Self) -> bool {
        self.pid() == other.pid()
    }
}

impl Eq for Process {}
