//! What must hold when a supervisor is at rest again.

use heights_core::{Answer, ChildId, ChildRun, Refusal, Restart, Strategy, Verdict};

use super::{Outcome, Turn};
use crate::world::{Life, Member, Stimulus, Subject};

type Judgment = Result<(), String>;

impl<S: Subject> Turn<S> {
    pub(super) fn forget(&mut self, id: &ChildId) -> Judgment {
        let at = self.world.position(id).ok_or_else(|| format!("forgets {id}, an unknown"))?;
        let member = self.world.members.remove(at);
        let may_go = match &self.stimulus {
            Stimulus::Delete(deleted) => deleted == id,
            Stimulus::Add(added) if added.id == *id => self.troubled,
            _ => {
                member.plan.restart == Restart::Temporary
                    || self.left.iter().any(|run| run.id == *id)
            }
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
        if !self.unsaid.is_empty() {
            return Err(format!("does not say that {:?} left", self.unsaid));
        }
        if self.world.ended {
            return Ok(());
        }
        self.world.compare()?;
        self.judge_restart()?;
        self.judge_bonds()?;
        self.nobody_outstays()
    }

    /// Nobody runs without what it is bound to, and a child that is started by request brings those
    /// along that are bound to it.
    fn judge_bonds(&self) -> Judgment {
        let world = &self.world;
        let is_down = |member: &&Member| member.life == Life::Down;
        for member in &world.members {
            let id = &member.plan.id;
            if member.life.running().is_some()
                && let Some(missing) = world.missing_to(&member.plan)
                && !member.excused
            {
                return Err(format!("has {id} run without {missing}"));
            }
            if self.along.contains(id) && member.life != Life::Down {
                return Err(format!("does not take {member:?} along"));
            }
        }
        let comes = match &self.stimulus {
            Stimulus::Restart(id) if !self.started.is_empty() => world.dependants(id),
            Stimulus::Boot => world.members.iter().map(|member| member.plan.id.clone()).collect(),
            _ => Vec::new(),
        };
        let mut members = comes.iter().filter_map(|id| world.member(id)).filter(is_down);
        let left_out = members.find(|member| world.missing_to(&member.plan).is_none());
        match left_out {
            Some(member) if !self.troubled => Err(format!("does not bring {member:?} along")),
            _ => Ok(()),
        }
    }

    /// A temporary child is forgotten when it ends or is terminated: it may only be down if it has
    /// not run since it is one.
    fn nobody_outstays(&self) -> Judgment {
        let is_new = |id: &ChildId| match &self.stimulus {
            Stimulus::Reconfigure(_) => true,
            Stimulus::Terminate(terminated) if terminated == id => false,
            _ => self.before.member(id).is_some_and(|before| before.life.running().is_none()),
        };
        let is_over = |m: &&Member| {
            m.plan.restart == Restart::Temporary && m.life == Life::Down && !is_new(&m.plan.id)
        };
        let over = self.world.members.iter().find(is_over);
        over.map_or(Ok(()), |over| Err(format!("keeps {over:?}")))
    }

    /// Whoever shares the fate of the failed child is treated alike, and nobody else is touched.
    fn judge_restart(&self) -> Judgment {
        let (Stimulus::Hear(id, _) | Stimulus::Fire(id)) = &self.stimulus else { return Ok(()) };
        let failed = self.world.member(id);
        let restarts = !self.fellows.is_empty() && !self.troubled;
        let is_lost = |failed: &Member| {
            failed.life == Life::Down && self.world.missing_to(&failed.plan).is_none()
        };
        if restarts && failed.is_none_or(is_lost) {
            return Err(format!("{id} is left down"));
        }
        let delayed = failed.is_some_and(|failed| matches!(failed.life, Life::Waiting(_)));
        for member in &self.world.members {
            if self.along.contains(&member.plan.id) {
                continue;
            }
            let shares = self.fellows.contains(&member.plan.id);
            let before = self.before.member(&member.plan.id).map(|before| before.life);
            if !shares && member.plan.id != *id && before != Some(member.life) {
                return Err(format!("touches {member:?}"));
            }
            let waits = matches!(member.life, Life::Waiting(_));
            if shares && restarts && waits && member.plan.id != *id {
                return Err(format!("has {member:?} come back by itself"));
            }
            let up = matches!(member.life, Life::Up(_));
            let startable = up || self.world.missing_to(&member.plan).is_none();
            if shares && restarts && startable && up == delayed {
                return Err(format!("does not treat {member:?} as {id}"));
            }
            // A start that fails holds up only those that are bound to that child.
            let tried = self.started.iter().any(|run| run.id == member.plan.id);
            let alone = self.world.setup.strategy == Strategy::OneForOne && !delayed;
            if alone && shares && startable && !tried && self.troubled {
                return Err(format!("holds up {member:?}"));
            }
        }
        Ok(())
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
                Some(Life::Down) => match self.missing_before(id) {
                    Some(on) => refused(Refusal::DependencyDown(on)),
                    None => self.answer_of_start(id),
                },
            },
            Stimulus::Add(plan) => match life(&plan.id) {
                None => {
                    let mistake = self.before.mistake_of(plan).map(Refusal::Invalid);
                    let missing = || self.before.missing_to(plan).map(Refusal::DependencyDown);
                    let refusal = mistake.or_else(missing).map(Answer::Refused);
                    refusal.or_else(|| self.answer_of_start(&plan.id))
                }
                Some(Life::Up(incarnation) | Life::Dead(incarnation)) => {
                    let run = ChildRun { id: plan.id.clone(), incarnation };
                    refused(Refusal::AlreadyStarted(run))
                }
                Some(Life::Down | Life::Waiting(_)) => refused(Refusal::AlreadyPresent),
            },
            Stimulus::Reconfigure(list) => match self.mistake(*list) {
                Some(mistake) => refused(Refusal::Invalid(mistake)),
                None => Some(Answer::Done),
            },
            _ => None,
        }
    }

    fn missing_before(&self, id: &ChildId) -> Option<ChildId> {
        self.before.missing_to(&self.before.member(id)?.plan)
    }

    fn answer_of_start(&self, id: &ChildId) -> Option<Answer> {
        match self.outcome? {
            Outcome::Started => self.started.first().cloned().map(Answer::Started),
            Outcome::Failed => Some(Answer::StartFailed(id.clone())),
            Outcome::Ignored => Some(Answer::Ignored(id.clone())),
            Outcome::GivenUp => None,
        }
    }
}
