//! Calls that are not made while they would fail anyway.
//!
//! A [`Breaker`] stands before something that can be down. While it works every call goes through;
//! after too many failures none does for a while, and then a few, to see.
//!
//! | state | a call |
//! |---|---|
//! | [`Closed`](BreakerState::Closed) | is made; [too many failures](BreakerBuilder::consecutive) open the breaker |
//! | [`Open`](BreakerState::Open) | is refused at once, for as long as [`open_for`](BreakerBuilder::open_for) says |
//! | [`HalfOpen`](BreakerState::HalfOpen) | is made if it is one of the [`probes`](BreakerBuilder::probes): all must succeed to close the breaker, one failure opens it again |
//!
//! A call that panics counts as a failure; one that is dropped before its end counts as none.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use heights::breaker::{Breaker, BreakerError};
//!
//! let forge = Breaker::builder("forge").consecutive(2).build();
//! for _ in 0..2 {
//!     let answer = forge.call(async { Err::<(), _>("no route") }).await;
//!     assert_eq!(answer, Err(BreakerError::Failed("no route")));
//! }
//! let refused = forge.call(async { Ok::<_, &str>("never asked") }).await.unwrap_err();
//! assert!(matches!(refused, BreakerError::Open { .. }));
//! # }
//! ```

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use heights_core::{BreakerMachine, BreakerPlan, Outcome, Pass, Trip};
use heights_supervisor::Recipient;
use tokio::time::Instant;

/// Stands before something that can be down; cloning gives another handle to the same breaker.
#[derive(Clone)]
pub struct Breaker(Arc<Shared>);

/// Collects when a [`Breaker`] opens and closes.
#[derive(Debug)]
#[must_use]
pub struct BreakerBuilder {
    name: Arc<str>,
    plan: BreakerPlan,
    events: Option<Recipient<BreakerEvent>>,
}

/// Shows what a breaker does with calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Makes them.
    Closed,
    /// Refuses them.
    Open,
    /// Makes a few to see.
    HalfOpen,
}

/// Tells that a breaker has changed its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerEvent {
    /// The name of the breaker.
    pub breaker: Arc<str>,
    /// Its new state.
    pub state: BreakerState,
}

/// Shows a breaker as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerInfo {
    /// What it does with calls.
    pub state: BreakerState,
    /// How long until it lets a call try, while it is open.
    pub retry_in: Option<Duration>,
    /// Calls of the window that failed; only while closed.
    pub failed: usize,
    /// Calls of the window that count: all, or those of the present row.
    pub counted: usize,
    /// Calls refused so far.
    pub refused: u64,
}

/// Says why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BreakerError<E> {
    /// It was not made.
    #[error("call {breaker}, which has failed too often")]
    Open {
        /// The name of the breaker.
        breaker: Arc<str>,
        /// How long to wait before another try; zero while others are trying.
        retry_in: Duration,
    },
    /// It was made and failed.
    #[error(transparent)]
    Failed(E),
}

struct Shared {
    name: Arc<str>,
    origin: Instant,
    state: Mutex<State>,
    events: Option<Recipient<BreakerEvent>>,
}

struct State {
    machine: BreakerMachine,
    refused: u64,
}

/// Tells the breaker how a call went, also if nobody waits for its end.
struct Call<'a> {
    breaker: &'a Breaker,
    pass: Pass,
    told: bool,
}

impl BreakerBuilder {
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

impl Breaker {
    /// Starts the description of a breaker.
    pub fn builder(name: impl Into<Arc<str>>) -> BreakerBuilder {
        let (minute, half_a_minute) = (Duration::from_secs(60), Duration::from_secs(30));
        let plan = BreakerPlan {
            trip: Trip::Consecutive(5),
            window: minute,
            open_for: half_a_minute,
            probes: 1,
        };
        BreakerBuilder { name: name.into(), plan, events: None }
    }

    /// Makes a call, unless too many have failed; every error counts as a failure.
    pub async fn call<T, E>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, BreakerError<E>> {
        self.call_unless(call, |_| false).await
    }

    /// Makes a call, unless too many have failed; an error that is `fine`, such as "there is no
    /// such thing", counts as a success.
    pub async fn call_unless<T, E>(
        &self,
        call: impl Future<Output = Result<T, E>>,
        fine: impl FnOnce(&E) -> bool,
    ) -> Result<T, BreakerError<E>> {
        let mut ongoing = self.admit()?;
        let result = call.await;
        let fails = result.as_ref().is_err_and(|error| !fine(error));
        ongoing.tell(if fails { Outcome::Failure } else { Outcome::Success });
        result.map_err(BreakerError::Failed)
    }

    /// Opens the breaker by hand.
    pub fn open(&self) {
        self.change(|state, now| state.machine.open(now));
    }

    /// Closes the breaker by hand.
    pub fn close(&self) {
        self.change(|state, _| state.machine.close());
    }

    /// Shows the breaker as it is now.
    pub fn info(&self) -> BreakerInfo {
        let (state, now) = (self.0.state(), self.0.origin.elapsed());
        let (failed, counted) = state.machine.counts(now);
        let (shown, retry_in) = match state.machine.state() {
            heights_core::BreakerState::Open(until) => {
                (BreakerState::Open, Some(until.saturating_sub(now)))
            }
            other => (shown(other), None),
        };
        BreakerInfo { state: shown, retry_in, failed, counted, refused: state.refused }
    }

    fn admit<E>(&self) -> Result<Call<'_>, BreakerError<E>> {
        let admitted = self.change(|state, now| {
            let pass = state.machine.admit(now);
            state.refused += u64::from(pass.is_err());
            pass
        });
        match admitted {
            Ok(pass) => Ok(Call { breaker: self, pass, told: false }),
            Err(retry_in) => {
                Err(BreakerError::Open { breaker: Arc::clone(&self.0.name), retry_in })
            }
        }
    }

    /// Changes something and tells the new state if there is one.
    fn change<R>(&self, change: impl FnOnce(&mut State, Duration) -> R) -> R {
        let mut state = self.0.state();
        let before = shown(state.machine.state());
        let result = change(&mut state, self.0.origin.elapsed());
        let after = shown(state.machine.state());
        // Under the lock, so that events come in the order of the changes.
        if before != after {
            tracing::info!(breaker = %self.0.name, state = ?after, "the breaker changed");
            if let Some(events) = &self.0.events {
                events.tell(BreakerEvent { breaker: Arc::clone(&self.0.name), state: after });
            }
        }
        result
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Call<'_> {
    fn tell(&mut self, outcome: Outcome) {
        self.told = true;
        self.breaker.change(|state, now| state.machine.tell(now, &self.pass, outcome));
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.told {
            let panics = std::thread::panicking();
            self.tell(if panics { Outcome::Failure } else { Outcome::Unknown });
        }
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Breaker({})", self.0.name)
    }
}

fn shown(state: heights_core::BreakerState) -> BreakerState {
    match state {
        heights_core::BreakerState::Closed => BreakerState::Closed,
        heights_core::BreakerState::Open(_) => BreakerState::Open,
        heights_core::BreakerState::HalfOpen => BreakerState::HalfOpen,
    }
}
