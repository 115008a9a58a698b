//! What must hold when the supervisor has said what it has to say.

use std::time::Duration;

use heights_core::{ChildKey, ChildKind, Counts, DynamicEvent, ExitClass, Incarnation};

use super::Turn;
use crate::dynamic::world::{Child, Life, Stimulus, Subject, World};

impl<S: Subject> Turn<S> {
    pub(super) fn judge(&self) -> Result<(), String> {
        if self.due.is_some() || self.unsaid.is_some() {
            return Err(format!("does nothing about {:?} and {:?}", self.due, self.unsaid));
        }
        let world = &self.world;
        let ignored = match self.stimulus {
            Stimulus::Fire(key) => world.child(key).filter(|c| matches!(c.life, Life::Waiting(_))),
            Stimulus::Terminate(key) => world.child(key).filter(|child| !child.stopping),
            _ => None,
        };
        if let Some(child) = ignored {
            return Err(format!("leaves {child:?} as it is"));
        }
        let ending = world.subject.machine().is_ending();
        if ending != world.ending.is_some() {
            return Err(format!("ends: {ending}, because of {:?}", world.ending));
        }
        if world.ending.is_some() {
            if let Some(child) = world.children.iter().find(|child| !child.stopping) {
                return Err(format!("does not tell {child:?} to stop"));
            }
            if world.children.is_empty() && !world.ended {
                return Err(format!("does not end by {:?}", world.ending));
            }
        }
        world.compare()
    }
}

impl<S: Subject> World<S> {
    /// Compares what the supervisor takes its children for with what they are.
    fn compare(&self) -> Result<(), String> {
        let machine = self.subject.machine();
        let known: Vec<_> = machine.children().collect();
        let is_active =
            |child: &Child| matches!(child.life, Life::Up(_) | Life::Dead(_)) && !child.stopping;
        let agrees = |child: &Child| {
            let again = match child.life {
                Life::Waiting(_) => true,
                Life::Starting { first, .. } => !first && !child.stopping,
                _ => false,
            };
            known.contains(&(child.key, self.plan_of(child), is_active(child)))
                && machine.is_restarting(child.key) == again
                && machine.is_stopping(child.key) == child.stopping
        };
        let is_supervisor = |child: &&Child| self.plan_of(child).kind == ChildKind::Supervisor;
        let supervisors = self.children.iter().filter(is_supervisor).count();
        let counts = Counts {
            specs: self.children.len(),
            active: self.children.iter().filter(|child| is_active(child)).count(),
            supervisors,
            workers: self.children.len() - supervisors,
        };
        let same = known.len() == self.children.len() && self.children.iter().all(agrees);
        if !same || machine.counts() != counts {
            return Err(format!("it knows {known:?}, but there is {:?}", self.children));
        }
        Ok(())
    }

    /// News of lives and timers that are over, and of children that are forgotten, change nothing;
    /// nor does anything after the end.
    pub(super) fn nothing_follows_from_old_news(&self) -> Result<(), String> {
        let mut subject = self.subject.clone();
        for event in self.old_news() {
            let actions = subject.step(Duration::from_secs(self.now), event);
            if !actions.is_empty() {
                return Err(format!("old news, {event:?}, leads to {actions:?}"));
            }
        }
        Self { subject, ..self.clone() }.compare()
    }

    fn old_news(&self) -> Vec<DynamicEvent> {
        let mut events = Vec::new();
        let newest = self.newest.0;
        for key in (newest.saturating_sub(3)..=newest + 1).map(ChildKey) {
            let life = self.child(key).map(|child| child.life);
            for ticket in self.ticket.saturating_sub(2)..=self.ticket {
                if life != Some(Life::Waiting(ticket)) {
                    events.push(DynamicEvent::Retry(key, ticket));
                }
            }
            let newest = self.incarnation.0;
            for incarnation in (newest.saturating_sub(3)..=newest + 1).map(Incarnation) {
                if life.and_then(Life::incarnation) != Some(incarnation) {
                    events.extend([
                        DynamicEvent::Started(key, incarnation),
                        DynamicEvent::StartFailed(key, incarnation),
                        DynamicEvent::Ignored(key, incarnation),
                        DynamicEvent::Exited(key, incarnation, ExitClass::Abnormal),
                    ]);
                }
            }
            if life.is_none() {
                events.push(DynamicEvent::Terminate(key));
            }
        }
        if self.ending.is_some() {
            events.push(DynamicEvent::Stop);
        }
        events
    }
}
