//! Machines that are wrong on purpose: each breaks one promise, and must be found out.

use heights_core::{
    Action, Answer, ChildRun, ChildState, Event, ExitClass, Machine, Moment, Strategy,
};

use crate::explore::explore;
use crate::setups::Setup;
use crate::world::Subject;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
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
}

#[derive(Clone)]
struct Mutant {
    fault: Fault,
    machine: Machine,
    /// Who is stopped instead of whom.
    mirror: Vec<(ChildRun, ChildRun)>,
}

impl Mutant {
    fn new(fault: Fault, setup: &Setup) -> Self {
        let mut setup = setup.clone();
        match fault {
            Fault::CountsTwice => setup.flags.intensity.restarts /= 2,
            Fault::CountsOneTooFew => setup.flags.intensity.restarts += 1,
            Fault::RestartsElders => setup.strategy = Strategy::OneForAll,
            _ => {}
        }
        Self { fault, machine: setup.machine(), mirror: Vec::new() }
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

    /// Distorts what the machine is told.
    fn hear(&mut self, event: Event) -> Option<Event> {
        match (self.fault, event) {
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

    fn mirrored(&self, run: ChildRun) -> ChildRun {
        let other = self.mirror.iter().find(|(one, _)| *one == run);
        other.map_or(run, |(_, other)| other.clone())
    }

    /// Distorts what the machine says.
    fn say(&mut self, now: Moment, stopping: bool, actions: Vec<Action>) -> Vec<Action> {
        let mut said = Vec::new();
        for action in actions {
            match (self.fault, action) {
                (Fault::DoesNotWait, Action::Stop(run, shutdown)) => {
                    said.push(Action::Stop(run.clone(), shutdown));
                    said.extend(self.step(now, Event::Stopped(run)));
                }
                (Fault::LeavesOneBehind, Action::Stop(run, _)) if stopping => {
                    said.extend(self.step(now, Event::Stopped(run)));
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
        let Some(event) = self.hear(event) else { return Vec::new() };
        let actions = self.machine.step(now, event);
        self.say(now, stopping, actions)
    }

    fn machine(&self) -> &Machine {
        &self.machine
    }
}

/// Each fault, where it shows, and what is said about it.
const FAULTS: [(Fault, Strategy, &str); 13] = {
    use Strategy::{OneForAll, OneForOne, RestForOne};
    [
        (Fault::DoesNotWait, RestForOne, "while something is under way"),
        (Fault::CountsTwice, OneForAll, "ends by ReachedMaxIntensity, not by None"),
        (Fault::CountsOneTooFew, OneForOne, "does not end by Some(ReachedMaxIntensity)"),
        (Fault::StopsInStartOrder, OneForOne, "out of order"),
        (Fault::LeavesOneBehind, OneForOne, "behind"),
        (Fault::RestartsAfterStop, OneForOne, "after the end has begun"),
        (Fault::HonorsOldTimers, OneForOne, "old news"),
        (Fault::HonorsOldEnds, OneForAll, "old news"),
        (Fault::IgnoresEndsWhileRestarting, OneForOne, "it knows"),
        (Fault::RestartsElders, RestForOne, "which does not share that fate"),
        (Fault::TakesEveryEndForACrash, OneForOne, "whether the child has left"),
        (Fault::KeepsWhatIsOver, OneForOne, "it knows"),
        (Fault::LosesAnswers, OneForOne, "answers None, not Some(Done)"),
    ]
};

#[test]
fn every_mutant_is_found_out() {
    for (fault, strategy, expected) in FAULTS {
        let caught = Setup::all_restart_types(strategy)
            .find_map(|setup| explore(&setup, Mutant::new(fault, &setup)).err());
        let violation = caught.unwrap_or_else(|| panic!("{fault:?} is not found out"));
        println!("{fault:?} after {} steps: {}", violation.history.steps().len(), violation.what);
        assert!(violation.what.contains(expected), "{fault:?}: {violation}");
    }
}
