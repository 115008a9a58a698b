//! Collects when a breaker opens and closes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use heights_core::{BreakerMachine, BreakerPlan, Trip};
use heights_supervisor::Recipient;
use tokio::time::Instant;

use super::{Breaker, BreakerEvent, Shared, State};

const MINUTE: Duration = Duration::from_secs(60);

/// Collects when a [`Breaker`] opens and closes.
///
/// ```
/// use std::time::Duration;
/// use heights::Recipient;
/// use heights::breaker::{Breaker, BreakerEvent};
///
/// let forge = Breaker::builder("forge")
///     .failure_rate(0.5, 20)
///     .window(Duration::from_secs(10))
///     .open_for(Duration::from_secs(5))
///     .probes(3)
///     .on_change(Recipient::from_fn(|event: BreakerEvent| {
///         println!("{} is {:?} now", event.breaker, event.state);
///     }))
///     .build();
/// forge.open();
/// ```
#[derive(Debug)]
#[must_use]
pub struct BreakerBuilder {
    name: Arc<str>,
    plan: BreakerPlan,
    events: Option<Recipient<BreakerEvent>>,
}

impl BreakerBuilder {
    pub(super) fn new(name: Arc<str>) -> Self {
        let plan = BreakerPlan {
            trip: Trip::Consecutive(5),
            window: MINUTE,
            open_for: MINUTE / 2,
            probes: 1,
        };
        Self { name, plan, events: None }
    }

    /// Opens after so many failures in a row, all within the window; unless told otherwise, five.
    pub fn consecutive(mut self, failures: u32) -> Self {
        self.plan.trip = Trip::Consecutive(failures.max(1));
        self
    }

    /// Opens when this share (0 to 1) of the calls in the window has failed, of at least so many;
    /// what is no share is read as all.
    pub fn failure_rate(mut self, share: f64, least: u32) -> Self {
        let share = if share.is_nan() { 1.0 } else { share.clamp(0.0, 1.0) };
        self.plan.trip = Trip::Rate { share, least: least.max(1) };
        self
    }

    /// Counts calls for this long; unless told otherwise, a minute.
    pub fn window(mut self, window: Duration) -> Self {
        self.plan.window = window;
        self
    }

    /// Stays open for this long; unless told otherwise, half a minute.
    pub fn open_for(mut self, open_for: Duration) -> Self {
        self.plan.open_for = open_for;
        self
    }

    /// Lets so many calls try before it closes; unless told otherwise, one.
    pub fn probes(mut self, probes: u32) -> Self {
        self.plan.probes = probes;
        self
    }

    /// Tells each change of state.
    pub fn on_change(mut self, events: Recipient<BreakerEvent>) -> Self {
        self.events = Some(events);
        self
    }

    /// Makes the breaker, closed.
    pub fn build(self) -> Breaker {
        let state = State { machine: BreakerMachine::new(self.plan), refused: 0 };
        Breaker(Arc::new(Shared {
            name: self.name,
            origin: Instant::now(),
            state: Mutex::new(state),
            events: self.events,
        }))
    }
}
