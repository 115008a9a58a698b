//! What comes too late to matter.

use std::time::Duration;

use heights_core::{ChildRun, Event, ExitClass, Incarnation};

use super::{Life, Subject, World};

impl<S: Subject> World<S> {
    /// Ends of lives that are over and timers that are over change nothing; nor does anything
    /// after the end.
    pub fn nothing_follows_from_old_news(&self) -> Result<(), String> {
        let mut events = Vec::new();
        for plan in self.setup.known() {
            let life = self.member(&plan.id).map(|member| member.life);
            let id = || plan.id.clone();
            for number in self.ticket.saturating_sub(2)..=self.ticket {
                if self.ended || life != Some(Life::Waiting(number)) {
                    events.push(Event::Retry { id: id(), ticket: number });
                }
            }
            let newest = self.incarnation.0;
            for incarnation in (newest.saturating_sub(2)..=newest).map(Incarnation) {
                if self.ended || life.and_then(Life::running) != Some(incarnation) {
                    let run = ChildRun { id: id(), incarnation };
                    events.push(Event::Exited(run, ExitClass::Abnormal));
                }
            }
        }
        if self.ended {
            events.push(Event::Stop);
        }
        let mut subject = self.subject.clone();
        for event in events {
            let actions = subject.step(Duration::from_secs(self.now), event.clone());
            if !actions.is_empty() {
                return Err(format!("old news, {event:?}, leads to {actions:?}"));
            }
        }
        Ok(())
    }
}
