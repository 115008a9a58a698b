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
//! | [`max_len(n)`](RegulatorBuilder::max_len) | at most `n` wait; the next is [`Refused`] at once |
//! | [`parent(queue)`](RegulatorBuilder::parent) | the limits of `queue` hold for this one and its siblings together |
//!
//! Who of those who wait comes next is the queue's [`Discipline`]: first come, first served unless
//! it says otherwise.
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
mod place;
mod refused;
mod sight;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use heights_core::QueueId;
use heights_supervisor::ChildSpec;

pub use heights_core::{Discipline, Key, Limits, QueueView, Rate, Request};

pub use self::builder::RegulatorBuilder;
use self::family::Family;
pub use self::permit::{Hold, Permit};
use self::place::Place;
pub use self::refused::Refused;

/// Regulates one queue; cloning gives another handle to the same queue, which goes with the last of
/// them. Permits and nested queues are handles, too.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), heights::Fault> {
/// use heights::regulator::{Limits, Regulator};
///
/// let disk = Regulator::builder("disk").concurrency(1).build();
/// let written = disk.run(async { "written" }).await?;
/// assert_eq!(written, "written");
///
/// let permit = disk.acquire().await?;
/// assert!(disk.try_acquire().is_none());
/// disk.reconfigure(Limits { concurrency: Some(2), ..disk.info().limits });
/// assert!(disk.try_acquire().is_some());
/// drop(permit);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Regulator(Arc<Member>);

/// One queue and the family whose limits it shares; the queue goes with its last handle.
struct Member {
    family: Arc<Family>,
    queue: QueueId,
    name: Arc<str>,
    /// The queue around it, which is there for as long as this one is.
    _around: Option<Regulator>,
}

impl Drop for Member {
    fn drop(&mut self) {
        self.family.remove(self.queue);
    }
}

/// Shows one who holds a permit or waits for one.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), heights::Fault> {
/// # let jobs = heights::Regulator::builder("jobs").build();
/// let permit = jobs.acquire_as("shop").await?;
/// for claim in jobs.holders() {
///     println!("{:?} has held a permit of {} for {:?}", claim.key, claim.queue, claim.age);
/// }
/// # drop(permit);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The name of the queue that was asked.
    pub queue: Arc<str>,
    /// On whose behalf, if that was said.
    pub key: Option<Key>,
    /// How long it has held the permit, or waited.
    pub age: Duration,
}

impl Regulator {
    /// Starts the description of a queue.
    pub fn builder(name: impl Into<Arc<str>>) -> RegulatorBuilder {
        RegulatorBuilder::new(name.into())
    }

    fn new(name: Arc<str>, limits: Limits, around: Option<Self>) -> Self {
        let family = match &around {
            Some(around) => Arc::clone(&around.0.family),
            None => Arc::new(Family::new()),
        };
        let queue = family.add(around.as_ref().map(|around| around.0.queue), limits, &name);
        Self(Arc::new(Member { family, queue, name, _around: around }))
    }

    /// Returns the name of the queue.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Waits in line for a permit, at most as long as the queue's `max_wait`.
    ///
    /// Giving up, by dropping the future, leaves the line without a trace.
    pub async fn acquire(&self) -> Result<Permit, Refused> {
        self.wait_in_line(None, None).await
    }

    /// Waits in line on behalf of `key`, which is shown with the permit and shares one turn in a
    /// [fair](Discipline::Fair) queue.
    pub async fn acquire_as(&self, key: impl Into<Key>) -> Result<Permit, Refused> {
        self.wait_in_line(Some(key.into()), None).await
    }

    /// Waits in line for a permit, at most this long.
    pub async fn acquire_within(&self, max_wait: Duration) -> Result<Permit, Refused> {
        self.wait_in_line(None, Some(max_wait)).await
    }

    /// Waits in line on the terms of the request, or the queue's `max_wait` if it has none.
    pub async fn acquire_with(&self, request: Request) -> Result<Permit, Refused> {
        self.wait_in_line(request.key, request.max_wait).await
    }

    /// Returns a permit if there is one right now and nobody waits.
    pub fn try_acquire(&self) -> Option<Permit> {
        let grant = self.0.family.try_take(self.0.queue)?;
        Some(Permit::new(self.clone(), grant))
    }

    /// Runs a future while holding a permit; it is first polled when there is one.
    ///
    /// A future that counts time from when it was made, as `sleep` does, also counts the wait: put
    /// it into an `async` block.
    ///
    /// ```
    /// # use heights::prelude::*;
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Fault> {
    /// let jobs = Regulator::builder("jobs").concurrency(2).build();
    /// let nap = async { tokio::time::sleep(Duration::from_millis(1)).await };
    /// jobs.run(nap).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run<F: Future>(&self, work: F) -> Result<F::Output, Refused> {
        let _permit = self.acquire().await?;
        Ok(work.await)
    }

    /// Returns a permit for work that already runs: at once, and over the limit if need be.
    ///
    /// It counts against the concurrency from now on and never counted against the rate.
    pub fn adopt(&self) -> Permit {
        Permit::new(self.clone(), self.0.family.adopt(self.0.queue))
    }

    /// Admits nothing new, here and in nested queues, until the hold is dropped.
    ///
    /// Waiters stay in line. Several holds add up. Made for a start that must first
    /// [`adopt`](Self::adopt) what still runs.
    pub fn hold(&self) -> Hold {
        self.0.family.hold(self.0.queue);
        Hold::new(self.clone())
    }

    /// Changes the limits; held permits stay valid, and what the rate has already given counts.
    ///
    /// A shorter queue and another discipline hold for those who wait, who keep the patience they
    /// came with.
    pub fn reconfigure(&self, limits: Limits) {
        self.0.family.reconfigure(self.0.queue, limits);
    }

    /// Shows the queue as it is now.
    pub fn info(&self) -> QueueView {
        self.0.family.view(self.0.queue)
    }

    /// Shows who holds permits of this queue and of those inside it, the oldest first.
    pub fn holders(&self) -> Vec<Claim> {
        self.0.family.holders(self.0.queue)
    }

    /// Shows who waits in this queue and in those inside it, the oldest first.
    pub fn waiters(&self) -> Vec<Claim> {
        self.0.family.waiters(self.0.queue)
    }

    /// Describes the process that runs the queue's clock; its id is the queue's name.
    ///
    /// Only rates need a clock. Without the process the queue works all the same: then those who wait
    /// take turns at watching it.
    pub fn child_spec(&self) -> ChildSpec {
        let family = Arc::clone(&self.0.family);
        ChildSpec::task(self.0.name.to_string(), move |cx| {
            let family = Arc::clone(&family);
            async move {
                let shown = Arc::clone(&family);
                cx.show(move |view| shown.show(view));
                tokio::select! {
                    () = cx.shutdown() => Ok(()),
                    never = family.drive() => match never {},
                }
            }
        })
    }

    async fn wait_in_line(
        &self,
        key: Option<Key>,
        max_wait: Option<Duration>,
    ) -> Result<Permit, Refused> {
        let place = match Place::take(&self.0.family, self.0.queue, key, max_wait) {
            Ok(grant) => return Ok(Permit::new(self.clone(), grant)),
            Err(place) => place,
        };
        let waited = place.max_wait();
        match place.end().await {
            Ok(grant) => Ok(Permit::new(self.clone(), grant)),
            Err(why) => Err(Refused::by(Arc::clone(&self.0.name), why, waited)),
        }
    }
}

impl fmt::Debug for Regulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Regulator({})", self.0.name)
    }
}
