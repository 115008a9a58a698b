//! What has to follow from what happens.

use heights_core::{AutoShutdown, ChildId, ChildRun, Event, ExitClass, GiveUp, Verdict};

use super::{Outcome, Turn};
use crate::world::{Life, Member, Stimulus, Subject};

impl<S: Subject> Turn<S> {
    /// Changes the world; returns what the supervisor is told about it.
    pub(super) fn begin(&mut self) -> Option<Event> {
        match self.stimulus.clone() {
            Stimulus::Tick => {
                self.world.now += 1;
                None
            }
            Stimulus::Die(id) => {
                let life = self.world.member(&id)?.life.running()?;
                self.world.set(&id, Life::Dead(life));
                None
            }
            Stimulus::Hear(id, class) => {
                let member = self.world.member(&id)?.clone();
                let incarnation = member.life.running()?;
                self.world.set(&id, Life::Down);
                let run = ChildRun { id, incarnation };
                self.expect_end_of(&member, &run, class);
                Some(Event::Exited(run, class))
            }
            Stimulus::Fire(id) => {
                let Life::Waiting(ticket) = self.world.member(&id)?.life else { return None };
                self.begin_restart(&id);
                Some(Event::Retry { id, ticket })
            }
            Stimulus::Stop => {
                self.world.ending = Some(Verdict::Stopped);
                self.world.timers_end();
                Some(Event::Stop)
            }
            Stimulus::Boot => Some(Event::Boot),
            Stimulus::Terminate(id) => {
                self.terminate(&id);
                Some(Event::TerminateChild(id))
            }
            Stimulus::Restart(id) => {
                self.start_again(&id);
                Some(Event::RestartChild(id))
            }
            Stimulus::Delete(id) => Some(Event::DeleteChild(id)),
            Stimulus::Add(plan) => {
                if self.world.mistake_of(&plan).is_none() && self.world.missing_to(&plan).is_none()
                {
                    self.world.add(&plan);
                }
                Some(Event::StartChild(plan))
            }
            Stimulus::Reconfigure(list) => {
                let plans = self.world.setup.lists[list].clone();
                if self.mistake(list).is_none() {
                    self.world.reconfigure(list);
                }
                Some(Event::Reconfigure(plans))
            }
        }
    }

    fn terminate(&mut self, id: &ChildId) {
        self.world.unpromise(id);
        self.world.timer_ends(id);
        if self.world.member(id).is_some_and(|member| member.life != Life::Down) {
            self.take_along(id);
        }
    }

    fn start_again(&mut self, id: &ChildId) {
        let startable =
            |m: &Member| m.life == Life::Down && self.world.missing_to(&m.plan).is_none();
        if self.world.member(id).is_some_and(startable) {
            self.world.unpromise(id);
        }
    }

    pub(super) fn conclude(&mut self, run: &ChildRun, outcome: Outcome) -> Event {
        if self.outcome.is_none() || outcome == Outcome::GivenUp {
            self.outcome = Some(outcome);
        }
        self.troubled |= outcome != Outcome::Started;
        match outcome {
            Outcome::Started => {
                self.world.set(&run.id, Life::Up(run.incarnation));
                Event::Started(run.clone())
            }
            Outcome::Ignored => Event::Ignored(run.clone()),
            Outcome::GivenUp => {
                self.world.ending = Some(Verdict::Stopped);
                self.world.timers_end();
                Event::Stop
            }
            Outcome::Failed => {
                self.last_start = None;
                match &self.stimulus {
                    Stimulus::Boot => {
                        self.world.ending = Some(Verdict::StartFailed(run.id.clone()));
                    }
                    Stimulus::Hear(..) | Stimulus::Fire(_) => self.expect_failure_of(run),
                    Stimulus::Restart(id) if *id != run.id => {
                        self.expect_failure_of(run);
                        self.fellows = self.world.fellows(&run.id);
                    }
                    _ => {}
                }
                Event::StartFailed(run.clone())
            }
        }
    }

    /// Reckons what the end of a child by itself means.
    fn expect_end_of(&mut self, member: &Member, run: &ChildRun, class: ExitClass) {
        if !member.plan.restart.restarts_after(class) {
            return self.expect_departure_of(run);
        }
        self.expect_failure_of(run);
        if self.left.is_empty() {
            self.begin_restart(&run.id);
        }
    }

    /// Reckons what one more failure of a child means for it and for the supervisor.
    fn expect_failure_of(&mut self, run: &ChildRun) {
        if self.world.count_failure(&run.id) == Some(GiveUp::RemoveChild) {
            self.expect_departure_of(run);
        }
    }

    /// Reckons what it means for the supervisor that a child has ended for good.
    fn expect_departure_of(&mut self, run: &ChildRun) {
        self.left.push(run.clone());
        self.unsaid.push(run.clone());
        self.take_along(&run.id);
        let Some(at) = self.world.position(&run.id) else { return };
        // Whoever is stopped only to be started again has not ended.
        let is_to_start =
            |place: usize, member: &Member| place > at && self.fellows.contains(&member.plan.id);
        let stays = |place: usize, m: &Member| place != at && !self.along.contains(&m.plan.id);
        let mut others = self.world.members.iter().enumerate().filter(|(at, m)| stays(*at, m));
        let others_live = others.any(|(place, member)| {
            member.plan.significant && (member.life != Life::Down || is_to_start(place, member))
        });
        let significant = self.world.members[at].plan.significant;
        let over = match self.world.setup.flags.auto_shutdown {
            AutoShutdown::Never => false,
            AutoShutdown::AnySignificant => significant,
            AutoShutdown::AllSignificant => significant && !others_live,
        };
        if over {
            self.world.ending = Some(Verdict::AutoShutdown);
        }
    }

    /// Whoever shares the fate of another comes back together with it, not by its own timer.
    fn begin_restart(&mut self, id: &ChildId) {
        self.fellows = self.world.fellows(id);
        self.promised = self.world.redeem_promises(&self.fellows);
        for fellow in &self.fellows {
            self.world.timer_ends(fellow);
        }
        self.fellows.extend(self.promised.iter().cloned());
    }

    /// Whoever is bound to a child that goes for good goes along, and does not come back by itself.
    fn take_along(&mut self, id: &ChildId) {
        let along = self.world.dependants(id);
        for one in &along {
            self.world.timer_ends(one);
        }
        self.along.extend(along);
    }
}
