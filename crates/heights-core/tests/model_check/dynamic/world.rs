//! A supervisor, the children that it has for now, and what may happen to them next.

use std::rc::Rc;
use std::time::Duration;

use heights_core::{
    ChildKey, ChildPlan, DynamicAction, DynamicEvent, DynamicMachine, DynamicRefusal, ExitClass,
    Incarnation, Moment, Verdict,
};

use super::setups::Setup;
use crate::history::{History, Step};
use crate::setups::PERIOD;

/// What is explored: the machine, or one that is wrong on purpose.
pub trait Subject: Clone {
    fn step(&mut self, now: Moment, event: DynamicEvent) -> Vec<DynamicAction>;

    fn start_child(&mut self, plan: ChildPlan)
    -> Result<(ChildKey, DynamicAction), DynamicRefusal>;

    fn machine(&self) -> &DynamicMachine;
}

impl Subject for DynamicMachine {
    fn step(&mut self, now: Moment, event: DynamicEvent) -> Vec<DynamicAction> {
        Self::step(self, now, event)
    }

    fn start_child(
        &mut self,
        plan: ChildPlan,
    ) -> Result<(ChildKey, DynamicAction), DynamicRefusal> {
        Self::start_child(self, plan)
    }

    fn machine(&self) -> &DynamicMachine {
        self
    }
}

/// What a child really does, whatever the supervisor knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It is about to come up, for the first time or again.
    Starting {
        incarnation: Incarnation,
        first: bool,
    },
    Up(Incarnation),
    /// It is gone and the supervisor has not heard of it.
    Dead(Incarnation),
    /// It is gone and the supervisor has heard of it.
    Gone,
    /// A timer is under way that will have it started.
    Waiting(u64),
}

impl Life {
    pub const fn incarnation(self) -> Option<Incarnation> {
        match self {
            Self::Starting { incarnation, .. }
            | Self::Up(incarnation)
            | Self::Dead(incarnation) => Some(incarnation),
            Self::Gone | Self::Waiting(_) => None,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Child {
    pub key: ChildKey,
    /// Which of the plans it has.
    pub plan: usize,
    pub life: Life,
    /// Whether it was told to stop.
    pub stopping: bool,
    /// When a restart of it was counted against its own limit.
    pub failures: Vec<u64>,
}

/// What may happen next.
#[derive(Debug, Clone, PartialEq)]
pub enum Stimulus {
    Tick,
    /// Somebody wants a child with this plan.
    Add(usize),
    ComeUp(ChildKey),
    FailToStart(ChildKey),
    FindNothingToDo(ChildKey),
    Die(ChildKey),
    /// The supervisor hears of an end.
    Hear(ChildKey, ExitClass),
    Fire(ChildKey),
    Terminate(ChildKey),
    Stop,
}

#[derive(Clone)]
pub struct World<S> {
    pub subject: S,
    pub setup: Rc<Setup>,
    pub now: u64,
    pub children: Vec<Child>,
    /// When a restart was counted, by our own reckoning.
    pub failures: Vec<u64>,
    /// How the supervisor will have to end, once that is settled.
    pub ending: Option<Verdict>,
    pub ended: bool,
    /// The highest numbers that were ever given out.
    pub newest: ChildKey,
    pub incarnation: Incarnation,
    pub ticket: u64,
    pub history: History<DynamicEvent, DynamicAction>,
}

/// All that decides what can still happen. Which of two children that are alike came first does
/// not.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Key {
    children: Vec<(usize, u8, bool, Vec<u64>)>,
    ages: Vec<u64>,
    ending: Option<std::mem::Discriminant<Verdict>>,
    ended: bool,
}

impl Key {
    /// Tells whether the future depends on how long ago something was.
    pub fn is_ageing(&self) -> bool {
        !self.ages.is_empty() || self.children.iter().any(|(.., ages)| !ages.is_empty())
    }
}

impl<S: Subject> World<S> {
    pub fn new(setup: &Setup, subject: S) -> Self {
        Self {
            subject,
            setup: Rc::new(setup.clone()),
            now: 0,
            children: Vec::new(),
            failures: Vec::new(),
            ending: None,
            ended: false,
            newest: ChildKey(0),
            incarnation: Incarnation(0),
            ticket: 0,
            history: History::default(),
        }
    }

    pub fn key(&self) -> Key {
        let kind = |life| match life {
            Life::Starting { first: true, .. } => 0,
            Life::Starting { first: false, .. } => 1,
            Life::Up(_) => 2,
            Life::Dead(_) => 3,
            Life::Gone => 4,
            Life::Waiting(_) => 5,
        };
        let ages = |failures: &[u64]| {
            let ages = failures.iter().map(|then| self.now - then);
            ages.filter(|age| *age <= PERIOD).collect()
        };
        let key =
            |child: &Child| (child.plan, kind(child.life), child.stopping, ages(&child.failures));
        let mut children: Vec<_> = self.children.iter().map(key).collect();
        children.sort_unstable();
        Key {
            children,
            ages: ages(&self.failures),
            ending: self.ending.as_ref().map(std::mem::discriminant),
            ended: self.ended,
        }
    }

    /// Lists what may happen now.
    pub fn stimuli(&self) -> Vec<Stimulus> {
        if self.ended {
            return Vec::new();
        }
        let mut stimuli: Vec<_> = (0..self.setup.plans.len()).map(Stimulus::Add).collect();
        stimuli.push(Stimulus::Stop);
        if self.key().is_ageing() {
            stimuli.push(Stimulus::Tick);
        }
        for child in &self.children {
            let key = child.key;
            stimuli.push(Stimulus::Terminate(key));
            match child.life {
                Life::Starting { .. } => stimuli.extend([
                    Stimulus::ComeUp(key),
                    Stimulus::FailToStart(key),
                    Stimulus::FindNothingToDo(key),
                ]),
                Life::Up(_) => stimuli.push(Stimulus::Die(key)),
                Life::Dead(_) => {
                    let classes = [ExitClass::Normal, ExitClass::Shutdown, ExitClass::Abnormal];
                    stimuli.extend(classes.map(|class| Stimulus::Hear(key, class)));
                }
                Life::Waiting(_) => stimuli.push(Stimulus::Fire(key)),
                Life::Gone => {}
            }
        }
        stimuli
    }

    pub fn step(&mut self, event: DynamicEvent) -> Vec<DynamicAction> {
        let now = Duration::from_secs(self.now);
        let actions = self.subject.step(now, event);
        self.history.note(Step { now, event, actions: actions.clone() });
        actions
    }

    pub fn plan_of(&self, child: &Child) -> &ChildPlan {
        &self.setup.plans[child.plan]
    }

    pub fn child(&self, key: ChildKey) -> Option<&Child> {
        self.children.iter().find(|child| child.key == key)
    }

    pub fn child_mut(&mut self, key: ChildKey) -> Option<&mut Child> {
        self.children.iter_mut().find(|child| child.key == key)
    }

    pub fn set(&mut self, key: ChildKey, life: Life) {
        if let Some(child) = self.child_mut(key) {
            child.life = life;
        }
    }

    /// Puts what is wrong into words, with how it came to that.
    pub fn tell(&self, what: &str) -> String {
        let Self { setup, history, .. } = self;
        format!("{what}\n{setup:?}, as happens in these steps:\n{history:?}")
    }
}
