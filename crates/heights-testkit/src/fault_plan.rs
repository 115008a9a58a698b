//! Faults at planned places.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use heights::Fault;

/// Makes the nth step fail; steps are counted over all lives that share the plan.
///
/// ```
/// use heights_testkit::FaultPlan;
///
/// let plan = FaultPlan::new().fail_at(2);
/// let outcomes: Vec<bool> = (0..3).map(|_| plan.step().is_ok()).collect();
/// assert_eq!(outcomes, [true, false, true]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct FaultPlan {
    faults: BTreeMap<u64, Planned>,
    steps: Arc<AtomicU64>,
}

#[derive(Debug, Clone, Copy)]
enum Planned {
    Fail,
    Panic,
}

impl FaultPlan {
    /// Plans nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has the nth step, from one, return a fault.
    #[must_use]
    pub fn fail_at(mut self, step: u64) -> Self {
        self.faults.insert(step, Planned::Fail);
        self
    }

    /// Has the nth step, from one, panic.
    #[must_use]
    pub fn panic_at(mut self, step: u64) -> Self {
        self.faults.insert(step, Planned::Panic);
        self
    }

    /// Takes a step: call it where a handler begins.
    ///
    /// # Panics
    ///
    /// At the steps that are planned to.
    pub fn step(&self) -> Result<(), Fault> {
        let step = self.steps.fetch_add(1, Ordering::Relaxed) + 1;
        match self.faults.get(&step) {
            None => Ok(()),
            Some(Planned::Fail) => Err(format!("planned fault at step {step}").into()),
            Some(Planned::Panic) => panic!("planned panic at step {step}"),
        }
    }

    /// Returns how many steps have been taken.
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }
}
