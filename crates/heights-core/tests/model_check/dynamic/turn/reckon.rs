//! What has to follow from what happens.

use heights_core::{
    AutoShutdown, ChildKey, DynamicEvent, ExitClass, GiveUp, RestartLimit, Verdict,
};

use super::{Due, Turn};
use crate::dynamic::world::{Child, Life, Stimulus, Subject};
use crate::setups::PERIOD;

impl<S: Subject> Turn<S> {
    /// Changes the world; returns what the supervisor is told about it.
    pub(super) fn begin(&mut self) -> Option<DynamicEvent> {
        match self.stimulus {
            Stimulus::ComeUp(key) => {
                let incarnation = self.life(key)?.incarnation()?;
                self.world.set(key, Life::Up(incarnation));
                Some(DynamicEvent::Started(key, incarnation))
            }
            Stimulus::FailToStart(key) => {
                let child = self.world.child(key)?.clone();
                let again = matches!(child.life, Life::Starting { first: false, .. });
                if again && !child.stopping {
                    self.expect_failure_of(&child);
                } else {
                    self.expect(key, Due::Forget);
                }
                Some(DynamicEvent::StartFailed(key, child.life.incarnation()?))
            }
            Stimulus::FindNothingToDo(key) => {
                let incarnation = self.life(key)?.incarnation()?;
                self.expect(key, Due::Forget);
                Some(DynamicEvent::Ignored(key, incarnation))
            }
            Stimulus::Hear(key, class) => {
                let child = self.world.child(key)?.clone();
                self.expect_end_of(&child, class);
                Some(DynamicEvent::Exited(key, child.life.incarnation()?, class))
            }
            Stimulus::Fire(key) => {
                let Life::Waiting(ticket) = self.life(key)? else { return None };
                Some(DynamicEvent::Retry(key, ticket))
            }
            Stimulus::Terminate(key) => Some(DynamicEvent::Terminate(key)),
            Stimulus::Stop => {
                self.end(Verdict::Stopped);
                Some(DynamicEvent::Stop)
            }
            Stimulus::Tick | Stimulus::Add(_) | Stimulus::Die(_) => None,
        }
    }

    /// The first reason to end is the one that counts.
    fn end(&mut self, verdict: Verdict) {
        self.world.ending.get_or_insert(verdict);
    }

    fn expect(&mut self, key: ChildKey, due: Due) {
        self.world.set(key, Life::Gone);
        self.due = Some((key, due));
    }

    fn expect_end_of(&mut self, child: &Child, class: ExitClass) {
        if child.stopping {
            self.expect(child.key, Due::Forget);
        } else if self.world.plan_of(child).restart.restarts_after(class) {
            self.expect_failure_of(child);
        } else {
            self.expect_departure_of(child);
        }
    }

    /// Counts a failure, against the child's own limit first.
    fn expect_failure_of(&mut self, child: &Child) {
        match self.count_failure(child) {
            None => self.expect(child.key, Due::Retry),
            Some(GiveUp::RemoveChild) => self.expect_departure_of(child),
            Some(GiveUp::Escalate) => {
                self.expect(child.key, Due::Forget);
                self.end(Verdict::ReachedMaxIntensity);
            }
        }
    }

    fn count_failure(&mut self, child: &Child) -> Option<GiveUp> {
        let now = self.world.now;
        let too_many = |failures: &mut Vec<u64>, allowed: u32| {
            failures.push(now);
            failures.retain(|then| now - then <= PERIOD);
            failures.len() > allowed as usize
        };
        let limit = self.world.plan_of(child).limit.as_deref().copied();
        if let (Some(RestartLimit { intensity, then }), Some(child)) =
            (limit, self.world.child_mut(child.key))
            && too_many(&mut child.failures, intensity.restarts)
        {
            return Some(then);
        }
        let allowed = self.world.setup.flags.intensity.restarts;
        too_many(&mut self.world.failures, allowed).then_some(GiveUp::Escalate)
    }

    /// Reckons what it means for the supervisor that a child has ended for good, by itself.
    fn expect_departure_of(&mut self, child: &Child) {
        self.expect(child.key, Due::Forget);
        self.unsaid = Some(child.key);
        // Whoever was told to stop is as good as gone.
        let lives = |other: &&Child| other.key != child.key && !other.stopping;
        let mut others = self.world.children.iter().filter(lives);
        let significant = self.world.plan_of(child).significant;
        let over = match self.world.setup.flags.auto_shutdown {
            AutoShutdown::Never => false,
            AutoShutdown::AnySignificant => significant,
            AutoShutdown::AllSignificant => {
                significant && !others.any(|other| self.world.plan_of(other).significant)
            }
        };
        if over {
            self.end(Verdict::AutoShutdown);
        }
    }
}
