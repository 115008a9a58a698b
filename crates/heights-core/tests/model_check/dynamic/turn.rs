//! One thing that happens, and what the supervisor makes of it.

mod examine;
mod reckon;

use heights_core::{ChildKey, DynamicAction, DynamicRefusal, Shutdown, Verdict};

use super::world::{Child, Key, Life, Stimulus, Subject, World};
use crate::explore::Space;

/// What has to become of a child that is gone.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Due {
    Retry,
    Forget,
}

struct Turn<S> {
    world: World<S>,
    stimulus: Stimulus,
    /// The child that is gone, and what has to become of it.
    due: Option<(ChildKey, Due)>,
    /// Who has left without having been told to, as long as it was not spoken of.
    unsaid: Option<ChildKey>,
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
        let (world, stimulus) = (self.clone(), stimulus.clone());
        let mut turn = Turn { world, stimulus, due: None, unsaid: None };
        turn.run().map_err(|what| turn.world.tell(&what))?;
        Ok(vec![turn.world])
    }

    fn examine(&self) -> Result<(), String> {
        self.nothing_follows_from_old_news().map_err(|what| self.tell(&what))
    }
}

impl<S: Subject> Turn<S> {
    fn run(&mut self) -> Result<(), String> {
        match self.stimulus {
            Stimulus::Tick => self.world.now += 1,
            Stimulus::Die(key) => {
                let life = self.world.child(key).and_then(|child| child.life.incarnation());
                self.world.set(key, life.map_or(Life::Gone, Life::Dead));
            }
            Stimulus::Add(plan) => self.add(plan)?,
            _ => {
                let event = self.begin().ok_or("it happens to nobody")?;
                for action in self.world.step(event) {
                    self.perform(action)?;
                }
            }
        }
        self.judge()
    }

    fn add(&mut self, plan: usize) -> Result<(), String> {
        let expected = self.expected_refusal(plan);
        let answer = self.world.subject.start_child(self.world.setup.plans[plan].clone());
        let (key, action) = match (answer, expected) {
            (Err(refusal), Some(expected)) if refusal == expected => return Ok(()),
            (Ok(started), None) => started,
            (answer, expected) => return Err(format!("{answer:?}, but {expected:?}")),
        };
        let DynamicAction::Start(started, incarnation) = action else {
            return Err(format!("{action:?} for a new child"));
        };
        if started != key || key <= self.world.newest || incarnation <= self.world.incarnation {
            return Err(format!("{key:?} had a number before: {action:?}"));
        }
        (self.world.newest, self.world.incarnation) = (key, incarnation);
        let life = Life::Starting { incarnation, first: true };
        let child = Child { key, plan, life, stopping: false, failures: Vec::new() };
        self.world.children.push(child);
        Ok(())
    }

    fn expected_refusal(&self, plan: usize) -> Option<DynamicRefusal> {
        let plan = &self.world.setup.plans[plan];
        if let Err(mistake) = plan.check(self.world.setup.flags.auto_shutdown) {
            return Some(DynamicRefusal::Invalid(mistake));
        }
        if self.world.ending.is_some() {
            return Some(DynamicRefusal::Ending);
        }
        let full = self.world.children.len() == self.world.setup.max_children;
        full.then_some(DynamicRefusal::MaxChildren)
    }

    fn perform(&mut self, action: DynamicAction) -> Result<(), String> {
        let refused = Err(format!("{action:?} of {:?}", self.world.children));
        if self.world.ended {
            return Err(format!("{action:?} after the end"));
        }
        let done = match action {
            DynamicAction::Start(key, incarnation) => {
                let due = self.stimulus == Stimulus::Fire(key) && self.world.ending.is_none();
                let waits = self.life(key).is_some_and(|life| matches!(life, Life::Waiting(_)));
                let new = incarnation > self.world.incarnation;
                self.world.incarnation = incarnation;
                self.world.set(key, Life::Starting { incarnation, first: false });
                due && waits && new
            }
            DynamicAction::Stop(key, incarnation, shutdown) => {
                let current = self.life(key).and_then(Life::incarnation) == Some(incarnation);
                current && self.stop(key, shutdown)
            }
            DynamicAction::Retry { key, ticket, after } => {
                let delayed = self.world.setup.flags.backoff.is_some();
                let new = ticket > self.world.ticket;
                self.world.ticket = ticket;
                self.world.set(key, Life::Waiting(ticket));
                self.due.take() == Some((key, Due::Retry)) && new && after.is_zero() != delayed
            }
            DynamicAction::Left(key) => self.unsaid.take() == Some(key),
            DynamicAction::Forget(key) => self.forget(key),
            DynamicAction::Exit(ref verdict) => self.exit(verdict),
        };
        if done { Ok(()) } else { refused }
    }

    fn life(&self, key: ChildKey) -> Option<Life> {
        self.world.child(key).map(|child| child.life)
    }

    /// Tells whether a child may be told to stop, which it is.
    fn stop(&mut self, key: ChildKey, shutdown: Shutdown) -> bool {
        let asked = self.world.ending.is_some() || self.stimulus == Stimulus::Terminate(key);
        let Some(child) = self.world.child(key) else { return false };
        let right = self.world.plan_of(child).shutdown == shutdown && !child.stopping;
        if let Some(child) = self.world.child_mut(key) {
            child.stopping = true;
        }
        asked && right
    }

    fn forget(&mut self, key: ChildKey) -> bool {
        let waits = matches!(self.life(key), Some(Life::Waiting(_)));
        let called_off = self.world.ending.is_some() || self.stimulus == Stimulus::Terminate(key);
        self.world.children.retain(|child| child.key != key);
        // One that leaves says so before it is forgotten.
        let left = self.unsaid != Some(key);
        left && (waits && called_off || self.due.take() == Some((key, Due::Forget)))
    }

    fn exit(&mut self, verdict: &Verdict) -> bool {
        self.world.ended = true;
        self.world.children.is_empty() && self.world.ending.as_ref() == Some(verdict)
    }
}
