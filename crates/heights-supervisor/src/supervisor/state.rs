//! Performs what the machine decides, and tells it how it went.

use std::collections::HashMap;
use std::time::Duration;

use heights_core::{
    Action, Answer, ChildId, ChildRun, ChildState, Counts, Event, Machine, Shutdown, SpecError,
    Verdict,
};
use ractor::ActorRef;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::builder::Config;
use super::run::Msg;
use crate::admin::{ChildInfo, ChildStarted, ChildStatus};
use crate::exit::Exit;
use crate::keeper::{News, StartFailure, child_path, gone_within, launch_child};
use crate::process::Process;
use crate::report::ReportContext;
use crate::reporter::Voice;
use crate::spec::ChildSpec;
use crate::timer::Alarms;

pub(super) struct State {
    myself: ActorRef<Msg>,
    process: Process,
    machine: Machine,
    children: HashMap<ChildId, Child>,
    origin: Instant,
    alarms: Alarms,
    voice: Voice,
    arriving: Option<ChildSpec>,
    leaving: Option<(Process, Exit)>,
    failure: Option<StartFailure>,
    booted: bool,
}

struct Child {
    spec: ChildSpec,
    lives: u32,
    process: Option<Process>,
}

/// What a series of steps came to.
#[derive(Default)]
pub(super) struct Settled {
    pub(super) answer: Option<Answer>,
    pub(super) verdict: Option<Verdict>,
}

impl State {
    pub(super) fn new(
        myself: ActorRef<Msg>,
        process: Process,
        config: &Config,
    ) -> Result<Self, SpecError> {
        let plans = config.children.iter().map(|spec| spec.plan().clone()).collect();
        let machine = Machine::new(config.strategy, config.intensity, plans)?
            .with_backoff(config.backoff, process.pid().number());
        let children = config.children.iter().map(|spec| (spec.id().clone(), Child::new(spec)));
        Ok(Self {
            children: children.collect(),
            myself,
            machine,
            origin: Instant::now(),
            alarms: Alarms::default(),
            voice: Voice::new(process.clone(), config.reporter.clone()),
            arriving: None,
            leaving: None,
            failure: None,
            booted: false,
            process,
        })
    }

    /// Starts the children; from now on a stop ends what is under way.
    pub(super) async fn boot(&mut self) -> Settled {
        let settled = self.feed(Event::Boot).await;
        self.booted = true;
        settled
    }

    /// Tells the machine what happened and does what it says until there is nothing left to do.
    pub(super) async fn feed(&mut self, event: Event) -> Settled {
        let mut settled = Settled::default();
        let mut next = Some(event);
        while let Some(event) = next.take() {
            for action in self.machine.step(self.origin.elapsed(), event) {
                next = self.perform(action, &mut settled).await;
            }
        }
        self.process.note_restarts(self.machine.window().total());
        settled
    }

    /// Takes in the end of a child, unless it is old news.
    pub(super) async fn exited(&mut self, run: ChildRun, gone: &Process, exit: Exit) -> Settled {
        let Some(child) = self.children.get_mut(&run.id) else { return Settled::default() };
        if child.process.as_ref() != Some(gone) {
            return Settled::default();
        }
        child.process = None;
        let restarts = child.spec.plan.restart.restarts_after(exit.class());
        child.spec.starter.set_restarting(restarts);
        if restarts || exit.is_abnormal() {
            let pid = Some(gone.pid());
            self.voice.complain(ReportContext::ChildTerminated, &run.id, pid, &exit);
        }
        let class = exit.class();
        self.leaving = Some((gone.clone(), exit));
        self.feed(Event::Exited(run, class)).await
    }

    /// Keeps the spec of a child that is about to be added.
    pub(super) fn expect(&mut self, spec: ChildSpec) {
        self.arriving = Some(spec);
    }

    pub(super) fn expect_no_more(&mut self) {
        self.arriving = None;
    }

    pub(super) fn started(&self, id: &ChildId) -> Option<ChildStarted> {
        self.children.get(id)?.process.clone().map(ChildStarted::of)
    }

    /// Returns why the latest start failed.
    pub(super) fn take_failure(&mut self) -> StartFailure {
        self.failure.take().unwrap_or(StartFailure::Stopped)
    }

    pub(super) fn counts(&self) -> Counts {
        self.machine.counts()
    }

    pub(super) fn which_children(&self) -> Vec<ChildInfo> {
        let process = |id: &ChildId| self.children.get(id).and_then(|child| child.process.clone());
        let describe = |view: heights_core::ChildView<'_>| ChildInfo {
            id: view.plan.id.clone(),
            kind: view.plan.kind,
            restart: view.plan.restart,
            status: match view.state {
                ChildState::Stopped => ChildStatus::Stopped,
                ChildState::Restarting(_) => ChildStatus::Restarting,
                ChildState::Starting(_) | ChildState::Stopping(_) => ChildStatus::Changing,
                ChildState::Running(_) => {
                    process(&view.plan.id).map_or(ChildStatus::Changing, ChildStatus::Running)
                }
            },
        };
        self.machine.children().map(describe).collect()
    }

    /// Performs one action; returns what the machine has to be told about it.
    async fn perform(&mut self, action: Action, settled: &mut Settled) -> Option<Event> {
        match action {
            Action::Start(run) => return Some(self.start(run).await),
            Action::Stop(run, shutdown) => return Some(self.stop(run, shutdown).await),
            Action::Retry { id, ticket, after } => self.arm(id, ticket, after),
            Action::Forget(id) => {
                self.children.remove(&id);
            }
            Action::Left(run) => {
                if let Some((process, exit)) = self.leaving.take() {
                    self.voice.left(&run.id, process.pid(), exit);
                }
            }
            Action::Answer(answer) => {
                if answer == Answer::Done {
                    self.settle_down();
                }
                settled.answer = Some(answer);
            }
            Action::Exit(verdict) => {
                self.settle_down();
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
            self.children.insert(run.id.clone(), Child::new(&spec));
        }
        let child = self.children.get_mut(&run.id).ok_or(StartFailure::Stopped)?;
        if let Some(last) = &child.process {
            gone_within(last, Shutdown::Brutal).await.map_err(|_zombie| StartFailure::Zombie)?;
        }
        child.lives += 1;
        let (on_started, mut started) = oneshot::channel();
        let (myself, its_run) = (self.myself.clone(), run.clone());
        let news = News {
            on_started: Box::new(move |outcome| {
                // A supervisor that was killed does not wait any more.
                let _nobody = on_started.send(outcome);
            }),
            on_gone: Box::new(move |process, exit| {
                // A supervisor that is gone has no use for the news.
                let _nobody = myself.send_message(Msg::Exited(its_run, process, exit));
            }),
        };
        let process = launch_child(&child.spec, &self.process, child.lives, news);
        child.process = Some(process.clone());
        let outcome = tokio::select! {
            biased;
            outcome = &mut started => outcome,
            () = self.process.stop_requested() => {
                process.order_shutdown(child.spec.plan.shutdown);
                started.await
            }
        };
        // A keeper that says nothing was cancelled together with its runtime.
        if let Err(failure) = outcome.unwrap_or(Err(StartFailure::Stopped)) {
            child.process = None;
            return Err(failure);
        }
        Ok(process)
    }

    async fn stop(&mut self, run: ChildRun, shutdown: Shutdown) -> Event {
        let process = self.children.get(&run.id).and_then(|child| child.process.clone());
        if let Some(process) = process {
            process.order_shutdown(shutdown);
            // A zombie has been reported; it keeps its place, so nothing is started over it.
            if let Ok(exit) = gone_within(&process, shutdown).await {
                if let Some(child) = self.children.get_mut(&run.id) {
                    child.process = None;
                }
                let killed = matches!(exit, Exit::Killed) && shutdown == Shutdown::Brutal;
                if exit.is_abnormal() && !killed {
                    let pid = Some(process.pid());
                    self.voice.complain(ReportContext::ShutdownError, &run.id, pid, &exit);
                }
            }
        }
        Event::Stopped(run)
    }

    fn arm(&mut self, id: ChildId, ticket: u64, after: Duration) {
        let Some(child) = self.children.get(&id) else { return };
        child.spec.starter.set_restarting(true);
        let path = child_path(&self.process, &id);
        self.process.hub().waits(path, id.clone(), after);
        let myself = self.myself.clone();
        let retry = move || {
            // A supervisor that is gone restarts nobody.
            let _nobody = myself.send_message(Msg::Retry { id, ticket });
        };
        if after.is_zero() { retry() } else { self.alarms.set(after, retry) }
    }

    /// Lets everyone know that children which wait for nothing are not about to be restarted.
    fn settle_down(&mut self) {
        for view in self.machine.children() {
            if view.state == ChildState::Stopped {
                self.process.hub().waits_no_more(&child_path(&self.process, &view.plan.id));
                if let Some(child) = self.children.get(&view.plan.id) {
                    child.spec.starter.set_restarting(false);
                }
            }
        }
    }
}

impl Child {
    fn new(spec: &ChildSpec) -> Self {
        Self { spec: spec.clone(), lives: 0, process: None }
    }
}
