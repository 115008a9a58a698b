//! A supervisor, its children, and what may happen to them next.

use std::rc::Rc;
use std::time::Duration;

use heights_core::{
    ChildId, ChildPlan, ChildState, Event, ExitClass, Incarnation, Machine, Moment, Verdict,
};

use crate::history::{History, Step};
use crate::setups::{PERIOD, Setup};

/// What is explored: the machine, or one that is wrong on purpose.
pub trait Subject: Clone {
    fn step(&mut self, now: Moment, event: Event) -> Vec<heights_core::Action>;
    fn machine(&self) -> &Machine;
}

impl Subject for Machine {
    fn step(&mut self, now: Moment, event: Event) -> Vec<heights_core::Action> {
        Machine::step(self, now, event)
    }

    fn machine(&self) -> &Machine {
        self
    }
}

/// What a child really does, whatever the supervisor knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Life {
    Down,
    Up(Incarnation),
    /// It is gone and the supervisor has not heard of it.
    Dead(Incarnation),
    /// A timer is under way that will have it started.
    Waiting(u64),
}

impl Life {
    /// Returns the life that the supervisor takes for running.
    pub const fn running(self) -> Option<Incarnation> {
        match self {
            Self::Up(incarnation) | Self::Dead(incarnation) => Some(incarnation),
            Self::Down | Self::Waiting(_) => None,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Member {
    pub plan: ChildPlan,
    pub life: Life,
}

/// What may happen next.
#[derive(Debug, Clone, PartialEq)]
pub enum Stimulus {
    Boot,
    Tick,
    Die(ChildId),
    /// The supervisor hears of an end.
    Hear(ChildId, ExitClass),
    Fire(ChildId),
    Stop,
    Terminate(ChildId),
    Restart(ChildId),
    Delete(ChildId),
    Add(ChildPlan),
}

#[derive(Clone)]
pub struct World<S> {
    pub subject: S,
    pub setup: Rc<Setup>,
    pub now: u64,
    /// In the order of the list.
    pub members: Vec<Member>,
    /// When a restart was counted, by our own reckoning.
    pub failures: Vec<u64>,
    /// How the supervisor will have to end, once that is settled.
    pub ending: Option<Verdict>,
    pub ended: bool,
    /// The highest numbers that were ever given out.
    pub incarnation: Incarnation,
    pub ticket: u64,
    pub history: History,
}

/// All that decides what can still happen, numbers of lives and tickets left out.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Key {
    members: Vec<(ChildId, u8)>,
    ages: Vec<u64>,
    ended: bool,
}

impl<S: Subject> World<S> {
    pub fn new(setup: &Setup, subject: S) -> Self {
        let member = |plan: &ChildPlan| Member { plan: plan.clone(), life: Life::Down };
        Self {
            subject,
            now: 0,
            members: setup.plans.iter().map(member).collect(),
            setup: Rc::new(setup.clone()),
            failures: Vec::new(),
            ending: None,
            ended: false,
            incarnation: Incarnation(0),
            ticket: 0,
            history: History::default(),
        }
    }

    pub fn key(&self) -> Key {
        let kind = |life| match life {
            Life::Down => 0,
            Life::Up(_) => 1,
            Life::Dead(_) => 2,
            Life::Waiting(_) => 3,
        };
        let ages = self.failures.iter().map(|then| self.now - then);
        Key {
            members: self.members.iter().map(|m| (m.plan.id.clone(), kind(m.life))).collect(),
            ages: ages.filter(|age| *age <= PERIOD).collect(),
            ended: self.ended,
        }
    }

    /// Lists what may happen now.
    pub fn stimuli(&self) -> Vec<Stimulus> {
        if self.ended {
            return Vec::new();
        }
        let mut stimuli = vec![Stimulus::Stop];
        if !self.key().ages.is_empty() {
            stimuli.push(Stimulus::Tick);
        }
        for plan in &self.setup.plans {
            let id = || plan.id.clone();
            stimuli.extend([Stimulus::Terminate(id()), Stimulus::Restart(id())]);
            match self.member(&plan.id).map(|member| member.life) {
                Some(Life::Up(_)) => stimuli.push(Stimulus::Die(id())),
                Some(Life::Dead(_)) => {
                    let classes = [ExitClass::Normal, ExitClass::Shutdown, ExitClass::Abnormal];
                    stimuli.extend(classes.map(|class| Stimulus::Hear(id(), class)));
                }
                Some(Life::Waiting(_)) => stimuli.push(Stimulus::Fire(id())),
                Some(Life::Down) | None => {}
            }
            if self.setup.edits {
                stimuli.extend([Stimulus::Delete(id()), Stimulus::Add(plan.clone())]);
            }
        }
        stimuli
    }

    pub fn step(&mut self, event: Event) -> Vec<heights_core::Action> {
        let now = Duration::from_secs(self.now);
        let actions = self.subject.step(now, event.clone());
        self.history.note(Step { now, event, actions: actions.clone() });
        actions
    }

    pub fn position(&self, id: &ChildId) -> Option<usize> {
        self.members.iter().position(|member| member.plan.id == *id)
    }

    pub fn member(&self, id: &ChildId) -> Option<&Member> {
        self.members.iter().find(|member| member.plan.id == *id)
    }

    pub fn set(&mut self, id: &ChildId, life: Life) {
        if let Some(at) = self.position(id) {
            self.members[at].life = life;
        }
    }

    /// Takes in a child that somebody wants added, unless it is known.
    pub fn add(&mut self, plan: &ChildPlan) {
        if self.member(&plan.id).is_none() {
            self.members.push(Member { plan: plan.clone(), life: Life::Down });
        }
    }

    /// A timer for a child whose restart is given up is old news from now on.
    pub fn timer_ends(&mut self, id: &ChildId) {
        if self.member(id).is_some_and(|member| matches!(member.life, Life::Waiting(_))) {
            self.set(id, Life::Down);
        }
    }

    pub fn timers_end(&mut self) {
        for plan in Rc::clone(&self.setup).plans.iter() {
            self.timer_ends(&plan.id);
        }
    }

    /// Counts a failure; more than the intensity allows and the end has begun.
    pub fn count_failure(&mut self) {
        self.failures.push(self.now);
        self.failures.retain(|then| self.now - then <= PERIOD);
        if self.failures.len() > self.setup.flags.intensity.restarts as usize {
            self.ending = Some(Verdict::ReachedMaxIntensity);
        }
    }

    /// Compares what the supervisor takes its children for with what they are.
    pub fn compare(&self) -> Result<(), String> {
        let known: Vec<_> = self.subject.machine().children().collect();
        let agrees = |member: &Member, state| match (state, member.life) {
            (ChildState::Stopped, Life::Down) => true,
            (ChildState::Running(known), life) => life.running() == Some(known),
            (ChildState::Restarting(known), Life::Waiting(ticket)) => known == ticket,
            _ => false,
        };
        let same = known.len() == self.members.len()
            && known
                .iter()
                .zip(&self.members)
                .all(|(view, member)| *view.plan == member.plan && agrees(member, view.state));
        let active = self.members.iter().filter(|member| member.life.running().is_some()).count();
        let counted = self.subject.machine().counts();
        if !same || counted.active != active || counted.specs != self.members.len() {
            return Err(format!("it knows {known:?}, but there is {:?}", self.members));
        }
        Ok(())
    }
}
