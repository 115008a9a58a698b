//! The reference to a supervisor.

use heights_core::{ChildId, Counts};
use ractor::ActorRef;
use tokio::sync::mpsc;

use super::Msg;
use crate::admin::{AdminError, ChildInfo, ChildStarted, StartChildError};
use crate::desk::Desk;
use crate::exit::Exit;
use crate::hub::{Hub, TreeSnapshot};
use crate::process::Process;
use crate::report::Report;
use crate::spec::ChildSpec;

/// A reference to a supervisor that stays valid when it is restarted.
///
/// Requests wait for their answer without a deadline of their own: what they cause is bounded by
/// the start and shutdown limits of the children. Giving up on one does no harm.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{AdminError, ChildSpec, ChildStatus, StartChildError, Supervisor};
///
/// let worker = |id: &'static str| ChildSpec::task(id, |cx| async move { Ok(cx.shutdown().await) });
/// let root = Supervisor::builder("root").child(worker("a")).start().await?;
/// root.start_child(worker("b")).await?;
/// assert!(matches!(root.start_child(worker("b")).await, Err(StartChildError::AlreadyStarted(_))));
///
/// root.terminate_child("a").await?;
/// assert!(matches!(root.which_children().await[0].status, ChildStatus::Stopped));
/// root.delete_child("a").await?;
/// assert!(matches!(root.restart_child("a").await, Err(AdminError::NotFound)));
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SupervisorRef(pub(super) Desk<ActorRef<Msg>>);

impl SupervisorRef {
    /// Adds a child, the youngest, and starts it; if it does not come up its spec is not kept.
    pub async fn start_child(&self, spec: ChildSpec) -> Result<ChildStarted, StartChildError> {
        let answer = self.0.ask(|reply| Msg::StartChild(Box::new(spec), reply)).await;
        answer.map_err(StartChildError::Supervisor)?
    }

    /// Stops a child and keeps its spec, unless it is temporary; cancels a pending restart.
    pub async fn terminate_child(&self, id: impl Into<ChildId>) -> Result<(), AdminError> {
        let id = id.into();
        let answer = self.0.ask(|reply| Msg::TerminateChild(id, reply)).await;
        answer.map_err(AdminError::Supervisor)?
    }

    /// Starts a child that is stopped.
    pub async fn restart_child(&self, id: impl Into<ChildId>) -> Result<ChildStarted, AdminError> {
        let id = id.into();
        let answer = self.0.ask(|reply| Msg::RestartChild(id, reply)).await;
        answer.map_err(AdminError::Supervisor)?
    }

    /// Drops the spec of a child that is stopped.
    pub async fn delete_child(&self, id: impl Into<ChildId>) -> Result<(), AdminError> {
        let id = id.into();
        let answer = self.0.ask(|reply| Msg::DeleteChild(id, reply)).await;
        answer.map_err(AdminError::Supervisor)?
    }

    /// Takes new specs for the children of this life, in start order; starts and stops nothing.
    ///
    /// A spec that has changed holds from the next start of its child on. Children that are new
    /// are not started; [`restart_child`](Self::restart_child) does that. Those that are missing
    /// go on as the youngest until they are terminated and deleted. Wrong specs change nothing.
    ///
    /// A restarted supervisor begins with the children that it was built with.
    pub async fn reconfigure(&self, specs: Vec<ChildSpec>) -> Result<(), AdminError> {
        let answer = self.0.ask(|reply| Msg::Reconfigure(specs, reply)).await;
        answer.map_err(AdminError::Supervisor)?
    }

    /// Returns the whole spec of a child, as it holds for its next start: what was said of it, and
    /// the defaults for the rest.
    ///
    /// What a temporary child was started with is not kept, so it cannot be started by this.
    pub async fn get_child_spec(&self, id: impl Into<ChildId>) -> Result<ChildSpec, AdminError> {
        let id = id.into();
        let answer = self.0.ask(|reply| Msg::GetChildSpec(id, reply)).await;
        answer.map_err(AdminError::Supervisor)?
    }

    /// Lists the children in start order; none if the supervisor does not run.
    pub async fn which_children(&self) -> Vec<ChildInfo> {
        self.0.ask(Msg::WhichChildren).await.unwrap_or_default()
    }

    /// Counts the children; all zero if the supervisor does not run.
    pub async fn count_children(&self) -> Counts {
        self.0.ask(Msg::CountChildren).await.unwrap_or_default()
    }

    /// Stops the supervisor and returns once the whole subtree is gone; any number may ask.
    ///
    /// A supervisor that is itself a child is restarted by its parent if its spec says so.
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
