//! The reference to a dynamic supervisor.

use heights_core::Counts;
use ractor::ActorRef;
use tokio::sync::mpsc;

use super::Msg;
use crate::admin::{AdminError, ChildInfo, ChildStarted, StartChildError};
use crate::exit::Exit;
use crate::hub::Hub;
use crate::process::{Process, ProcessId};
use crate::reply::{CallError, Reply};
use crate::report::Report;
use crate::reporter::Reporter;
use crate::slot::Slot;
use crate::spec::ChildSpec;

/// A reference to a dynamic supervisor that stays valid when it is restarted.
///
/// Requests wait for their answer without a deadline of their own: what they cause is bounded by
/// the start and shutdown limits of the child. Giving up on one does no harm.
#[derive(Debug, Clone)]
pub struct DynamicRef {
    slot: Slot<Running>,
    reporter: Reporter,
}

/// One life of a dynamic supervisor.
#[derive(Debug, Clone)]
pub(super) struct Running {
    process: Process,
    actor: ActorRef<Msg>,
}

impl Running {
    pub(super) fn new(process: Process, actor: ActorRef<Msg>) -> Self {
        Self { process, actor }
    }
}

impl DynamicRef {
    pub(super) fn new(slot: Slot<Running>, reporter: Reporter) -> Self {
        Self { slot, reporter }
    }

    /// Starts a child; the id is a label and may repeat. Children start side by side.
    ///
    /// Returns once it is up; if it does not come up it is forgotten.
    pub async fn start_child(&self, spec: ChildSpec) -> Result<ChildStarted, StartChildError> {
        let answer = self.ask(|reply| Msg::StartChild(spec, reply)).await;
        answer.map_err(StartChildError::Supervisor)?
    }

    /// Stops a child and forgets it; a pending restart is cancelled.
    ///
    /// The pid may be of an earlier life of it. A process that is gone is `Ok`; one that belongs to
    /// somebody else is `NotFound`.
    pub async fn terminate_child(&self, pid: &ProcessId) -> Result<(), AdminError> {
        let pid = *pid;
        let answer = self.ask(|reply| Msg::TerminateChild(pid, reply)).await;
        answer.map_err(AdminError::Supervisor)?
    }

    /// Lists the children, the oldest first; none if the supervisor does not run.
    pub async fn which_children(&self) -> Vec<ChildInfo> {
        self.ask(Msg::WhichChildren).await.unwrap_or_default()
    }

    /// Counts the children; all zero if the supervisor does not run.
    pub async fn count_children(&self) -> Counts {
        self.ask(Msg::CountChildren).await.unwrap_or_default()
    }

    /// Stops the supervisor and returns once all children are gone; any number may ask.
    pub async fn stop(&self) -> Exit {
        let Some(process) = self.process() else { return Exit::NoProc };
        process.stop();
        process.gone().await
    }

    /// Returns the reports of this supervisor, from now on and through its restarts.
    pub fn reports(&self) -> mpsc::UnboundedReceiver<Report> {
        self.reporter.stream()
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
        let Some(running) = self.slot.current() else {
            let restarting = self.slot.is_restarting();
            return Err(if restarting { CallError::Restarting } else { CallError::NoProc });
        };
        let (reply, answer) = Reply::new();
        running.actor.send_message(message(reply)).map_err(|_refused| CallError::NoProc)?;
        match answer.await {
            Ok(answer) => Ok(answer),
            // A supervisor answers everything it gets to, so it is ending.
            Err(_dropped) => Err(CallError::Down(running.process.gone().await)),
        }
    }
}
