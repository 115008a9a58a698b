//! What happens again and again.
//!
//! | | runs |
//! |---|---|
//! | [`every`] | at once and at each interval after its start, however long the runs take |
//! | [`after_each`] | at once and an interval after the end of each run |
//! | [`cron`], [`cron_in`] | at the times of a cron expression, in UTC or in a time zone |
//! | [`on_demand`] | when [`PeriodicRef::tick`] asks for it |
//!
//! Each describes a child like any other: give its [`child_spec`](Periodic::child_spec) to a
//! supervisor.
//!
//! | the job | then |
//! |---|---|
//! | returns `Ok` | the next time comes as planned |
//! | returns `Err` | it is reported, the next time comes as planned |
//! | takes longer than its [`timeout`](Periodic::timeout) | it is dropped where it awaits and reported, the next time comes as planned |
//! | still runs when the next time comes | its [`Overlap`] decides; unless told otherwise the time is skipped |
//! | panics | the child is restarted, or not, by its supervisor; other runs are dropped |
//! | runs when a stop is asked for | it is dropped where it awaits, or [may finish](Periodic::finish_runs) |
//!
//! Times that passed unnoticed, because the machine slept or was too busy, are [`Missed`].
//! An interval is measured by a clock that only goes forward, and not while the machine sleeps; a
//! cron expression goes by the clock on the wall, which is looked at twice a minute, so a clock
//! that is set and a machine that slept are noticed.
//! What a cron expression means when clocks are set twice a year is told at
//! [`Cron`].

mod board;
mod clock;
mod run;
mod zone;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use heights_core::{Cron, CronError, Plan, Timetable};
use heights_supervisor::{ChildId, ChildSpec, Fault};

pub use heights_core::{Missed, Overlap};

use self::board::Board;
pub use self::board::{PeriodicInfo, PeriodicRef, RunEnd, TickError};
use self::clock::Clock;
use self::run::Runner;
use self::zone::TzZone;

/// Describes a periodic job.
#[must_use = "a job runs only as a child"]
pub struct Periodic<F> {
    rhythm: Rhythm,
    initial_delay: Duration,
    jitter: Duration,
    overlap: Overlap,
    missed: Missed,
    timeout: Option<Duration>,
    finishes: bool,
    guard: Guard,
    wall: Wall,
    job: F,
}

/// Says why a job cannot be repeated like that.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// There is no time between two runs.
    #[error("repeat a job without a pause")]
    ZeroPeriod,
    /// The cron expression is not one.
    #[error(transparent)]
    Cron(#[from] CronError),
    /// Nobody knows what the clocks show there.
    #[error("find the time zone {name:?}")]
    UnknownZone {
        /// The name that was given.
        name: String,
        /// What the database of time zones said.
        #[source]
        cause: Fault,
    },
}

type Guard = Arc<dyn Fn() -> bool + Send + Sync>;
type Wall = Arc<dyn Fn() -> SystemTime + Send + Sync>;

#[derive(Debug, Clone)]
enum Rhythm {
    Every(Duration),
    AfterEach(Duration),
    Cron(Cron, TzZone),
    OnDemand,
}

/// Describes a job that runs at once and then at each interval after its start.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use heights::prelude::*;
///
/// let (told, mut ticks) = tokio::sync::mpsc::unbounded_channel();
/// let job = every(Duration::from_millis(1), move || {
///     let told = told.clone();
///     async move { Ok(told.send("tick")?) }
/// })?;
/// let root = Supervisor::builder("clock").child(job.child_spec("ticker")).start().await?;
/// assert_eq!(ticks.recv().await, Some("tick"));
/// assert_eq!(ticks.recv().await, Some("tick"));
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
pub fn every<F, Fut>(interval: Duration, job: F) -> Result<Periodic<F>, ScheduleError>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    Ok(Periodic::new(Rhythm::Every(pause(interval)?), job))
}

/// Describes a job that runs at once and then an interval after the end of each run.
pub fn after_each<F, Fut>(interval: Duration, job: F) -> Result<Periodic<F>, ScheduleError>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    Ok(Periodic::new(Rhythm::AfterEach(pause(interval)?), job))
}

/// Describes a job that runs at the times of a cron expression, in UTC.
///
/// ```
/// use heights::periodic::cron;
///
/// let nightly = cron("30 3 * * *", || async { Ok(()) })?;
/// let error = cron("30 25 * * *", || async { Ok(()) }).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "read the cron expression at column 4: 25 is no hour, which is 0 to 23",
/// );
/// # drop(nightly);
/// # Ok::<(), heights::periodic::ScheduleError>(())
/// ```
pub fn cron<F, Fut>(expression: &str, job: F) -> Result<Periodic<F>, ScheduleError>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    Ok(Periodic::new(Rhythm::Cron(expression.parse()?, TzZone::utc()), job))
}

/// Describes a job that runs at the times of a cron expression, by the clocks of a time zone such
/// as `Europe/Berlin`.
pub fn cron_in<F, Fut>(zone: &str, expression: &str, job: F) -> Result<Periodic<F>, ScheduleError>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    let zone = TzZone::named(zone)
        .map_err(|cause| ScheduleError::UnknownZone { name: zone.to_owned(), cause })?;
    Ok(Periodic::new(Rhythm::Cron(expression.parse()?, zone), job))
}

/// Describes a job that runs only when [`PeriodicRef::tick`] asks for it: in a test, or for an
/// operator.
pub fn on_demand<F, Fut>(job: F) -> Periodic<F>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    Periodic::new(Rhythm::OnDemand, job)
}

fn pause(interval: Duration) -> Result<Duration, ScheduleError> {
    if interval.is_zero() { Err(ScheduleError::ZeroPeriod) } else { Ok(interval) }
}

impl<F, Fut> Periodic<F>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    fn new(rhythm: Rhythm, job: F) -> Self {
        Self {
            rhythm,
            initial_delay: Duration::ZERO,
            jitter: Duration::ZERO,
            overlap: Overlap::default(),
            missed: Missed::default(),
            timeout: None,
            finishes: false,
            guard: Arc::new(|| true),
            wall: Arc::new(SystemTime::now),
            job,
        }
    }

    /// Waits before the first run, and again after a restart; times of a cron expression that come
    /// sooner pass.
    pub fn initial_delay(self, delay: Duration) -> Self {
        Self { initial_delay: delay, ..self }
    }

    /// Puts each time off by up to this much, at random, so that many of a kind don't all start at
    /// once. The times behind it stay where they are.
    pub fn jitter(self, most: Duration) -> Self {
        Self { jitter: most, ..self }
    }

    /// Lets a time pass, without a trace, when the guard says no.
    pub fn when(self, guard: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { guard: Arc::new(guard), ..self }
    }

    /// Says what happens to a run whose time comes while another is under way.
    pub fn on_overlap(self, overlap: Overlap) -> Self {
        Self { overlap, ..self }
    }

    /// Says what happens to times that passed unnoticed.
    pub fn on_missed(self, missed: Missed) -> Self {
        Self { missed, ..self }
    }

    /// Drops a run that takes longer.
    pub fn timeout(self, longest: Duration) -> Self {
        Self { timeout: Some(longest), ..self }
    }

    /// Lets runs finish when a stop is asked for, as long as the child's shutdown lasts.
    pub fn finish_runs(self) -> Self {
        Self { finishes: true, ..self }
    }

    /// Reads the clock on the wall from here: for tests, whose clock can be stopped and set.
    pub fn wall_clock(self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { wall: Arc::new(now), ..self }
    }

    /// Makes it a child.
    pub fn child_spec(self, id: impl Into<ChildId>) -> ChildSpec {
        self.child_with_ref(id).0
    }

    /// Makes it a child, and a reference that can ask for runs and show how they went.
    pub fn child_with_ref(self, id: impl Into<ChildId>) -> (ChildSpec, PeriodicRef) {
        let (job, board) = (Arc::new(self), Arc::new(Board::default()));
        let reference = PeriodicRef::new(Arc::clone(&board));
        let spec = ChildSpec::task(id, move |cx| {
            let runner = Runner::new(Arc::clone(&job), &board, cx);
            async move {
                runner.run().await;
                Ok(())
            }
        });
        (spec, reference)
    }

    fn clock(&self) -> Clock {
        match self.rhythm {
            Rhythm::Cron(..) => Clock::wall(Arc::clone(&self.wall)),
            Rhythm::Every(_) | Rhythm::AfterEach(_) | Rhythm::OnDemand => Clock::elapsed(),
        }
    }

    fn plan(&self) -> Plan {
        let timetable = match self.rhythm.clone() {
            Rhythm::Every(interval) => Timetable::Regular(interval),
            Rhythm::AfterEach(interval) => Timetable::Shifted(interval),
            Rhythm::Cron(cron, zone) => {
                Timetable::Calendar(Box::new(move |after| cron.next_after(after, &zone)))
            }
            Rhythm::OnDemand => Timetable::Manual,
        };
        Plan {
            timetable,
            initial_delay: self.initial_delay,
            jitter: self.jitter,
            overlap: self.overlap,
            missed: self.missed,
        }
    }
}

impl<F> fmt::Debug for Periodic<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Periodic")
            .field("rhythm", &self.rhythm)
            .field("overlap", &self.overlap)
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}
