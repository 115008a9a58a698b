//! One thing that happens, and all that can follow from it until the supervisor is at rest.

mod judge;
mod order;
mod reckon;

use std::rc::Rc;

use heights_core::{Action, Answer, ChildId, ChildRun, Event, SpecError, check_child_plans};

use crate::explore::Space;
use crate::setups::Setup;
use crate::world::{Key, Life, Stimulus, Subject, World};

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
    before: Rc<World<S>>,
    stimulus: Stimulus,
    /// Those that share the fate of the child that this is about, itself included.
    fellows: Vec<ChildId>,
    /// Those among them that the strategy does not name.
    promised: Vec<ChildId>,
    /// Those that are bound to children that go.
    along: Vec<ChildId>,
    /// Where in the list the last start or stop was, for their order.
    last_start: Option<usize>,
    last_stop: Option<usize>,
    started: Vec<ChildRun>,
    outcome: Option<Outcome>,
    troubled: bool,
    /// Who has left, or has used up its own restarts, and who of them was not spoken of yet.
    left: Vec<ChildRun>,
    unsaid: Vec<ChildRun>,
    answer: Option<Answer>,
}

/// What the supervisor waits for.
enum Pending {
    Start(ChildRun),
    Stop(ChildRun),
}

impl<S: Subject> Space for World<S> {
    type Stimulus = Stimulus;
    type Key = Key;

    fn key(&self) -> Key {
        World::key(self)
    }

    fn stimuli(&self) -> Vec<Stimulus> {
        World::stimuli(self)
    }

    fn turns(&self, stimulus: &Stimulus) -> Result<Vec<Self>, String> {
        let mut turn = Turn {
            world: self.clone(),
            before: Rc::new(self.clone()),
            stimulus: stimulus.clone(),
            fellows: Vec::new(),
            promised: Vec::new(),
            along: Vec::new(),
            last_start: None,
            last_stop: None,
            started: Vec::new(),
            outcome: None,
            troubled: false,
            left: Vec::new(),
            unsaid: Vec::new(),
            answer: None,
        };
        let mut ends = Vec::new();
        match turn.begin() {
            None => ends.push(turn.world),
            Some(event) => turn.run(event, &mut ends)?,
        }
        Ok(ends)
    }

    fn examine(&self) -> Result<(), String> {
        let examined = self.nothing_follows_from_old_news().and_then(|()| self.compare_fates());
        examined.map_err(|what| self.tell(&what))
    }
}

impl<S: Subject> Turn<S> {
    /// Tells the supervisor, does what it says, and goes all ways that this can go.
    fn run(mut self, event: Event, ends: &mut Vec<World<S>>) -> Result<(), String> {
        let mut pending = None;
        for action in self.world.step(event) {
            let performed = match pending {
                None => self.perform(action),
                Some(_) => Err(format!("{action:?} while something is under way")),
            };
            pending = performed.map_err(|what| self.world.tell(&what))?;
        }
        match pending {
            None => {
                self.judge().map_err(|what| self.world.tell(&what))?;
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

    fn perform(&mut self, action: Action) -> Result<Option<Pending>, String> {
        if self.world.ended {
            return Err(format!("{action:?} after the end"));
        }
        match action {
            Action::Start(run) => return self.start(run).map(Some),
            Action::Stop(run, shutdown) => return self.stop(run, shutdown).map(Some),
            Action::Retry { id, ticket, after } => {
                let down = self.world.member(&id).is_some_and(|member| member.life == Life::Down);
                let delayed = self.is_delayed(&id);
                if !down || !self.is_retried(&id) || ticket <= self.world.ticket {
                    return Err(format!("a timer for {id} with {ticket}"));
                }
                if after.is_zero() == delayed {
                    return Err(format!("a delay of {after:?}"));
                }
                self.world.ticket = ticket;
                let promised = std::mem::take(&mut self.promised).into_iter();
                let down = promised.filter(|_| self.started.is_empty());
                self.world.promises.extend(down.map(|id| (ticket, id)));
                self.world.set(&id, Life::Waiting(ticket));
            }
            Action::Forget(id) => self.forget(&id)?,
            Action::Left(run) => {
                let at = self.unsaid.iter().position(|left| *left == run);
                let at = at.ok_or_else(|| format!("{run:?} has not left"))?;
                self.unsaid.remove(at);
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

    /// Tells whether a start that fails is tried again.
    fn is_retried(&self, id: &ChildId) -> bool {
        match &self.stimulus {
            Stimulus::Hear(..) | Stimulus::Fire(_) => true,
            Stimulus::Restart(asked) => asked != id,
            _ => false,
        }
    }

    fn is_delayed(&self, id: &ChildId) -> bool {
        let own = self.world.member(id).and_then(|member| member.plan.backoff.as_ref());
        own.is_some() || self.world.setup.flags.backoff.is_some()
    }

    /// Returns what is wrong with the list of specs with this number.
    fn mistake(&self, list: usize) -> Option<SpecError> {
        let Setup { lists, flags, .. } = &*self.world.setup;
        check_child_plans(&lists[list], flags.auto_shutdown).err()
    }
}
