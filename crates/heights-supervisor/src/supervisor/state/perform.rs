//! Doing what the machine of a supervisor decides.

use std::sync::Arc;
use std::time::Duration;

use heights_core::{
    Action, Answer, ChildId, ChildRun, ChildState, Event, Machine, Shutdown, Verdict,
};
use ractor::ActorRef;

use super::{Child, Settled, State};
use crate::exit::Exit;
use crate::keeper::{News, StartFailure, gone_within};
use crate::launch::launch_child;
use crate::process::Process;
use crate::report::ReportContext;
use crate::supervisor::Msg;

impl State {
    /// Performs one action; returns what the machine has to be told about it.
    pub(super) async fn perform(&mut self, action: Action, settled: &mut Settled) -> Option<Event> {
        match action {
            Action::Start(run) => return Some(self.start(run).await),
            Action::Stop(run, shutdown) => return Some(self.stop(run, shutdown).await),
            Action::Retry { id, ticket, after } => self.arm(id, ticket, after),
            Action::Forget(id) => {
                if let Some(child) = self.children.remove(&id) {
                    child.spec.place.set_restarting(false);
                }
                self.hopeful.remove(&id);
            }
            Action::Left(run) => {
                if let Some((process, exit)) = self.leaving.take() {
                    self.voice.left(&run.id, process.pid(), exit);
                }
            }
            Action::Answer(answer) => {
                if answer == Answer::Done {
                    self.settle_down(Machine::comes_back);
                }
                settled.answer = Some(answer);
            }
            Action::Exit(verdict) => {
                // Nobody does after this.
                self.settle_down(|_, _| false);
                if verdict == Verdict::ReachedMaxIntensity {
                    self.voice.give_up();
                }
                settled.verdict = Some(verdict);
            }
        }
        None
    }

    async fn start(&mut self, run: ChildRun) -> Event {
        let failure = match self.launch(&run).await {
            Ok(process) => {
                self.voice.progress(&process);
                return Event::Started(run);
            }
            Err(failure) => failure,
        };
        if matches!(failure, StartFailure::Ignored) {
            return Event::Ignored(run);
        }
        let exit = failure.to_exit();
        self.failure = Some(failure);
        // Who has been told to stop does not try again, and does not complain.
        if self.booted && self.process.is_stopping() {
            return Event::Stop;
        }
        self.voice.complain(ReportContext::StartError, &run.id, None, &exit);
        Event::StartFailed(run)
    }

    async fn launch(&mut self, run: &ChildRun) -> Result<Process, StartFailure> {
        if let Some(spec) = self.arriving.take_if(|spec| *spec.id() == run.id) {
            self.children.insert(run.id.clone(), Box::new(Child::new(spec)));
        }
        let child = self.children.get_mut(&run.id).ok_or(StartFailure::Stopped)?;
        if !child.remains().is_empty() {
            self.leaving = None;
            return Err(StartFailure::Zombie);
        }
        child.lives += 1;
        child.incarnation = run.incarnation;
        let news = Arc::clone(&self.news);
        let process = launch_child(&child.spec, &self.process, child.lives, news);
        child.process = Some(process.clone());
        let outcome = tokio::select! {
            biased;
            outcome = process.up() => outcome,
            () = self.process.stop_requested() => {
                process.order_shutdown(child.spec.plan.shutdown);
                process.up().await
            }
        };
        if let Err(failure) = outcome {
            child.process = None;
            child.last = Some(process.clone());
            self.leaving = Some((process, failure.to_exit()));
            return Err(failure);
        }
        child.spec.forget_start_if_temporary();
        self.hopeful.remove(&run.id);
        Ok(process)
    }

    async fn stop(&mut self, run: ChildRun, shutdown: Shutdown) -> Event {
        let process = self.children.get(&run.id).and_then(|child| child.process.clone());
        if let Some(process) = process {
            process.order_shutdown(shutdown);
            // A zombie has been reported; it keeps its place, so nothing is started over it.
            if let Ok(exit) = gone_within(&process, shutdown).await {
                if let Some(child) = self.children.get_mut(&run.id) {
                    child.end_life();
                }
                // Unless this is the end of it; then all are told that it is, below.
                self.set_restarting(&run.id, true);
                self.voice.stopped(&run.id, process.pid(), shutdown, &exit);
            }
        }
        Event::Stopped(run)
    }

    fn arm(&mut self, id: ChildId, ticket: u64, after: Duration) {
        self.set_restarting(&id, true);
        let remains = self.children.get(&id).map(|child| child.remains()).unwrap_or_default();
        let path = self.process.path_of(&id);
        self.process.hub().waits(path, id.clone(), after);
        let myself = self.myself.clone();
        let retry = move || {
            // A supervisor that is gone restarts nobody.
            let _nobody = myself.send_message(Msg::Retry { id, ticket });
        };
        self.alarms.set_after(remains, after, retry);
    }

    /// Lets everyone know whether a child is about to be restarted.
    pub(super) fn set_restarting(&mut self, id: &ChildId, soon: bool) {
        let Some(child) = self.children.get(id) else { return };
        child.spec.place.set_restarting(soon);
        if soon {
            self.hopeful.insert(id.clone());
        }
    }

    /// Lets everyone know that children which wait for nothing are not about to be restarted.
    ///
    /// Whether one comes back takes a look at all, so nobody is asked who need not be.
    fn settle_down(&mut self, comes_back: impl Fn(&Machine, &ChildId) -> bool) {
        let machine = &self.machine;
        let stays_down = |id: &ChildId| {
            machine.state_of(id) == Some(ChildState::Stopped) && !comes_back(machine, id)
        };
        let settled: Vec<_> = self.hopeful.extract_if(.., stays_down).collect();
        for id in settled {
            self.give_up_hope(&id);
        }
    }

    /// The same for a child that was to be restarted and for those that went down with it, where
    /// they stay down.
    pub(super) fn settle_affected(&mut self, affected: &[ChildId]) {
        for id in affected {
            let stopped = self.machine.state_of(id) == Some(ChildState::Stopped);
            if stopped && self.hopeful.contains(id) && !self.machine.comes_back(id) {
                self.hopeful.remove(id);
                self.give_up_hope(id);
            }
        }
    }

    fn give_up_hope(&self, id: &ChildId) {
        self.process.hub().waits_no_more(&self.process.path_of(id));
        if let Some(child) = self.children.get(id) {
            child.spec.place.set_restarting(false);
        }
    }
}

/// Tells the supervisor of the end of its children; one that is gone has no use for it.
pub(super) struct ChildNews(pub(super) ActorRef<Msg>);

impl News for ChildNews {
    fn gone(&self, process: &Process, exit: Exit) {
        let _nobody = self.0.send_message(Msg::Exited(process.clone(), exit));
    }
}
