//! The reference to a supervisor.

use heights_core::{ChildId, Counts};
use ractor::ActorRef;
use tokio::sync::mpsc;

use super::Msg;
use crate::admin::{AdminError, ChildInfo, ChildStarted, StartChildError};
use crate::exit::Exit;
use crate::hub::{Hub, TreeSnapshot};
use crate::process::Process;
use crate::reply::{CallError, Reply};
use crate::report::Report;
use crate::reporter::Reporter;
use crate::slot::Slot;
use crate::spec::ChildSpec;

/// A reference to a supervisor that stays valid when it is restarted.
///
/// Requests wait for their answer without a deadline of their own: what they cause is bounded by
/// the start and shutdown limits of the children. Giving up on one does no harm.
#[derive(Debug, Clone)]
pub struct SupervisorRef {
    slot: Slot<Running>,
    reporter: Reporter,
}

/// One life of a supervisor.
#[derive(Debug, Clone)]
pub(super) struct Running {
    process: Process,
    actor: ActorRef<Msg>,
}

impl Running {
    pub(super) fn new(process: Process, actor: ActorRef<Msg>) -> Self {
        Self { process, actor }
    }

    async fn ask<R>(&self, message: impl FnOnce(Reply<R>) -> Msg) -> Result<R, CallError> {
        let (reply, answer) = Reply::new();
        self.actor.send_message(message(reply)).map_err(|_refused| CallError::NoProc)?;
        match answer.await {
            Ok(answer) => Ok(answer),
            // A supervisor answers everything it gets to, so it is ending.
            Err(_dropped) => Err(CallError::Down(self.process.gone().await)),
        }
    }
}

impl SupervisorRef {
    pub(super) fn new(slot: Slot<Running>, reporter: Reporter) -> Self {
        Self { slot, reporter }
    }

    /// Adds a child, the youngest, and starts it; if it does not come up its spec is not kept.
    pub async fn start_child(&self, spec: ChildSpec) -> Result<ChildStarted, StartChildError> {
        let answer = self.ask(|reply| Msg::StartChild(spec, reply)).await;
        answer.map_err(StartChildError::Supervisor)?
    }

    /// Stops a child and keeps its spec, unless it is temporary; cancels a pending restart.
    pub async fn terminate_child(&self, id: impl Into<ChildId>) -> Result<(), AdminError> {
        let id = id.into();
        let answer = self.ask(|reply| Msg::TerminateChild(id, reply)).await;
        answer.map_err(AdminError::Supervisor)?
    }

    /// Starts a child that is stopped.
    pub async fn restart_child(&self, id: impl Into<ChildId>) -> Result<ChildStarted, AdminError> {
        let id = id.into();
        let answer = self.ask(|reply| Msg::RestartChild(id, reply)).await;
        answer.map_err(AdminError::Supervisor)?
    }

    /// Drops the spec of a child that is stopped.
    pub async fn delete_child(&self, id: impl Into<ChildId>) -> Result<(), AdminError> {
        let id = id.into();
        let answer = self.ask(|reply| Msg::DeleteChild(id, reply)).await;
        answer.map_err(AdminError::Supervisor)?
    }

    /// Lists the children in start order; none if the supervisor does not run.
    pub async fn which_children(&self) -> Vec<ChildInfo> {
        self.ask(Msg::WhichChildren).await.unwrap_or_default()
    }

    /// Counts the children; all zero if the supervisor does not run.
    pub async fn count_children(&self) -> Counts {
        self.ask(Msg::CountChildren).await.unwrap_or_default()
    }

    /// Stops the supervisor and returns once the whole subtree is gone; any number may ask.
    ///
    /// A supervisor that is itself a child is restarted by its parent if its spec says so.
    pub async fn stop(&self) -> Exit {
        let Some(process) = self.process() else { return Exit::NoProc };
        process.stop();
        process.gone().await
    }

    /// Returns the reports of this supervisor, from now on and through its restarts.
    pub fn reports(&self) -> mpsc::UnboundedReceiver<Report> {
        self.reporter.stream()
    }

    /// Takes a picture of the subtree without asking any process; `None` if there is none.
    pub fn tree(&self) -> Option<TreeSnapshot> {
        self.process().map(|process| process.hub().snapshot().below(process.path()))
    }

    /// Returns the current life.
    pub fn process(&self) -> Option<Process> {
        self.slot.process()
    }

    /// Returns the hub of the tree, while the supervisor runs.
    pub fn hub(&self) -> Option<Hub> {
        self.process().map(|process| process.hub().clone())
    }

    async fn ask<R>(&self, message: impl FnOnce(Reply<R>) -> Msg) -> Result<R, CallError> {
        match self.slot.current() {
            Some(running) => running.ask(message).await,
            None if self.slot.is_restarting() => Err(CallError::Restarting),
            None => Err(CallError::NoProc),
        }
    }
}
