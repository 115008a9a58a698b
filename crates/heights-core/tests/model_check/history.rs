//! What a machine was told and what it said, step by step.

use std::fmt;
use std::rc::Rc;

use heights_core::{Action, Event, Moment};

/// The steps so far; cheap to clone, for many worlds share their beginning.
#[derive(Clone, Default)]
pub struct History(Option<Rc<Link>>);

struct Link {
    before: History,
    step: Step,
}

/// One step of a machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub now: Moment,
    pub event: Event,
    pub actions: Vec<Action>,
}

impl History {
    pub fn note(&mut self, step: Step) {
        let before = std::mem::take(self);
        self.0 = Some(Rc::new(Link { before, step }));
    }

    /// Lists the steps from the first on.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut at = self;
        while let Some(link) = &at.0 {
            steps.push(link.step.clone());
            at = &link.before;
        }
        steps.reverse();
        steps
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Step { now, event, actions } in self.steps() {
            writeln!(f, "  {}s {event:?} -> {actions:?}", now.as_secs())?;
        }
        Ok(())
    }
}
