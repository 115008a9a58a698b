//! Machines that are wrong on purpose: each breaks one promise, and must be found out.

use heights_core::Restart::{Permanent, Transient};
use heights_core::{
    ChildKey, ChildPlan, DynamicAction, DynamicEvent, DynamicMachine, DynamicRefusal, Moment,
    Verdict,
};

use super::setups::Setup;
use super::world::{Subject, World};
use crate::explore::explore;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    CountsOneTooFew,
    /// Takes in a child too many while another one waits to be restarted.
    CountsWhoRunsOnly,
    /// Refuses a restart as it would refuse a child more.
    RefusesARestart,
    /// Takes the end of a child that was told to stop for an end by itself.
    ForgetsWhomItStops,
    StopsOneAfterTheOther,
    /// Ends as soon as everyone is told to stop.
    DoesNotWait,
    HonorsOldTimers,
    KeepsWhatIsOver,
    /// Says that it was told to stop, whatever the reason.
    MistakesTheReason,
}

#[derive(Clone)]
struct Mutant {
    fault: Fault,
    max_children: usize,
    machine: DynamicMachine,
}

impl Mutant {
    fn new(fault: Fault, setup: &Setup) -> Self {
        let (mut setup, max_children) = (setup.clone(), setup.max_children);
        match fault {
            Fault::CountsOneTooFew => setup.flags.intensity.restarts += 1,
            Fault::CountsWhoRunsOnly => setup.max_children += 1,
            _ => {}
        }
        Self { fault, max_children, machine: setup.machine() }
    }

    /// Distorts what the machine is told.
    fn hear(&self, event: DynamicEvent) -> Option<DynamicEvent> {
        let full = self.machine.counts().specs == self.max_children;
        match (self.fault, event) {
            (Fault::RefusesARestart, DynamicEvent::Retry(..)) if full => None,
            (Fault::ForgetsWhomItStops, DynamicEvent::Terminate(_)) => None,
            (Fault::HonorsOldTimers, DynamicEvent::Retry(key, _)) => {
                Some(DynamicEvent::Retry(key, self.ticket_of(key)))
            }
            (_, event) => Some(event),
        }
    }

    /// Returns the ticket that starts a child again.
    fn ticket_of(&self, key: ChildKey) -> u64 {
        let starts = |ticket: &u64| {
            let mut machine = self.machine.clone();
            !machine.step(Moment::ZERO, DynamicEvent::Retry(key, *ticket)).is_empty()
        };
        (0..100).find(starts).unwrap_or_default()
    }

    /// Distorts what the machine says.
    fn say(&self, event: DynamicEvent, mut actions: Vec<DynamicAction>) -> Vec<DynamicAction> {
        let is_stop = |action: &DynamicAction| matches!(action, DynamicAction::Stop(..));
        match (self.fault, event) {
            (Fault::StopsOneAfterTheOther, DynamicEvent::Stop) => {
                let mut told = false;
                actions.retain(|action| !is_stop(action) || !std::mem::replace(&mut told, true));
            }
            (Fault::DoesNotWait, DynamicEvent::Stop) if actions.iter().any(is_stop) => {
                actions.push(DynamicAction::Exit(Verdict::Stopped));
            }
            (Fault::KeepsWhatIsOver, _) => {
                actions.retain(|action| !matches!(action, DynamicAction::Forget(_)));
            }
            (Fault::MistakesTheReason, _) => {
                for action in &mut actions {
                    if let DynamicAction::Exit(verdict) = action {
                        *verdict = Verdict::Stopped;
                    }
                }
            }
            _ => {}
        }
        actions
    }
}

impl Subject for Mutant {
    fn step(&mut self, now: Moment, event: DynamicEvent) -> Vec<DynamicAction> {
        let actions = self.hear(event).map(|event| self.machine.step(now, event));
        match (self.fault, event) {
            (Fault::ForgetsWhomItStops, DynamicEvent::Terminate(key)) => {
                // It only says what it does not note.
                self.machine.clone().step(now, DynamicEvent::Terminate(key))
            }
            _ => self.say(event, actions.unwrap_or_default()),
        }
    }

    fn start_child(
        &mut self,
        plan: ChildPlan,
    ) -> Result<(ChildKey, DynamicAction), DynamicRefusal> {
        let full = self.machine.counts().active == self.max_children;
        if self.fault == Fault::CountsWhoRunsOnly && full && !self.machine.is_ending() {
            return Err(DynamicRefusal::MaxChildren);
        }
        self.machine.start_child(plan)
    }

    fn machine(&self) -> &DynamicMachine {
        &self.machine
    }
}

#[test]
fn every_mutant_is_found_out() {
    let faults = [
        (Fault::CountsOneTooFew, "Retry"),
        (Fault::CountsWhoRunsOnly, "MaxChildren"),
        (Fault::RefusesARestart, "as it is"),
        (Fault::ForgetsWhomItStops, "it knows"),
        (Fault::StopsOneAfterTheOther, "does not tell"),
        (Fault::DoesNotWait, "Exit(Stopped) of"),
        (Fault::HonorsOldTimers, "old news"),
        (Fault::KeepsWhatIsOver, "does nothing about"),
        (Fault::MistakesTheReason, "Exit(Stopped) of"),
    ];
    for (fault, expected) in faults {
        let setup = Setup::new(&[Permanent, Transient]).at_most(2);
        let broken = explore(World::new(&setup, Mutant::new(fault, &setup))).err();
        let broken = broken.unwrap_or_else(|| panic!("{fault:?} is not found out"));
        let what = broken.lines().next().unwrap_or_default();
        println!("{fault:?}: {what}");
        assert!(what.contains(expected), "{fault:?}: {broken}");
    }
}
