//! The supervisors that are explored.

use std::time::Duration;

use heights_core::Restart::{Permanent, Temporary, Transient};
use heights_core::{
    AutoShutdown, Backoff, ChildPlan, DynamicMachine, Flags, GiveUp, Intensity, Restart,
    RestartLimit,
};

use crate::setups::PERIOD;

/// One supervisor, and the children that may be asked for.
#[derive(Debug, Clone)]
pub struct Setup {
    pub flags: Flags,
    pub max_children: usize,
    pub plans: Vec<ChildPlan>,
}

impl Setup {
    /// At most three children, of any of these restart types.
    pub fn new(restarts: &[Restart]) -> Self {
        let plan = |restart: &Restart| ChildPlan { restart: *restart, ..ChildPlan::worker("a") };
        let intensity = Intensity::new(1, Duration::from_secs(PERIOD));
        Self {
            flags: Flags { intensity, ..Flags::default() },
            max_children: 3,
            plans: restarts.iter().map(plan).collect(),
        }
    }

    /// A worker, a supervisor and a task, with a restart type each.
    pub fn mixed() -> Self {
        let mut setup = Self::new(&[Permanent, Transient, Temporary]);
        setup.plans[1] = ChildPlan { restart: Transient, ..ChildPlan::supervisor("a") };
        setup.plans[2] = ChildPlan { restart: Temporary, ..ChildPlan::task("a") };
        setup
    }

    #[must_use]
    pub const fn at_most(mut self, children: usize) -> Self {
        self.max_children = children;
        self
    }

    #[must_use]
    pub const fn delayed(mut self) -> Self {
        let second = Duration::from_secs(1);
        self.flags.backoff = Some(Backoff::exponential(second, second));
        self
    }

    /// Two children of which one goes alone if it fails too often, and one takes the other along.
    pub fn limited() -> Self {
        let mut setup = Self::new(&[Permanent, Transient]).at_most(2);
        setup.flags.intensity.restarts = 2;
        for (plan, then) in setup.plans.iter_mut().zip([GiveUp::RemoveChild, GiveUp::Escalate]) {
            let intensity = Intensity::new(1, Duration::from_secs(PERIOD));
            plan.limit = Some(Box::new(RestartLimit { intensity, then }));
        }
        setup
    }

    /// Supervisors that end when significant children have; one of the plans asks too much.
    pub fn significant() -> [Self; 2] {
        [AutoShutdown::AnySignificant, AutoShutdown::AllSignificant].map(|auto_shutdown| {
            let mut setup = Self::new(&[Transient, Temporary, Permanent]);
            setup.flags.auto_shutdown = auto_shutdown;
            setup.plans[0].significant = true;
            setup.plans[2].significant = true;
            setup
        })
    }

    pub fn machine(&self) -> DynamicMachine {
        DynamicMachine::new(self.flags, Some(self.max_children)).unwrap()
    }
}
