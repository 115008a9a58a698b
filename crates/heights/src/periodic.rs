//! What happens again and again.
//!
//! [`every`] describes a child that runs a job at regular times, counted from its start: a job that
//! takes long does not shift those that follow. A time that falls into a running job is skipped,
//! so a job never overlaps itself.
//!
//! | the job | then |
//! |---|---|
//! | returns `Ok` | the next time comes as planned |
//! | returns `Err` | it is reported, the next time comes as planned |
//! | panics | the child is restarted, or not, by its supervisor |
//! | runs when a stop is asked for | it is dropped where it awaits |

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use heights_supervisor::{ChildId, ChildSpec, Fault, TaskContext};
use tokio::time::{Instant, sleep_until};

/// Describes a periodic job.
#[derive(Debug, Clone)]
#[must_use = "a job runs only as a child"]
pub struct Periodic<F> {
    interval: Duration,
    initial_delay: Duration,
    job: F,
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
/// });
/// let root = Supervisor::builder("clock").child(job.child_spec("ticker")).start().await?;
/// assert_eq!(ticks.recv().await, Some("tick"));
/// assert_eq!(ticks.recv().await, Some("tick"));
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
pub fn every<F, Fut>(interval: Duration, job: F) -> Periodic<F>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    Periodic { interval, initial_delay: Duration::ZERO, job }
}

impl<F, Fut> Periodic<F>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    /// Waits before the first run, and again after a restart.
    pub fn initial_delay(self, delay: Duration) -> Self {
        Self { initial_delay: delay, ..self }
    }

    /// Makes it a child.
    pub fn child_spec(self, id: impl Into<ChildId>) -> ChildSpec {
        let (interval, delay, job) = (self.interval, self.initial_delay, Arc::new(self.job));
        ChildSpec::task(id, move |cx| {
            let job = Arc::clone(&job);
            async move {
                tokio::select! {
                    () = cx.shutdown() => Ok(()),
                    () = tick(&cx, delay, interval, &*job) => Ok(()),
                }
            }
        })
    }
}

async fn tick<Fut>(cx: &TaskContext, delay: Duration, interval: Duration, job: impl Fn() -> Fut)
where
    Fut: Future<Output = Result<(), Fault>>,
{
    let first = Instant::now() + delay;
    let mut due = first;
    loop {
        sleep_until(due).await;
        if let Err(error) = job().await {
            tracing::warn!(job = cx.name(), %error, "the periodic job failed");
        }
        due = first + next_offset(first.elapsed(), interval);
    }
}

/// Returns the first regular time after `elapsed`, as an offset from the first.
fn next_offset(elapsed: Duration, interval: Duration) -> Duration {
    let interval = interval.max(Duration::from_millis(1)).as_nanos();
    let next = (elapsed.as_nanos() / interval + 1).saturating_mul(interval);
    Duration::from_nanos(u64::try_from(next).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_time_is_regular_and_in_the_future() {
        let seconds = |elapsed| {
            next_offset(Duration::from_secs_f32(elapsed), Duration::from_secs(10)).as_secs()
        };
        assert_eq!([0.0, 9.5, 10.0, 35.0].map(seconds), [10, 10, 20, 40]);
    }
}
