//! Faults at planned places.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use heights::Fault;

/// Makes a child fail on plan: the nth message, the nth start, every stop.
///
/// Steps and starts are counted from one, over all lives that share the plan.
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
    steps: Arc<AtomicU64>,
    starts: Arc<AtomicU64>,
    at_step: BTreeMap<u64, Planned>,
    at_start: BTreeMap<u64, Planned>,
    stop_takes: Duration,
}

#[derive(Debug, Clone, Copy)]
enum Planned {
    Fail,
    Panic,
    Hang,
}

impl FaultPlan {
    /// Plans nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has the nth step return a fault.
    #[must_use]
    pub fn fail_at(mut self, step: u64) -> Self {
        self.at_step.insert(step, Planned::Fail);
        self
    }

    /// Has the nth step panic.
    #[must_use]
    pub fn panic_at(mut self, step: u64) -> Self {
        self.at_step.insert(step, Planned::Panic);
        self
    }

    /// Has the nth start return a fault.
    #[must_use]
    pub fn fail_start(mut self, start: u64) -> Self {
        self.at_start.insert(start, Planned::Fail);
        self
    }

    /// Has the nth start never return.
    #[must_use]
    pub fn hang_start(mut self, start: u64) -> Self {
        self.at_start.insert(start, Planned::Hang);
        self
    }

    /// Has every stop take this long.
    #[must_use]
    pub const fn slow_stop(mut self, takes: Duration) -> Self {
        self.stop_takes = takes;
        self
    }

    /// Takes a step: call it where a handler begins.
    ///
    /// # Panics
    ///
    /// At the steps that are planned to.
    pub fn step(&self) -> Result<(), Fault> {
        let step = self.steps.fetch_add(1, Ordering::Relaxed) + 1;
        match self.at_step.get(&step) {
            None | Some(Planned::Hang) => Ok(()),
            Some(Planned::Fail) => Err(format!("planned fault at step {step}").into()),
            Some(Planned::Panic) => panic!("planned panic at step {step}"),
        }
    }

    /// Starts: call it where an `init` begins.
    pub async fn start(&self) -> Result<(), Fault> {
        let start = self.starts.fetch_add(1, Ordering::Relaxed) + 1;
        match self.at_start.get(&start) {
            None | Some(Planned::Panic) => Ok(()),
            Some(Planned::Fail) => Err(format!("planned fault at start {start}").into()),
            Some(Planned::Hang) => std::future::pending().await,
        }
    }

    /// Stops: call it where a `terminate` begins.
    pub async fn stop(&self) {
        if !self.stop_takes.is_zero() {
            tokio::time::sleep(self.stop_takes).await;
        }
    }

    /// Returns how many steps have been taken.
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }
}
