//! What must hold when a supervisor is at rest again.

use std::time::Duration;

use heights_core::{
    Answer, AutoShutdown, ChildId, ChildRun, Event, ExitClass, Incarnation, Refusal, Restart,
    Verdict,
};

use super::{Outcome, Turn};
use crate::world::{Life, Member, Stimulus, Subject};

type Judgment = Result<(), String>;

impl<S: Subject> Turn<S> {
    /// Reckons what the end of a child by itself means for the supervisor.
    pub(super) fn expect_end_of(&mut self, member: &Member, class: ExitClass) {
        if member.plan.restart.restarts_after(class) {
            return self.world.count_failure();
        }
        let alive = |m: &Member| m.plan.significant && m.life != Life::Down;
        let over = match self.world.setup.flags.auto_shutdown {
            AutoShutdown::Never => false,
            AutoShutdown::AnySignificant => member.plan.significant,
            AutoShutdown::AllSignificant => {
                member.plan.significant && !self.world.members.iter().any(alive)
            }
        };
        if over {
            self.world.ending = Some(Verdict::AutoShutdown);
        }
    }

    pub(super) fn forget(&mut self, id: &ChildId) -> Judgment {
        let at = self.world.position(id).ok_or_else(|| format!("forgets {id}, an unknown"))?;
        let member = self.world.members.remove(at);
        let may_go = match &self.stimulus {
            Stimulus::Delete(deleted) => deleted == id,
            Stimulus::Add(added) if added.id == *id => self.troubled,
            _ => member.plan.restart == Restart::Temporary,
        };
        if may_go && member.life == Life::Down {
            // Places have moved.
            self.last_start = None;
            self.last_stop = self.last_stop.map(|last| if last > at { last - 1 } else { last });
            return Ok(());
        }
        Err(format!("forgets {member:?}"))
    }

    pub(super) fn exit(&mut self, verdict: &Verdict) -> Judgment {
        self.world.ended = true;
        let left_behind = self.world.members.iter().find(|m| m.life.running().is_some());
        if let Some(member) = left_behind {
            return Err(format!("leaves {member:?} behind"));
        }
        if self.world.ending.as_ref() != Some(verdict) {
            return Err(format!("ends by {verdict:?}, not by {:?}", self.world.ending));
        }
        Ok(())
    }

    pub(super) fn judge(&self) -> Judgment {
        if self.world.ended != self.world.ending.is_some() {
            return Err(format!("does not end by {:?}", self.world.ending));
        }
        if self.outcome != Some(Outcome::GivenUp) && self.answer != self.expected_answer() {
            return Err(format!("answers {:?}, not {:?}", self.answer, self.expected_answer()));
        }
        if self.left != self.expects_left() {
            return Err("whether the child has left is wrong".to_owned());
        }
        self.nothing_follows_from_old_news()?;
        if self.world.ended {
            return Ok(());
        }
        self.world.compare()?;
        self.judge_restart()?;
        let is_over = |m: &&Member| m.plan.restart == Restart::Temporary && m.life == Life::Down;
        self.world
            .members
            .iter()
            .find(is_over)
            .map_or(Ok(()), |over| Err(format!("keeps {over:?}")))
    }

    /// Whoever shares the fate of the failed child is treated alike, and nobody else is touched.
    fn judge_restart(&self) -> Judgment {
        let (Stimulus::Hear(id, _) | Stimulus::Fire(id)) = &self.stimulus else { return Ok(()) };
        if self.left {
            return Ok(());
        }
        let Some(failed) = self.world.member(id) else { return Ok(()) };
        if failed.life == Life::Down && !self.troubled {
            return Err(format!("{id} is left down"));
        }
        let delayed = matches!(failed.life, Life::Waiting(_));
        let fellows = self.fellows(id);
        for (at, member) in self.world.members.iter().enumerate() {
            let up = matches!(member.life, Life::Up(_));
            let before = self.before.member(&member.plan.id).map(|before| before.life);
            if !fellows.contains(&at) && before != Some(member.life) {
                return Err(format!("touches {member:?}"));
            }
            let waits = matches!(member.life, Life::Waiting(_));
            if fellows.contains(&at) && waits && member.plan.id != *id && !self.troubled {
                return Err(format!("has {member:?} come back by itself"));
            }
            if fellows.contains(&at) && !self.troubled && up == delayed {
                return Err(format!("does not treat {member:?} as {id}"));
            }
        }
        Ok(())
    }

    fn expects_left(&self) -> bool {
        let Stimulus::Hear(id, class) = &self.stimulus else { return false };
        let member = self.before.member(id);
        member.is_some_and(|member| !member.plan.restart.restarts_after(*class))
    }

    fn expected_answer(&self) -> Option<Answer> {
        let life = |id| self.before.member(id).map(|member| member.life);
        let refused = |refusal| Some(Answer::Refused(refusal));
        match &self.stimulus {
            Stimulus::Terminate(id) => match life(id) {
                None => refused(Refusal::NotFound),
                Some(_) => Some(Answer::Done),
            },
            Stimulus::Restart(id) | Stimulus::Delete(id) => match life(id) {
                None => refused(Refusal::NotFound),
                Some(Life::Waiting(_)) => refused(Refusal::Restarting),
                Some(Life::Up(_) | Life::Dead(_)) => refused(Refusal::Running),
                Some(Life::Down) if matches!(self.stimulus, Stimulus::Delete(_)) => {
                    Some(Answer::Done)
                }
                Some(Life::Down) => self.answer_of_start(id),
            },
            Stimulus::Add(plan) => match life(&plan.id) {
                None => self.answer_of_start(&plan.id),
                Some(Life::Up(incarnation) | Life::Dead(incarnation)) => {
                    let run = ChildRun { id: plan.id.clone(), incarnation };
                    refused(Refusal::AlreadyStarted(run))
                }
                Some(Life::Down | Life::Waiting(_)) => refused(Refusal::AlreadyPresent),
            },
            _ => None,
        }
    }

    fn answer_of_start(&self, id: &ChildId) -> Option<Answer> {
        match self.outcome? {
            Outcome::Started => self.started.first().cloned().map(Answer::Started),
            Outcome::Failed => Some(Answer::StartFailed(id.clone())),
            Outcome::Ignored => Some(Answer::Ignored(id.clone())),
            Outcome::GivenUp => None,
        }
    }

    /// Ends of lives that are over and timers that are over change nothing; nor does anything
    /// after the end.
    fn nothing_follows_from_old_news(&self) -> Judgment {
        let mut events = Vec::new();
        for plan in &self.world.setup.plans {
            let life = self.world.member(&plan.id).map(|member| member.life);
            let id = || plan.id.clone();
            for number in self.world.ticket.saturating_sub(2)..=self.world.ticket {
                if self.world.ended || life != Some(Life::Waiting(number)) {
                    events.push(Event::Retry { id: id(), ticket: number });
                }
            }
            let newest = self.world.incarnation.0;
            for incarnation in (newest.saturating_sub(2)..=newest).map(Incarnation) {
                if self.world.ended || life.and_then(Life::running) != Some(incarnation) {
                    let run = ChildRun { id: id(), incarnation };
                    events.push(Event::Exited(run, ExitClass::Abnormal));
                }
            }
        }
        if self.world.ended {
            events.push(Event::Stop);
        }
        let mut subject = self.world.subject.clone();
        for event in events {
            let actions = subject.step(Duration::from_secs(self.world.now), event.clone());
            if !actions.is_empty() {
                return Err(format!("old news, {event:?}, leads to {actions:?}"));
            }
        }
        Ok(())
    }
}
