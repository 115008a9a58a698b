//! Where supervisors are described and asked: what all kinds of them share.

#[cfg(test)]
mod tests;

use std::time::Duration;

use heights_core::{AutoShutdown, Backoff, ChildId, ChildPlan, Flags, Intensity, Strategy};
use ractor::{ActorRef, SupervisionEvent};
use tokio::sync::mpsc;

use crate::admin::StartError;
use crate::exit::Exit;
use crate::guard::{Behavior, Egg};
use crate::hub::{Hub, Shape, TreeSnapshot};
use crate::launch::start_root;
use crate::panic::shielded;
use crate::process::Process;
use crate::recipient::Recipient;
use crate::reply::{CallError, NoProc, Reply};
use crate::report::Report;
use crate::reporter::Reporter;
use crate::slot::Slot;
use crate::spec::ChildSpec;

/// What every description of a supervisor says.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) name: ChildId,
    pub(crate) flags: Flags,
    pub(crate) reporter: Reporter,
    pub(crate) hub: Hub,
}

impl Profile {
    pub(crate) fn new(name: ChildId) -> Self {
        let (flags, reporter, hub) = (Flags::default(), Reporter::default(), Hub::new());
        Self { name, flags, reporter, hub }
    }

    pub(crate) fn set_intensity(&mut self, restarts: u32, period: Duration) {
        self.flags.intensity = Intensity::new(restarts, period);
    }

    pub(crate) fn set_auto_shutdown(&mut self, auto_shutdown: AutoShutdown) {
        self.flags.auto_shutdown = auto_shutdown;
    }

    pub(crate) fn set_backoff(&mut self, backoff: Backoff) {
        self.flags.backoff = Some(backoff);
    }

    pub(crate) fn tell(&mut self, recipient: Recipient<Report>) {
        self.reporter.add(recipient);
    }

    /// Makes a child spec of a supervisor, and the desk where all its lives are asked.
    ///
    /// `make` is called for each life, which is asked where the function that it returns says.
    pub(crate) fn open<B: Behavior, I: Inbox, F>(
        self,
        strategy: Option<Strategy>,
        make: impl Fn() -> (B, B::Args, F) + Send + Sync + 'static,
    ) -> (ChildSpec, Desk<I>)
    where
        F: FnOnce(ActorRef<B::Msg>) -> I + Send + 'static,
    {
        let slot = Slot::new();
        let desk = Desk { slot: slot.clone(), reporter: self.reporter };
        let place = slot.clone();
        let lay = move || {
            let (behavior, args, inbox_of) = make();
            let slot = slot.clone();
            let occupy = move |process: &Process, actor| {
                let clerk = Clerk { process: process.clone(), inbox: inbox_of(actor) };
                slot.occupy(process.clone(), clerk);
            };
            Egg { behavior, args, occupy: Box::new(occupy) }
        };
        let plan = ChildPlan::supervisor(self.name);
        let mut spec = ChildSpec::new(plan, lay, place);
        let Flags { intensity, auto_shutdown, .. } = self.flags;
        let shape = Shape { strategy, intensity, auto_shutdown, restarts_used: 0 };
        spec.shape = Some(Box::new(shape));
        (spec, desk)
    }
}

/// Takes note of a message that no supervisor expects, and goes on: keepers bring the news of
/// children, so ractor's own events come only from actors that linked themselves.
pub(crate) fn ignore(supervisor: &Process, event: &SupervisionEvent) {
    let path = supervisor.path();
    let logging = || tracing::warn!(path, %event, "ignored an event that nobody asked for");
    shielded("the log", logging);
}

/// Starts a supervisor that has no supervisor of its own.
pub(crate) async fn start(spec: &ChildSpec, hub: Hub) -> Result<Process, StartError> {
    spec.plan().check(AutoShutdown::Never)?;
    start_root(spec, hub).await.map_err(StartError::unpack)
}

/// Where one life of a supervisor takes its messages.
pub(crate) trait Inbox: Clone + Send + Sync + 'static {
    type Msg;

    fn deliver(&self, message: Self::Msg) -> Result<(), NoProc>;
}

impl<M: Send + 'static> Inbox for ActorRef<M> {
    type Msg = M;

    fn deliver(&self, message: M) -> Result<(), NoProc> {
        self.send_message(message).map_err(|_refused| NoProc)
    }
}

/// A reference to a supervisor that stays valid when it is restarted.
#[derive(Clone)]
pub(crate) struct Desk<I> {
    slot: Slot<Clerk<I>>,
    reporter: Reporter,
}

/// One life of a supervisor.
#[derive(Clone)]
struct Clerk<I> {
    process: Process,
    inbox: I,
}

impl<I: Inbox> Desk<I> {
    /// Asks the current life; there is no deadline but its end.
    pub(crate) async fn ask<R>(
        &self,
        message: impl FnOnce(Reply<R>) -> I::Msg,
    ) -> Result<R, CallError> {
        let Some(clerk) = self.slot.current() else { return Err(self.absence()) };
        let (reply, answer) = Reply::new();
        clerk.inbox.deliver(message(reply)).map_err(|NoProc| CallError::NoProc)?;
        match answer.await {
            Ok(answer) => Ok(answer),
            // A supervisor answers everything it gets to, so it is ending.
            Err(_dropped) => Err(CallError::Down(clerk.process.gone().await)),
        }
    }

    /// Says why there is nobody to ask.
    pub(crate) fn absence(&self) -> CallError {
        if self.slot.is_restarting() { CallError::Restarting } else { CallError::NoProc }
    }

    pub(crate) async fn stop(&self) -> Exit {
        let Some(process) = self.process() else { return Exit::NoProc };
        process.stop();
        process.gone().await
    }

    pub(crate) fn reports(&self) -> mpsc::UnboundedReceiver<Report> {
        self.reporter.stream()
    }

    pub(crate) fn process(&self) -> Option<Process> {
        self.slot.process()
    }

    pub(crate) fn hub(&self) -> Option<Hub> {
        self.process().map(|process| process.hub().clone())
    }

    pub(crate) fn tree(&self) -> Option<TreeSnapshot> {
        self.process().map(|process| process.hub().snapshot().below(process.path()))
    }
}

impl<I> std::fmt::Debug for Desk<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Desk({:?})", self.slot)
    }
}
