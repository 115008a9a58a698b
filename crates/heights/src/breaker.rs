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

mod builder;
mod call;
mod view;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use heights_core::{BreakerMachine, Outcome};
use heights_supervisor::Recipient;
use tokio::time::Instant;

pub use self::builder::BreakerBuilder;
use self::call::Call;
pub use self::view::{BreakerEvent, BreakerInfo, BreakerState};

/// Stands before something that can be down; cloning gives another handle to the same breaker.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), heights::Fault> {
/// use heights::breaker::{Breaker, BreakerState};
///
/// let forge = Breaker::builder("forge").build();
/// let answer = forge.call(async { Ok::<_, std::io::Error>(42) }).await?;
/// assert_eq!(answer, 42);
///
/// // By hand, while the other side is being mended.
/// forge.open();
/// assert_eq!(forge.info().state, BreakerState::Open);
/// forge.close();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Breaker(Arc<Shared>);

/// Says why a call has no result.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use heights::breaker::{Breaker, BreakerError};
///
/// let forge = Breaker::builder("forge").build();
/// forge.open();
/// match forge.call(async { Err::<(), _>("404") }).await {
///     Ok(()) => println!("done"),
///     Err(BreakerError::Open { retry_in, .. }) => println!("not asked; again in {retry_in:?}"),
///     Err(BreakerError::Failed(error)) => println!("asked in vain: {error}"),
/// }
/// # }
/// ```
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

impl Breaker {
    /// Starts the description of a breaker.
    pub fn builder(name: impl Into<Arc<str>>) -> BreakerBuilder {
        BreakerBuilder::new(name.into())
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
            other => (other.into(), None),
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
            Ok(pass) => Ok(Call::new(self, pass)),
            Err(retry_in) => {
                Err(BreakerError::Open { breaker: Arc::clone(&self.0.name), retry_in })
            }
        }
    }

    /// Changes something and tells the new state if there is one.
    fn change<R>(&self, change: impl FnOnce(&mut State, Duration) -> R) -> R {
        let mut state = self.0.state();
        let before = BreakerState::from(state.machine.state());
        let result = change(&mut state, self.0.origin.elapsed());
        let after = BreakerState::from(state.machine.state());
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

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Breaker({})", self.0.name)
    }
}
