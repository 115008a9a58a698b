//! The reference to a dynamic supervisor.

use heights_core::Counts;
use tokio::sync::mpsc;

use super::{Msg, Office};
use crate::admin::{AdminError, ChildInfo, ChildStarted, StartChildError};
use crate::desk::Desk;
use crate::exit::Exit;
use crate::hub::{Hub, TreeSnapshot};
use crate::process::{Process, ProcessId};
use crate::report::Report;
use crate::spec::ChildSpec;

/// A reference to a dynamic supervisor that stays valid when it is restarted.
///
/// Requests wait for their answer without a deadline of their own: what they cause is bounded by
/// the start and shutdown limits of the child. Giving up on one does no harm.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{ChildSpec, DynamicSupervisor, Restart, StartChildError};
///
/// let rooms = DynamicSupervisor::builder("rooms").max_children(2).start().await?;
/// let room = || {
///     let room = ChildSpec::task("room", |cx| async move { Ok(cx.shutdown().await) });
///     room.restart(Restart::Temporary)
/// };
/// let first = rooms.start_child(room()).await?;
/// rooms.start_child(room()).await?;
/// let full = rooms.start_child(room()).await;
/// assert!(matches!(full, Err(StartChildError::MaxChildren)));
///
/// first.process.kill();
/// first.process.gone().await;
/// // Gone is gone: to terminate it is no mistake, and there is room for another.
/// rooms.terminate_child(&first.pid).await?;
/// rooms.start_child(room()).await?;
/// assert_eq!(rooms.count_children().await.active, 2);
/// rooms.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct DynamicRef(pub(super) Desk<Office>);

impl DynamicRef {
    /// Starts a child; the id is a label and may repeat. Children start side by side.
    ///
    /// Returns once it is up; if it does not come up it is forgotten.
    pub async fn start_child(&self, spec: ChildSpec) -> Result<ChildStarted, StartChildError> {
        let answer = self.0.ask(|reply| Msg::StartChild(spec, reply)).await;
        answer.map_err(StartChildError::Supervisor)?
    }

    /// Stops a child and forgets it; a pending restart is cancelled.
    ///
    /// The pid may be of an earlier life of it. A process that is gone is `Ok`; one that belongs to
    /// somebody else is `NotFound`.
    pub async fn terminate_child(&self, pid: &ProcessId) -> Result<(), AdminError> {
        let pid = *pid;
        let answer = self.0.ask(|reply| Msg::TerminateChild(pid, reply)).await;
        answer.map_err(AdminError::Supervisor)?
    }

    /// Returns the whole spec of a child, as it holds for its next start: what was said of it, and
    /// the defaults for the rest.
    ///
    /// What a temporary child was started with is not kept, so it cannot be started by this.
    ///
    /// As with [`terminate_child`](Self::terminate_child), the pid may be of an earlier life.
    pub async fn get_child_spec(&self, pid: &ProcessId) -> Result<ChildSpec, AdminError> {
        let pid = *pid;
        let answer = self.0.ask(|reply| Msg::GetChildSpec(pid, reply)).await;
        answer.map_err(AdminError::Supervisor)?
    }

    /// Lists the children, the oldest first; none if the supervisor does not run.
    pub async fn which_children(&self) -> Vec<ChildInfo> {
        self.0.ask(Msg::WhichChildren).await.unwrap_or_default()
    }

    /// Counts the children; all zero if the supervisor does not run.
    pub async fn count_children(&self) -> Counts {
        self.0.ask(Msg::CountChildren).await.unwrap_or_default()
    }

    /// Stops the supervisor and returns once all children are gone; any number may ask.
    pub async fn stop(&self) -> Exit {
        self.0.stop().await
    }

    /// Returns the reports of this supervisor, from now on and through its restarts.
    pub fn reports(&self) -> mpsc::UnboundedReceiver<Report> {
        self.0.reports()
    }

    /// Takes a picture of the subtree without asking any process; `None` if there is none.
    pub fn tree(&self) -> Option<TreeSnapshot> {
        self.0.tree()
    }

    /// Returns the current life.
    pub fn process(&self) -> Option<Process> {
        self.0.process()
    }

    /// Returns the hub of the tree, while the supervisor runs.
    pub fn hub(&self) -> Option<Hub> {
        self.0.hub()
    }
}
