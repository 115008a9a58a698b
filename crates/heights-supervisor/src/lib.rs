//! Supervision trees over `ractor`: processes that fail alone, are stopped in order, and are
//! restarted by rules.
//!
//! - A [`ChildSpec`] says how to start a child: a [`Server`], any plain ractor actor, a future,
//!   or another supervisor.
//! - A [`Supervisor`] starts its children in order and stops them in reverse; when one fails it
//!   restarts it, together with those siblings that its strategy names. A [`DynamicSupervisor`]
//!   has children that come and go, a [`TaskSupervisor`] has futures, and a
//!   [`PartitionSupervisor`] has one child many times over.
//! - A [`Ref`] reaches one life of a server, a [`ChildRef`] the server through all its lives.
//! - A [`Hub`] knows every process of a tree: what it does, how much it has done, how it ended.
//!
//! What is guaranteed: a restarted child starts only when nothing of its old life is left, not
//! its state, not its task, not what it supervised; a stop returns only when the whole subtree is
//! gone; whoever waits for a process that does not yield waits a bounded time.
//!
//! ```
//! use heights_supervisor::{ChildSpec, Context, Fault, Flow, Reply, Server, Supervisor};
//!
//! struct Counter(u64);
//!
//! enum Msg {
//!     Add(u64),
//!     Total(Reply<u64>),
//! }
//!
//! impl Server for Counter {
//!     type Args = u64;
//!     type Msg = Msg;
//!
//!     async fn init(start: u64, _cx: &mut Context<Msg>) -> Result<Self, Fault> {
//!         Ok(Self(start))
//!     }
//!
//!     async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
//!         match msg {
//!             Msg::Add(number) => self.0 += number,
//!             Msg::Total(reply) => reply.send(self.0),
//!         }
//!         Ok(Flow::Continue)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (spec, counter) = ChildSpec::server::<Counter>("counter", || 40);
//! let root = Supervisor::builder("root").child(spec).start().await?;
//! counter.cast(Msg::Add(2))?;
//! assert_eq!(counter.call(Msg::Total).await?, 42);
//! root.stop().await;
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs)]

#[cfg(not(panic = "unwind"))]
compile_error!("supervision catches panics: build with panic = \"unwind\"");

mod exit;
mod panic;
mod process;

mod inspect;
mod last_message;
mod mailbox;
mod queue;
mod recipient;
mod reference;
mod reply;
mod secret;
mod server;
mod timer;

mod plain;
mod spec;
mod task;

mod admin;
mod desk;
mod dynamic;
mod partition;
mod supervisor;
mod task_supervisor;

mod hub;
mod report;
mod zombie;

mod guard;
mod keeper;
mod launch;
mod reporter;
mod slot;
mod thread;

pub use heights_core::{
    AutoShutdown, Backoff, ChildId, ChildKind, ChildPlan, Counts, ExitClass, GiveUp, Intensity,
    Restart, RestartLimit, Shutdown, SpecError, Strategy,
};
pub use heights_registry::{Owner, OwnerEnd};

pub use self::admin::{
    AdminError, ChildInfo, ChildStarted, ChildStatus, StartChildError, StartError,
};
pub use self::dynamic::{
    DynamicBuilder, DynamicRef, DynamicSupervisor, TemplateBuilder, TemplateRef,
};
pub use self::exit::{Exit, Fault, Ignore, ShutdownReason};
pub use self::hub::{
    Crash, ForeignInfo, GroupInfo, Hub, MemberInfo, ProcessInfo, ProcessState, Shape, TreeSnapshot,
    WaitingInfo,
};
pub use self::inspect::{Inspect, Record, Seen, Shown, Sight, StateView, View};
pub use self::keeper::StartFailure;
pub use self::last_message::LastMessage;
pub use self::mailbox::{Mailbox, Overflow, SendError, Sent};
pub use self::panic::PanicInfo;
/// For the crate above, which runs code of others, too.
#[doc(hidden)]
pub use self::panic::shielded;
pub use self::partition::{PartitionBuilder, PartitionRef, PartitionSupervisor};
pub use self::plain::ActorSlot;
pub use self::process::{
    Down, Figures, Handled, MessageCount, MonitorId, Process, ProcessId, Tracer, TracerId, Working,
};
pub use self::recipient::Recipient;
pub use self::reference::{CALL_DEADLINE, ChildRef, Ref};
pub use self::reply::{CallError, NoProc, Reply};
pub use self::report::{LeftReport, ProgressReport, Report, ReportContext, SupervisorReport};
pub use self::secret::Secret;
pub use self::server::{Context, Flow, Server};
pub use self::spec::{ChildSpec, ChildTemplate, check_child_specs};
pub use self::supervisor::{Supervisor, SupervisorBuilder, SupervisorRef};
pub use self::task::TaskContext;
pub use self::task_supervisor::{
    AsyncStream, AsyncStreamError, OnTimeout, StreamExit, StreamFailure, Task, TaskError,
    TaskStream, TaskSupervisor, TaskSupervisorRef,
};
pub use self::thread::{ThreadInfo, threads};
pub use self::timer::TimerId;
pub use self::zombie::{Zombie, ZombiePolicy};
