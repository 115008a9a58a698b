//! One child, and what it is doing.

use std::sync::Arc;

use crate::{ChildPlan, Incarnation, Moment, RestartWindow};

/// What a child is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildState {
    /// It does not run and nobody is about to start it.
    Stopped,
    /// It is being started.
    Starting(Incarnation),
    /// It runs.
    Running(Incarnation),
    /// It is being stopped.
    Stopping(Incarnation),
    /// It failed and waits for the retry with this ticket.
    Restarting(u64),
}

/// One child as seen from outside.
#[derive(Debug, Clone, Copy)]
pub struct ChildView<'a> {
    /// What the supervisor was told about it.
    pub plan: &'a ChildPlan,
    /// What it is doing.
    pub state: ChildState,
}

#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) plan: Arc<ChildPlan>,
    pub(super) state: ChildState,
    pub(super) attempts: u32,
    pub(super) running_since: Option<Moment>,
    /// On the heap, as most have none.
    pub(super) window: Option<Box<RestartWindow>>,
}

impl Member {
    pub(super) fn new(plan: Arc<ChildPlan>) -> Self {
        let window = window_of(&plan);
        Self { plan, state: ChildState::Stopped, attempts: 0, running_since: None, window }
    }

    /// Takes a new plan; what runs goes on as it is.
    pub(super) fn replan(&mut self, plan: ChildPlan) {
        if self.plan.limit != plan.limit {
            self.window = window_of(&plan);
        }
        self.plan = Arc::new(plan);
    }

    pub(super) const fn is_running(&self) -> bool {
        matches!(self.state, ChildState::Running(_))
    }

    pub(super) fn is_bound(&self) -> bool {
        !self.plan.binds_to.is_empty()
    }
}

impl ChildState {
    pub(super) const fn is_waiting(self) -> bool {
        matches!(self, Self::Starting(_) | Self::Stopping(_))
    }
}

fn window_of(plan: &ChildPlan) -> Option<Box<RestartWindow>> {
    plan.limit.as_ref().map(|limit| Box::new(RestartWindow::new(limit.intensity)))
}
