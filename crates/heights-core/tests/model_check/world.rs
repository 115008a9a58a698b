//! A supervisor, its children, and what may happen to them next.

mod bonds;
mod key;
mod old_news;
mod stimuli;

use std::rc::Rc;
use std::time::Duration;

use heights_core::{
    Action, ChildId, ChildPlan, ChildState, Event, GiveUp, Incarnation, Machine, Moment, Verdict,
};

pub use self::key::Key;
pub use self::stimuli::Stimulus;
use crate::history::{self, Step};
use crate::setups::{PERIOD, Setup};

/// What is explored: the machine, or one that is wrong on purpose.
pub trait Subject: Clone {
    fn step(&mut self, now: Moment, event: Event) -> Vec<Action>;
    fn machine(&self) -> &Machine;
}

impl Subject for Machine {
    fn step(&mut self, now: Moment, event: Event) -> Vec<Action> {
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
    /// When a restart of it was counted against its own limit.
    failures: Vec<u64>,
    /// Which list of specs its plan is from.
    list: usize,
    /// Whether it ran already when specs came that bind it to what is not there.
    pub excused: bool,
}

impl Member {
    fn new(plan: &ChildPlan, list: usize) -> Self {
        Self { plan: plan.clone(), life: Life::Down, failures: Vec::new(), list, excused: false }
    }
}

pub type History = history::History<Event, Action>;

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
    /// Whose restarts, by their timers, bring back whom, whatever the specs say meanwhile.
    pub promises: Vec<(u64, ChildId)>,
    pub history: History,
}

impl<S: Subject> World<S> {
    pub fn new(setup: &Setup, subject: S) -> Self {
        Self {
            subject,
            now: 0,
            members: setup.plans.iter().map(|plan| Member::new(plan, 0)).collect(),
            setup: Rc::new(setup.clone()),
            failures: Vec::new(),
            ending: None,
            ended: false,
            incarnation: Incarnation(0),
            ticket: 0,
            promises: Vec::new(),
            history: History::default(),
        }
    }

    pub fn step(&mut self, event: Event) -> Vec<Action> {
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
            self.members[at].excused &= life.running().is_some();
        }
    }

    /// Takes in a child that somebody wants added, unless it is known.
    pub fn add(&mut self, plan: &ChildPlan) {
        if self.member(&plan.id).is_none() {
            self.unpromise(&plan.id);
            self.members.push(Member::new(plan, 0));
        }
    }

    /// Takes new specs in their order; children without one become the youngest.
    pub fn reconfigure(&mut self, list: usize) {
        self.promise_returns();
        let mut before = std::mem::take(&mut self.members);
        for plan in &Rc::clone(&self.setup).lists[list] {
            let known = before.iter().position(|member| member.plan.id == plan.id);
            let known = known.map(|at| before.remove(at));
            let mut member = Member::new(plan, list + 1);
            if let Some(known) = known {
                member.life = known.life;
                if known.plan.limit == plan.limit {
                    member.failures = known.failures;
                }
            }
            self.members.push(member);
        }
        self.members.append(&mut before);
        for at in 0..self.members.len() {
            let Member { plan, life, .. } = &self.members[at];
            self.members[at].excused = life.running().is_some() && self.missing_to(plan).is_some();
        }
    }

    /// A timer for a child whose restart is given up is old news from now on.
    pub fn timer_ends(&mut self, id: &ChildId) {
        if self.member(id).is_some_and(|member| matches!(member.life, Life::Waiting(_))) {
            self.set(id, Life::Down);
        }
    }

    pub fn timers_end(&mut self) {
        for member in &mut self.members {
            if matches!(member.life, Life::Waiting(_)) {
                member.life = Life::Down;
            }
        }
    }

    /// Counts a failure, against the child's own limit first; tells whether it is one too many.
    /// More than the intensity allows and the end has begun.
    pub fn count_failure(&mut self, id: &ChildId) -> Option<GiveUp> {
        let now = self.now;
        let too_many = |failures: &mut Vec<u64>, allowed: u32| {
            failures.push(now);
            failures.retain(|then| now - then <= PERIOD);
            failures.len() > allowed as usize
        };
        let mut given_up = None;
        if let Some(member) = self.members.iter_mut().find(|member| member.plan.id == *id)
            && let Some(limit) = &member.plan.limit
            && too_many(&mut member.failures, limit.intensity.restarts)
        {
            given_up = Some(limit.then);
        } else if too_many(&mut self.failures, self.setup.flags.intensity.restarts) {
            given_up = Some(GiveUp::Escalate);
        }
        if given_up == Some(GiveUp::Escalate) {
            self.ending = Some(Verdict::ReachedMaxIntensity);
        }
        given_up
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

    /// Puts what is wrong into words, with how it came to that.
    pub fn tell(&self, what: &str) -> String {
        let Self { setup, history, .. } = self;
        format!("{what}\n{setup:?}, as happens in these steps:\n{history:?}")
    }
}
