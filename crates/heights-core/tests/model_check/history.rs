//! What a machine was told and what it said, step by step.

use std::fmt;
use std::rc::Rc;

use heights_core::Moment;

/// The steps so far; cheap to clone, for many worlds share their beginning.
pub struct History<E, A>(Option<Rc<Link<E, A>>>);

struct Link<E, A> {
    before: History<E, A>,
    step: Step<E, A>,
}

/// One step of a machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Step<E, A> {
    pub now: Moment,
    pub event: E,
    pub actions: Vec<A>,
}

impl<E, A> Default for History<E, A> {
    fn default() -> Self {
        Self(None)
    }
}

impl<E, A> Clone for History<E, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<E: Clone, A: Clone> History<E, A> {
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub fn note(&mut self, step: Step<E, A>) {
        let before = std::mem::take(self);
        self.0 = Some(Rc::new(Link { before, step }));
    }

    /// Lists the steps from the first on.
    pub fn steps(&self) -> Vec<Step<E, A>> {
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

impl<E: Clone + fmt::Debug, A: Clone + fmt::Debug> fmt::Debug for History<E, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Step { now, event, actions } in self.steps() {
            writeln!(f, "  {}s {event:?} -> {actions:?}", now.as_secs())?;
        }
        Ok(())
    }
}
