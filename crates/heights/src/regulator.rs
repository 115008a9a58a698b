//! Load regulation: how much of something happens at once, and how often.
//!
//! A [`Regulator`] is a named queue in front of a scarce thing. Whoever wants it waits for a
//! [`Permit`], first come, first served, and gives it back by dropping it, which also happens when
//! the holder fails or is killed. Queues nest: a permit of `jobs.compile` is also one of `jobs`,
//! taken in one step.
//!
//! | limit | means |
//! |---|---|
//! | [`concurrency(n)`](RegulatorBuilder::concurrency) | at most `n` permits are held at any time |
//! | [`rate(n, period)`](RegulatorBuilder::rate) | at most `n` permits in every window as long as `period`, evenly spaced |
//! | [`burst(b)`](RegulatorBuilder::burst) | up to `b` of them at once after a quiet spell |
//! | [`max_wait(d)`](RegulatorBuilder::max_wait) | who has waited that long is [`Refused`] |
//!
//! Whatever happens to the process that [`Regulator::child_spec`] puts into the tree, the queue and
//! its counts live on with the handles: a restart neither forgets a holder nor forgives a rate.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! use heights::regulator::Regulator;
//!
//! let jobs = Regulator::builder("jobs").concurrency(4).build();
//! let compile = Regulator::builder("jobs.compile").concurrency(2).parent(&jobs).build();
//! let permit = compile.acquire().await?;
//! assert_eq!((jobs.info().held, compile.info().held), (1, 1));
//! drop(permit);
//! assert_eq!(jobs.info().held, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod family;
mod permit;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use heights_supervisor::ChildSpec;

pub use heights_core::{Limits, QueueView, Rate};

pub use self::builder::RegulatorBuilder;
use self::family::{Family, Place};
pub use self::permit::{Hold, Permit};

/// Regulates one queue; cloning gives another handle to the same queue.
#[derive(Clone)]
pub struct Regulator {
    family: Arc<Family>,
    queue: heights_core::QueueId,
    name: Arc<str>,
}

/// Says why there is no permit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The queue did not move fast enough.
    #[error("get a permit from queue {queue} within {waited:?}")]
    TimedOut {
        /// The name of the queue.
        queue: Arc<str>,
        /// How long the caller was willing to wait.
        waited: Duration,
    },
}

impl Regulator {
    /// Starts the description of a queue.
    pub fn builder(name: impl Into<Arc<str>>) -> RegulatorBuilder {
        RegulatorBuilder::new(name.into())
    }

    /// Returns the name of the queue.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Waits in line for a permit, at most as long as the queue's `max_wait`.
    ///
    /// Giving up, by dropping the future, leaves the line without a trace.
    pub async fn acquire(&self) -> Result<Permit, Refused> {
        self.wait_in_line(self.info().limits.max_wait).await
    }

    /// Waits in line for a permit, at most this long.
    pub async fn acquire_within(&self, max_wait: Duration) -> Result<Permit, Refused> {
        self.wait_in_line(Some(max_wait)).await
    }

    /// Runs a future while holding a permit.
    pub async fn run<F: Future>(&self, work: F) -> Result<F::Output, Refused> {
        let _permit = self.acquire().await?;
        Ok(work.await)
    }

    /// Returns a permit for work that already runs: at once, and over the limit if need be.
    ///
    /// It counts against the concurrency from now on and never counted against the rate.
    pub fn adopt(&self) -> Permit {
        self.family.adopt(self.queue);
        Permit::new(self.clone())
    }

    /// Admits nothing new, here and in nested queues, until the hold is dropped.
    ///
    /// Waiters stay in line. Several holds add up. Made for a start that must first
    /// [`adopt`](Self::adopt) what still runs.
    pub fn hold(&self) -> Hold {
        self.family.hold(self.queue);
        Hold::new(self.clone())
    }

    /// Changes the limits; held permits stay valid, and what the rate has already given counts.
    pub fn reconfigure(&self, limits: Limits) {
        self.family.reconfigure(self.queue, limits);
    }

    /// Shows the queue as it is now.
    pub fn info(&self) -> QueueView {
        self.family.view(self.queue)
    }

    /// Describes the process that runs the queue's clock; its id is the queue's name.
    ///
    /// Without one the queue works all the same, but then every waiter watches the clock itself.
    pub fn child_spec(&self) -> ChildSpec {
        let family = Arc::clone(&self.family);
        ChildSpec::task(self.name.to_string(), move |cx| {
            let family = Arc::clone(&family);
            async move {
                let _driving = family.driving();
                tokio::select! {
                    () = cx.shutdown() => Ok(()),
                    never = family.drive() => match never {},
                }
            }
        })
    }

    async fn wait_in_line(&self, max_wait: Option<Duration>) -> Result<Permit, Refused> {
        let place = Place::take(&self.family, self.queue, max_wait);
        match place.turn().await {
            Some(()) => Ok(Permit::new(self.clone())),
            None => Err(Refused::TimedOut {
                queue: Arc::clone(&self.name),
                waited: max_wait.unwrap_or_default(),
            }),
        }
    }
}

impl fmt::Debug for Regulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Regulator({})", self.name)
    }
}
