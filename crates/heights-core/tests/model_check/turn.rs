//! One thing that happens, and all that can follow from it until the supervisor is at rest.

mod judge;
mod order;

use heights_core::{Action, Answer, ChildId, ChildRun, Event, Strategy, Verdict};

use crate::history::History;
use crate::world::{Life, Stimulus, Subject, World};

/// How a start goes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    Started,
    Failed,
    Ignored,
    /// The supervisor is told to stop meanwhile, and the start is given up.
    GivenUp,
}

#[derive(Clone)]
struct Turn<S> {
    world: World<S>,
    before: World<S>,
    stimulus: Stimulus,
    /// Where in the list the last start or stop was, for their order.
    last_start: Option<usize>,
    last_stop: Option<usize>,
    started: Vec<ChildRun>,
    outcome: Option<Outcome>,
    troubled: bool,
    left: bool,
    answer: Option<Answer>,
}

/// What the supervisor waits for.
enum Pending {
    Start(ChildRun),
    Stop(ChildRun),
}

/// A broken promise, and the way to it.
pub type Broken = (String, History);

/// Returns every world that can come of this.
pub fn turns<S: Subject>(world: &World<S>, stimulus: &Stimulus) -> Result<Vec<World<S>>, Broken> {
    let mut turn = Turn {
        world: world.clone(),
        before: world.clone(),
        stimulus: stimulus.clone(),
        last_start: None,
        last_stop: None,
        started: Vec::new(),
        outcome: None,
        troubled: false,
        left: false,
        answer: None,
    };
    let mut ends = Vec::new();
    match turn.begin() {
        None => ends.push(turn.world),
        Some(event) => turn.run(event, &mut ends)?,
    }
    Ok(ends)
}

impl<S: Subject> Turn<S> {
    /// Changes the world; returns what the supervisor is told about it.
    fn begin(&mut self) -> Option<Event> {
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
                self.expect_end_of(&member, class);
                if member.plan.restart.restarts_after(class) {
                    self.timers_of_fellows_end(&id);
                }
                Some(Event::Exited(ChildRun { id, incarnation }, class))
            }
            Stimulus::Fire(id) => {
                let Life::Waiting(ticket) = self.world.member(&id)?.life else { return None };
                self.timers_of_fellows_end(&id);
                Some(Event::Retry { id, ticket })
            }
            Stimulus::Stop => {
                self.world.ending = Some(Verdict::Stopped);
                self.world.timers_end();
                Some(Event::Stop)
            }
            Stimulus::Boot => Some(Event::Boot),
            Stimulus::Terminate(id) => {
                self.world.timer_ends(&id);
                Some(Event::TerminateChild(id))
            }
            Stimulus::Restart(id) => Some(Event::RestartChild(id)),
            Stimulus::Delete(id) => Some(Event::DeleteChild(id)),
            Stimulus::Add(plan) => {
                self.world.add(&plan);
                Some(Event::StartChild(plan))
            }
        }
    }

    /// Tells the supervisor, does what it says, and goes all ways that this can go.
    fn run(mut self, event: Event, ends: &mut Vec<World<S>>) -> Result<(), Broken> {
        let mut pending = None;
        for action in self.world.step(event) {
            let performed = match pending {
                None => self.perform(action),
                Some(_) => Err(format!("{action:?} while something is under way")),
            };
            pending = performed.map_err(|what| (what, self.world.history.clone()))?;
        }
        match pending {
            None => {
                self.judge().map_err(|what| (what, self.world.history.clone()))?;
                ends.push(self.world);
                Ok(())
            }
            Some(Pending::Stop(run)) => {
                self.world.set(&run.id, Life::Down);
                self.run(Event::Stopped(run), ends)
            }
            Some(Pending::Start(run)) => {
                for outcome in self.outcomes() {
                    let mut turn = self.clone();
                    let event = turn.conclude(&run, *outcome);
                    turn.run(event, ends)?;
                }
                Ok(())
            }
        }
    }

    fn outcomes(&self) -> &'static [Outcome] {
        match self.stimulus {
            // A supervisor that is told to stop while it starts treats that as a failed start.
            Stimulus::Boot => &[Outcome::Started, Outcome::Failed, Outcome::Ignored],
            _ => &[Outcome::Started, Outcome::Failed, Outcome::Ignored, Outcome::GivenUp],
        }
    }

    fn conclude(&mut self, run: &ChildRun, outcome: Outcome) -> Event {
        self.outcome = Some(outcome);
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
                match self.stimulus {
                    Stimulus::Boot => {
                        self.world.ending = Some(Verdict::StartFailed(run.id.clone()));
                    }
                    Stimulus::Hear(..) | Stimulus::Fire(_) => self.world.count_failure(),
                    _ => {}
                }
                Event::StartFailed(run.clone())
            }
        }
    }

    fn perform(&mut self, action: Action) -> Result<Option<Pending>, String> {
        if self.world.ended {
            return Err(format!("{action:?} after the end"));
        }
        match action {
            Action::Start(run) => return self.start(run).map(Some),
            Action::Stop(run, shutdown) => return self.stop(run, shutdown).map(Some),
            Action::Retry { id, ticket, after } => {
                let down = self.world.member(&id).is_some_and(|member| member.life == Life::Down);
                let delayed = self.world.setup.flags.backoff.is_some();
                if !down || !self.is_restart() || ticket <= self.world.ticket {
                    return Err(format!("a timer for {id} with {ticket}"));
                }
                if after.is_zero() == delayed {
                    return Err(format!("a delay of {after:?}"));
                }
                self.world.ticket = ticket;
                self.world.set(&id, Life::Waiting(ticket));
            }
            Action::Forget(id) => self.forget(&id)?,
            Action::Left(run) => {
                let heard = matches!(&self.stimulus, Stimulus::Hear(id, _) if *id == run.id);
                if !heard || std::mem::replace(&mut self.left, true) {
                    return Err(format!("{run:?} has not left"));
                }
            }
            Action::Answer(answer) => {
                if let Some(first) = self.answer.replace(answer) {
                    return Err(format!("two answers, the first was {first:?}"));
                }
            }
            Action::Exit(verdict) => self.exit(&verdict)?,
        }
        Ok(None)
    }

    /// Lists the places of those that share the fate of a child, its own included.
    fn fellows(&self, id: &ChildId) -> std::ops::Range<usize> {
        let at = self.world.position(id).unwrap_or_default();
        match self.world.setup.strategy {
            Strategy::OneForOne => at..at + 1,
            Strategy::OneForAll => 0..self.world.members.len(),
            Strategy::RestForOne => at..self.world.members.len(),
        }
    }

    /// Whoever shares the fate of another comes back together with it, not by its own timer.
    fn timers_of_fellows_end(&mut self, id: &ChildId) {
        for at in self.fellows(id) {
            let fellow = self.world.members[at].plan.id.clone();
            self.world.timer_ends(&fellow);
        }
    }

    fn is_restart(&self) -> bool {
        matches!(self.stimulus, Stimulus::Hear(..) | Stimulus::Fire(_))
    }
}
