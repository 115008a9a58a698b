//! What supervisors answer to those who ask about or change their children.

use std::sync::Arc;

use heights_core::{ChildId, ChildKind, DynamicRefusal, Restart, SpecError};

use crate::exit::Exit;
use crate::keeper::StartFailure;
use crate::process::{Process, ProcessId};
use crate::reply::CallError;

/// A child that was started.
#[derive(Debug, Clone)]
pub struct ChildStarted {
    /// This life of it.
    pub pid: ProcessId,
    /// The process: to monitor it, to register names for it, to wait for its end.
    pub process: Process,
}

impl ChildStarted {
    pub(crate) fn of(process: Process) -> Self {
        Self { pid: process.pid(), process }
    }

    /// Returns what the child wanted whoever started it to know, if it is of this type.
    ///
    /// A server says it by [`Context::inform_starter`](crate::Context::inform_starter); the
    /// supervisor takes no notice of it.
    pub fn info<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.process.start_info()?.downcast().ok()
    }
}

/// A child as its supervisor sees it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{AdminError, ChildSpec, ChildStatus, Supervisor};
///
/// let idle = ChildSpec::task("idle", |cx| async move { Ok(cx.shutdown().await) });
/// let root = Supervisor::builder("root").child(idle).start().await?;
/// assert!(matches!(root.which_children().await[0].status, ChildStatus::Running(_)));
/// assert!(matches!(root.delete_child("idle").await, Err(AdminError::Running)));
///
/// root.terminate_child("idle").await?;
/// assert_eq!(root.which_children().await[0].status, ChildStatus::Stopped);
/// root.delete_child("idle").await?;
/// assert!(root.which_children().await.is_empty());
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ChildInfo {
    /// Its id.
    pub id: ChildId,
    /// What it is.
    pub kind: ChildKind,
    /// When it is restarted.
    pub restart: Restart,
    /// What it is doing.
    pub status: ChildStatus,
}

/// What a child is doing, as its supervisor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChildStatus {
    /// It is up.
    Running(Process),
    /// It failed and is about to be started again.
    Restarting,
    /// It is not up, and nobody is about to start it.
    Stopped,
    /// It is being started or stopped.
    Changing,
}

impl ChildInfo {
    /// Returns the current life, if there is one.
    pub fn process(&self) -> Option<&Process> {
        match &self.status {
            ChildStatus::Running(process) => Some(process),
            ChildStatus::Restarting | ChildStatus::Stopped | ChildStatus::Changing => None,
        }
    }
}

/// Why a supervisor did not start.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{ChildSpec, Context, Fault, Flow, Server, StartError, Supervisor};
///
/// struct Database;
///
/// impl Server for Database {
///     type Args = ();
///     type Msg = ();
///
///     async fn init((): (), _cx: &mut Context<()>) -> Result<Self, Fault> {
///         Err("the disk is full".into())
///     }
/// #   async fn handle(&mut self, (): (), _cx: &mut Context<()>) -> Result<Flow, Fault> {
/// #       Ok(Flow::Continue)
/// #   }
/// }
///
/// let (database, _) = ChildSpec::server::<Database>("database", || ());
/// let error = Supervisor::builder("shop").child(database).start().await.unwrap_err();
/// assert!(matches!(&error, StartError::Child { id, .. } if id.as_str() == "database"));
/// assert_eq!(error.to_string(), "child database did not start: error: the disk is full");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, thiserror::Error)]
pub enum StartError {
    /// A child did not come up; those before it have been stopped again.
    #[error("child {id} did not start: {cause}")]
    Child {
        /// Which child.
        id: ChildId,
        /// Why.
        cause: StartFailure,
    },
    /// The specs are wrong.
    #[error(transparent)]
    Invalid(#[from] SpecError),
    /// Its `init` found nothing to supervise; nothing runs, and nothing went wrong.
    #[error("nothing to supervise")]
    Ignored,
    /// The supervisor itself did not come up.
    #[error("{0}")]
    Itself(StartFailure),
}

impl StartError {
    /// Unpacks why a supervisor process did not come up.
    pub(crate) fn unpack(failure: StartFailure) -> Self {
        match &failure {
            StartFailure::Ignored => Self::Ignored,
            StartFailure::Exit(Exit::Error(error)) => match error.downcast_ref::<Self>() {
                Some(own) => own.clone(),
                None => Self::Itself(failure),
            },
            _ => Self::Itself(failure),
        }
    }
}

/// Why a child was not started.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{ChildSpec, StartChildError, Supervisor};
///
/// let idle = || ChildSpec::task("idle", |cx| async move { Ok(cx.shutdown().await) });
/// let root = Supervisor::builder("root").child(idle()).start().await?;
/// // Who only wants it to run is content with the one that does.
/// let running = match root.start_child(idle()).await {
///     Ok(started) | Err(StartChildError::AlreadyStarted(started)) => started,
///     Err(other) => return Err(other.into()),
/// };
/// assert_eq!(running.process.path(), "root/idle");
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, thiserror::Error)]
pub enum StartChildError {
    /// A child with this id runs already.
    #[error("already started as {}", .0.pid)]
    AlreadyStarted(ChildStarted),
    /// A child with this id is known but does not run.
    #[error("already present")]
    AlreadyPresent,
    /// It found nothing to do; its spec is kept, unless it is temporary or dynamic.
    #[error("the child found nothing to do")]
    Ignored,
    /// There are as many children as there may be.
    #[error("max children: the supervisor has all that it may have")]
    MaxChildren,
    /// It is bound to this child, which does not run.
    #[error("child {0} does not run")]
    DependencyDown(ChildId),
    /// The spec is wrong.
    #[error(transparent)]
    Invalid(SpecError),
    /// It did not come up; its spec is not kept.
    #[error("child {id} did not start: {cause}")]
    Failed {
        /// Which child.
        id: ChildId,
        /// Why.
        cause: StartFailure,
    },
    /// The supervisor could not be asked.
    #[error(transparent)]
    Supervisor(CallError),
}

impl From<DynamicRefusal> for StartChildError {
    fn from(refusal: DynamicRefusal) -> Self {
        match refusal {
            DynamicRefusal::MaxChildren => Self::MaxChildren,
            DynamicRefusal::Invalid(error) => Self::Invalid(error),
            DynamicRefusal::Ending => Self::Supervisor(CallError::NoProc),
        }
    }
}

/// Why something could not be done with a child.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{AdminError, ChildSpec, Supervisor};
///
/// let idle = ChildSpec::task("idle", |cx| async move { Ok(cx.shutdown().await) });
/// let root = Supervisor::builder("root").child(idle).start().await?;
/// assert!(matches!(root.delete_child("idle").await, Err(AdminError::Running)));
/// assert!(matches!(root.terminate_child("idel").await, Err(AdminError::NotFound)));
/// root.terminate_child("idle").await?;
/// root.delete_child("idle").await?;
/// assert!(matches!(root.restart_child("idle").await, Err(AdminError::NotFound)));
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, thiserror::Error)]
pub enum AdminError {
    /// There is no such child.
    #[error("child not found")]
    NotFound,
    /// The child runs.
    #[error("the child is running")]
    Running,
    /// The child is being restarted.
    #[error("the child is restarting")]
    Restarting,
    /// The child is bound to this one, which does not run.
    #[error("child {0} does not run")]
    DependencyDown(ChildId),
    /// The child found nothing to do; its spec is kept.
    #[error("the child found nothing to do")]
    Ignored,
    /// The specs are wrong; nothing has changed.
    #[error(transparent)]
    Invalid(SpecError),
    /// The child did not come up; its spec is kept.
    #[error("the child did not start: {0}")]
    Failed(StartFailure),
    /// The supervisor could not be asked.
    #[error(transparent)]
    Supervisor(CallError),
}
