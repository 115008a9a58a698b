//! Where the description of a job begins: with when it runs.

use std::future::Future;
use std::time::Duration;

use heights_supervisor::Fault;

use super::Periodic;
use super::rhythm::{Rhythm, ScheduleError};

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
    Ok(Periodic::new(Rhythm::every(interval)?, job))
}

/// Describes a job that runs at once and then an interval after the end of each run.
///
/// ```
/// use std::time::Duration;
/// use heights::periodic::after_each;
///
/// async fn poll() -> Result<(), heights::Fault> {
///     Ok(())
/// }
///
/// // However long an answer takes, there is half a minute between two questions.
/// let polling = after_each(Duration::from_secs(30), poll)?.child_spec("poll");
/// assert!(after_each(Duration::ZERO, poll).is_err());
/// # drop(polling);
/// # Ok::<(), heights::periodic::ScheduleError>(())
/// ```
pub fn after_each<F, Fut>(interval: Duration, job: F) -> Result<Periodic<F>, ScheduleError>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    Ok(Periodic::new(Rhythm::after_each(interval)?, job))
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
    Ok(Periodic::new(Rhythm::cron(expression)?, job))
}

/// Describes a job that runs at the times of a cron expression, by the clocks of a time zone such
/// as `Europe/Berlin`.
///
/// ```
/// use heights::periodic::cron_in;
///
/// let opening = cron_in("Asia/Tokyo", "0 9 * * MON-FRI", || async { Ok(()) })?.child_spec("open");
/// let error = cron_in("Mars/Olympus", "@daily", || async { Ok(()) }).unwrap_err();
/// assert_eq!(error.to_string(), "find the time zone \"Mars/Olympus\"");
/// # drop(opening);
/// # Ok::<(), heights::periodic::ScheduleError>(())
/// ```
pub fn cron_in<F, Fut>(zone: &str, expression: &str, job: F) -> Result<Periodic<F>, ScheduleError>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    Ok(Periodic::new(Rhythm::cron_in(zone, expression)?, job))
}

/// Describes a job that runs only when [`PeriodicRef::tick`](super::PeriodicRef::tick) asks for it:
/// in a test, or for an operator.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights::periodic::{RunEnd, on_demand};
/// use heights::prelude::*;
///
/// let (spec, sweep) = on_demand(|| async { Ok(()) }).child_with_ref("sweep");
/// let root = Supervisor::builder("root").child(spec).start().await?;
/// assert!(matches!(sweep.tick().await?, RunEnd::Done));
/// assert_eq!(sweep.info().started, 1);
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
pub fn on_demand<F, Fut>(job: F) -> Periodic<F>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    Periodic::new(Rhythm::OnDemand, job)
}
