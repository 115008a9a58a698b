//! What a supervisor knows of its children, and what it tells the machine about them.

mod perform;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use heights_core::{
    Answer, ChildId, ChildRun, ChildState, Counts, Event, Incarnation, Machine, SpecError, Verdict,
};
use ractor::ActorRef;
use tokio::time::Instant;

use self::perform::ChildNews;
use super::builder::Config;
use super::run::Msg;
use crate::admin::{ChildInfo, ChildStarted, ChildStatus};
use crate::exit::Exit;
use crate::keeper::{News, Place, StartFailure};
use crate::process::Process;
use crate::report::ReportContext;
use crate::reporter::Voice;
use crate::spec::ChildSpec;
use crate::timer::Alarms;
use crate::zombie::remains_of;

pub(super) struct State {
    myself: ActorRef<Msg>,
    process: Process,
    machine: Machine,
    /// On the heap one by one, as the table is half empty.
    children: HashMap<ChildId, Box<Child>>,
    origin: Instant,
    alarms: Alarms,
    voice: Voice,
    news: Arc<dyn News>,
    arriving: Option<ChildSpec>,
    leaving: Option<(Process, Exit)>,
    failure: Option<StartFailure>,
    /// The children whose references say that they are about to be restarted.
    hopeful: BTreeSet<ChildId>,
    booted: bool,
}

struct Child {
    spec: ChildSpec,
    lives: u32,
    /// Which life it is to the machine.
    incarnation: Incarnation,
    /// The life that runs, or cannot be killed.
    process: Option<Process>,
    /// The life that ended last, which may have left something below it.
    last: Option<Process>,
    /// Where the references to the running life look, if its spec has been replaced since.
    former: Option<Arc<dyn Place>>,
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
        children: Vec<ChildSpec>,
    ) -> Result<Self, SpecError> {
        let plans = children.iter().map(|spec| Arc::clone(&spec.plan));
        let machine =
            Machine::new(config.strategy, config.flags, plans)?.with_seed(process.pid().number());
        let children =
            children.into_iter().map(|spec| (spec.id().clone(), Box::new(Child::new(spec))));
        Ok(Self {
            children: children.collect(),
            news: Arc::new(ChildNews(myself.clone())),
            myself,
            machine,
            origin: Instant::now(),
            alarms: Alarms::default(),
            voice: Voice::new(process.clone(), config.reporter.clone()),
            arriving: None,
            leaving: None,
            failure: None,
            hopeful: BTreeSet::new(),
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
    pub(super) async fn exited(&mut self, gone: &Process, exit: Exit) -> Settled {
        let Some(child) = self.children.get_mut(gone.id()) else { return Settled::default() };
        if child.process.as_ref() != Some(gone) {
            return Settled::default();
        }
        let run = ChildRun { id: gone.id().clone(), incarnation: child.incarnation };
        child.end_life();
        let restarts = child.spec.plan.restart.restarts_after(exit.class());
        self.set_restarting(&run.id, restarts);
        if restarts || exit.is_abnormal() {
            let pid = Some(gone.pid());
            self.voice.complain(ReportContext::ChildTerminated, &run.id, pid, &exit);
        }
        let class = exit.class();
        self.leaving = Some((gone.clone(), exit));
        let mut affected = self.machine.dependants_of(&run.id);
        affected.push(run.id.clone());
        let settled = self.feed(Event::Exited(run, class)).await;
        self.settle_affected(&affected);
        settled
    }

    pub(super) async fn retry(&mut self, id: ChildId, ticket: u64) -> Settled {
        let mut affected = self.machine.dependants_of(&id);
        affected.push(id.clone());
        let settled = self.feed(Event::Retry { id, ticket }).await;
        self.settle_affected(&affected);
        settled
    }

    /// Takes new specs, unless they are wrong; they hold from the next starts on.
    pub(super) async fn reconfigure(&mut self, specs: Vec<ChildSpec>) -> Settled {
        let plans = specs.iter().map(|spec| spec.plan().clone()).collect();
        let settled = self.feed(Event::Reconfigure(plans)).await;
        if settled.answer == Some(Answer::Done) {
            for spec in specs {
                match self.children.get_mut(spec.id()) {
                    Some(child) => child.respec(spec),
                    None => {
                        let child = Box::new(Child::new(spec));
                        self.children.insert(child.spec.id().clone(), child);
                    }
                }
            }
        }
        settled
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

    /// Returns the spec of a child as it holds from its next start on.
    pub(super) fn spec(&self, id: &ChildId) -> Option<ChildSpec> {
        self.children.get(id).map(|child| child.spec.clone())
    }

    pub(super) fn process(&self) -> &Process {
        &self.process
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
}

impl Child {
    fn new(spec: ChildSpec) -> Self {
        Self {
            spec,
            lives: 0,
            incarnation: Incarnation(0),
            process: None,
            last: None,
            former: None,
        }
    }

    /// Takes a new spec, which holds from the next start on.
    fn respec(&mut self, spec: ChildSpec) {
        let before = std::mem::replace(&mut self.spec, spec);
        if Arc::ptr_eq(&before.place, &self.spec.place) {
            return;
        }
        if self.process.is_some() {
            self.former.get_or_insert(before.place);
        } else {
            before.place.set_restarting(false);
        }
    }

    /// Lists what is left of earlier lives and forbids another one.
    fn remains(&self) -> Vec<Process> {
        self.process.iter().chain(&self.last).flat_map(remains_of).collect()
    }

    /// Takes note that the running life is gone.
    fn end_life(&mut self) {
        self.last = self.process.take();
        if let Some(former) = self.former.take() {
            former.set_restarting(false);
        }
    }
}
