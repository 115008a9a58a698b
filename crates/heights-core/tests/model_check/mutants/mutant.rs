//! A machine that is wrong on purpose: it mishears or misspeaks.

use std::collections::HashSet;

use heights_core::{
    Action, Answer, ChildPlan, ChildRun, ChildState, ChildView, Event, ExitClass, Machine, Moment,
    Refusal, Strategy,
};

use crate::setups::Setup;
use crate::world::Subject;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// Takes a child that was told to stop for gone at once.
    DoesNotWait,
    /// Counts a coordinated restart once more for the siblings.
    CountsTwice,
    CountsOneTooFew,
    StopsInStartOrder,
    LeavesOneBehind,
    /// A restart that was due goes before the stop that was asked for.
    RestartsAfterStop,
    HonorsOldTimers,
    /// Takes the end of an earlier life for the end of this one.
    HonorsOldEnds,
    IgnoresEndsWhileRestarting,
    RestartsElders,
    TakesEveryEndForACrash,
    KeepsWhatIsOver,
    LosesAnswers,
    /// Allows as many failures of a child as ever, as long as it comes up in between.
    ForgetsFailuresAtStart,
    /// Ends where it should go on without the child that failed too often.
    EndsWithAChild,
    StartsNewChildren,
    StopsWhatHasNoSpec,
    KeepsTheOrder,
    KeepsOldSpecs,
    /// New specs have it forget how often a child failed.
    ForgetsFailures,
    TakesWrongSpecs,
    /// Lets those go on that are bound to a child which is terminated.
    LeavesTheBound,
    /// Starts what a child is bound to where it should refuse to start that child.
    StartsWhatIsMissing,
    BringsNobodyAlong,
    /// A start that fails holds up all those that were to come after it.
    HoldsUpOthers,
}

#[derive(Clone)]
pub struct Mutant {
    fault: Fault,
    machine: Machine,
    /// Who is stopped instead of whom.
    mirror: Vec<(ChildRun, ChildRun)>,
    /// Whether a child is being terminated.
    terminating: bool,
}

impl Mutant {
    pub fn new(fault: Fault, setup: &Setup) -> Self {
        let mut setup = setup.clone();
        match fault {
            Fault::CountsTwice => setup.flags.intensity.restarts /= 2,
            Fault::CountsOneTooFew => setup.flags.intensity.restarts += 1,
            Fault::RestartsElders => setup.strategy = Strategy::OneForAll,
            _ => {}
        }
        Self { fault, machine: setup.machine(), mirror: Vec::new(), terminating: false }
    }

    fn running(&self) -> Vec<ChildRun> {
        let runs = self.machine.children().filter_map(|view| match view.state {
            ChildState::Running(incarnation) => {
                Some(ChildRun { id: view.plan.id.clone(), incarnation })
            }
            _ => None,
        });
        runs.collect()
    }

    /// Returns the event that makes a restart which is waited for happen.
    fn due(&self) -> Option<Event> {
        self.machine.children().find_map(|view| match view.state {
            ChildState::Restarting(ticket) => {
                Some(Event::Retry { id: view.plan.id.clone(), ticket })
            }
            _ => None,
        })
    }

    /// Distorts the specs that the machine is told.
    fn read(&mut self, now: Moment, mut plans: Vec<ChildPlan>) -> Option<Event> {
        match self.fault {
            Fault::KeepsOldSpecs => {
                plans = self.machine.children().map(|view| view.plan.clone()).collect();
            }
            Fault::KeepsTheOrder => {
                let place = |plan: &ChildPlan| {
                    self.machine.children().position(|view| view.plan.id == plan.id)
                };
                plans.sort_by_key(|plan| place(plan).unwrap_or(usize::MAX));
            }
            Fault::ForgetsFailures => self.forget_failures(now, &plans),
            Fault::TakesWrongSpecs => {
                let mut ids = HashSet::new();
                plans.retain(|plan| ids.insert(plan.id.clone()));
            }
            _ => {}
        }
        Some(Event::Reconfigure(plans))
    }

    fn forget_failures(&mut self, now: Moment, plans: &[ChildPlan]) {
        let unlimited = |plan: &ChildPlan| ChildPlan { limit: None, ..plan.clone() };
        self.machine.step(now, Event::Reconfigure(plans.iter().map(unlimited).collect()));
        self.machine.step(now, Event::Reconfigure(plans.to_vec()));
    }

    /// Distorts what follows from new specs.
    fn follow(&mut self, now: Moment, plans: &[ChildPlan]) -> Vec<Action> {
        let view = |view: &ChildView<'_>| match self.fault {
            Fault::StartsNewChildren => view.state == ChildState::Stopped,
            _ => plans.iter().all(|plan| plan.id != view.plan.id),
        };
        let id = self.machine.children().find(view).map(|view| view.plan.id.clone());
        let event = match (self.fault, id) {
            (Fault::StartsNewChildren, Some(id)) => Event::RestartChild(id),
            (Fault::StopsWhatHasNoSpec, Some(id)) => Event::TerminateChild(id),
            _ => return Vec::new(),
        };
        self.machine.step(now, event)
    }

    /// Distorts what the machine is told.
    fn hear(&mut self, now: Moment, event: Event) -> Option<Event> {
        match (self.fault, event) {
            (_, Event::Reconfigure(plans)) => self.read(now, plans),
            (Fault::ForgetsFailuresAtStart, Event::Started(run)) => {
                let plans: Vec<_> = self.machine.children().map(|view| view.plan.clone()).collect();
                self.forget_failures(now, &plans);
                Some(Event::Started(run))
            }
            (Fault::RestartsAfterStop, Event::Stop) => Some(self.due().unwrap_or(Event::Stop)),
            (Fault::HonorsOldTimers, Event::Retry { id, ticket }) => {
                let stopped = self
                    .machine
                    .children()
                    .any(|view| view.plan.id == id && view.state == ChildState::Stopped);
                Some(if stopped { Event::RestartChild(id) } else { Event::Retry { id, ticket } })
            }
            (Fault::HonorsOldEnds, Event::Exited(run, class)) => {
                let current = self.running().into_iter().find(|current| current.id == run.id);
                Some(Event::Exited(current.unwrap_or(run), class))
            }
            (Fault::IgnoresEndsWhileRestarting, Event::Exited(run, class)) => {
                self.due().is_none().then_some(Event::Exited(run, class))
            }
            (Fault::TakesEveryEndForACrash, Event::Exited(run, _)) => {
                Some(Event::Exited(run, ExitClass::Abnormal))
            }
            (Fault::StopsInStartOrder, Event::Stop) => {
                let running = self.running();
                self.mirror = running.iter().cloned().zip(running.iter().rev().cloned()).collect();
                Some(Event::Stop)
            }
            (Fault::StopsInStartOrder, Event::Stopped(run)) => {
                Some(Event::Stopped(self.mirrored(run)))
            }
            (_, event) => Some(event),
        }
    }

    fn leaves(&self, run: &ChildRun) -> bool {
        let is_bound = |plan: &ChildPlan| !plan.binds_to.is_empty();
        self.terminating && self.machine.plan_of(&run.id).is_some_and(is_bound)
    }

    fn mirrored(&self, run: ChildRun) -> ChildRun {
        let other = self.mirror.iter().find(|(one, _)| *one == run);
        other.map_or(run, |(_, other)| other.clone())
    }

    /// Distorts what the machine says.
    fn say(&mut self, now: Moment, stopping: bool, actions: Vec<Action>) -> Vec<Action> {
        let mut said = Vec::new();
        for action in actions {
            let last = said.last();
            let answered = matches!(last, Some(Action::Answer(Answer::Started(_))));
            let failed = matches!(last, Some(Action::Retry { .. }));
            match (self.fault, action) {
                (Fault::BringsNobodyAlong, Action::Start(run)) if answered => {
                    said.extend(self.step(now, Event::Ignored(run)));
                }
                (Fault::HoldsUpOthers, Action::Start(run)) if failed => {
                    said.extend(self.step(now, Event::Ignored(run)));
                }
                (Fault::LeavesTheBound, Action::Stop(run, _)) if self.leaves(&run) => {
                    said.extend(self.step(now, Event::Stopped(run)));
                }
                (
                    Fault::StartsWhatIsMissing,
                    Action::Answer(Answer::Refused(Refusal::DependencyDown(on))),
                ) => said.extend(self.step(now, Event::RestartChild(on))),
                (Fault::DoesNotWait, Action::Stop(run, shutdown)) => {
                    said.push(Action::Stop(run.clone(), shutdown));
                    said.extend(self.step(now, Event::Stopped(run)));
                }
                (Fault::LeavesOneBehind, Action::Stop(run, _)) if stopping => {
                    said.extend(self.step(now, Event::Stopped(run)));
                }
                (Fault::EndsWithAChild, Action::Left(run)) => {
                    said.push(Action::Left(run));
                    said.extend(self.machine.step(now, Event::Stop));
                }
                (Fault::StopsInStartOrder, Action::Stop(run, shutdown)) => {
                    said.push(Action::Stop(self.mirrored(run), shutdown));
                }
                (Fault::KeepsWhatIsOver, Action::Forget(_))
                | (Fault::LosesAnswers, Action::Answer(Answer::Done)) => {}
                (_, action) => said.push(action),
            }
        }
        said
    }
}

impl Subject for Mutant {
    fn step(&mut self, now: Moment, event: Event) -> Vec<Action> {
        let stopping = event == Event::Stop;
        self.terminating = match event {
            Event::Stopped(_) => self.terminating,
            _ => matches!(event, Event::TerminateChild(_)),
        };
        let plans = match &event {
            Event::Reconfigure(plans) => Some(plans.clone()),
            _ => None,
        };
        let Some(event) = self.hear(now, event) else { return Vec::new() };
        let mut actions = self.machine.step(now, event);
        if let Some(plans) = plans {
            actions.extend(self.follow(now, &plans));
        }
        self.say(now, stopping, actions)
    }

    fn machine(&self) -> &Machine {
        &self.machine
    }
}
