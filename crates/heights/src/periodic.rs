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
//! Times that passed unnoticed, because the machine slept or was too busy, are [`Missed`]; with
//! [`remembered`](Periodic::remembered) also those that came while the program did not run.
//! An interval is measured by a clock that only goes forward, and not while the machine sleeps; a
//! cron expression goes by the clock on the wall, which is looked at twice a minute, so a clock
//! that is set and a machine that slept are noticed.
//! What a cron expression means when clocks are set twice a year is told at
//! [`Cron`].

mod board;
mod clock;
mod describe;
mod memory;
mod rhythm;
mod run;
mod zone;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use heights_core::Plan;
use heights_supervisor::{ChildId, ChildSpec, Fault};

pub use heights_core::{Cron, CronError, CronErrorKind, CronField, Missed, Overlap};

use self::board::Board;
pub use self::board::{PeriodicInfo, PeriodicRef, RunEnd, TickError};
pub use self::describe::{after_each, cron, cron_in, every, on_demand};
pub use self::memory::LastRuns;
use self::memory::Memory;
use self::rhythm::Rhythm;
pub use self::rhythm::ScheduleError;
use self::run::Runner;

/// Describes a periodic job.
///
/// ```
/// use std::time::Duration;
/// use heights::periodic::{Missed, Overlap, cron_in};
/// use heights::prelude::*;
///
/// let backup = cron_in("Europe/Berlin", "30 3 * * *", || async { Ok(()) })?
///     .jitter(Duration::from_secs(600))
///     .timeout(Duration::from_secs(3600))
///     .on_overlap(Overlap::Ignore)
///     .on_missed(Missed::RunOnce)
///     .finish_runs();
/// let hour = Shutdown::Timeout(Duration::from_secs(3600));
/// let root = Supervisor::builder("root").child(backup.child_spec("backup").shutdown(hour));
/// # drop(root);
/// # Ok::<(), heights::periodic::ScheduleError>(())
/// ```
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
    memory: Option<Memory>,
    wall: Wall,
    job: F,
}

type Guard = Arc<dyn Fn() -> bool + Send + Sync>;
type Wall = Arc<dyn Fn() -> SystemTime + Send + Sync>;

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
            memory: None,
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

    /// Goes on, when the program is started again, where it was: the last time that was dealt with is
    /// remembered under this name, and times that came since are [`Missed`].
    ///
    /// What is remembered is a time, not how its run went: a run that the end of the program cuts off
    /// is not repeated, and those of [`Missed::RunAll`] that still wait are lost.
    pub fn remembered(self, job: impl Into<Arc<str>>, runs: impl LastRuns) -> Self {
        Self { memory: Some(Memory { job: job.into(), runs: Arc::new(runs) }), ..self }
    }

    /// Takes all its times away: it runs only when [`PeriodicRef::tick`] asks for it. For tests of
    /// what is described elsewhere.
    pub fn manual(self) -> Self {
        Self { rhythm: Rhythm::OnDemand, ..self }
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
            async move { runner?.run().await }
        });
        (spec, reference)
    }

    fn plan(&self) -> Plan {
        Plan {
            timetable: self.rhythm.timetable(),
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
            .field("memory", &self.memory)
            .finish_non_exhaustive()
    }
}
