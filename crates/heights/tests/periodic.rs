//! Line 111 of the conformance list, as far as `every` goes.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use heights::prelude::*;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

const MINUTE: Duration = Duration::from_secs(60);
const CEILING: Duration = Duration::from_secs(90 * 24 * 3600);

/// Starts a periodic job that tells when it runs; what it does then is up to the caller.
async fn ticks<Fut>(
    delay: Duration,
    job: impl Fn(usize) -> Fut + Send + Sync + 'static,
) -> (heights::SupervisorRef, mpsc::UnboundedReceiver<u64>)
where
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    let (told, heard) = mpsc::unbounded_channel();
    let (start, runs) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let periodic = every(MINUTE, move || {
        told.send(start.elapsed().as_secs()).unwrap();
        job(runs.fetch_add(1, Ordering::SeqCst))
    });
    let spec = periodic.initial_delay(delay).child_spec("tick");
    (Supervisor::builder("root").child(spec).start().await.unwrap(), heard)
}

async fn next(heard: &mut mpsc::UnboundedReceiver<u64>, count: usize) -> Vec<u64> {
    let mut seen = Vec::new();
    while seen.len() < count {
        seen.push(
            timeout(CEILING, heard.recv()).await.expect("waited in vain for a tick").unwrap(),
        );
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn l111_runs_at_regular_times_after_its_initial_delay() {
    let (root, mut heard) = ticks(MINUTE / 2, |_| async { Ok(()) }).await;
    assert_eq!(next(&mut heard, 3).await, [30, 90, 150]);
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn l111_times_within_a_long_run_are_skipped_and_do_not_shift() {
    let job = |run| async move {
        sleep(if run == 0 { MINUTE * 5 / 2 } else { Duration::ZERO }).await;
        Ok(())
    };
    let (root, mut heard) = ticks(Duration::ZERO, job).await;
    assert_eq!(next(&mut heard, 3).await, [0, 180, 240]);
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn l111_a_failure_does_not_end_the_job_and_a_panic_restarts_it() {
    let job = |run| async move {
        assert_ne!(run, 2, "a panic on purpose");
        if run == 0 { Err("a failure on purpose".into()) } else { Ok(()) }
    };
    let (root, mut heard) = ticks(Duration::ZERO, job).await;
    assert_eq!(next(&mut heard, 4).await, [0, 60, 120, 120]);
    let restarted = root.hub().unwrap().find("root/tick").unwrap();
    assert_eq!(restarted.incarnation(), 2);
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn l111_does_not_drift_over_thirty_days() {
    let job = |_| async {
        sleep(Duration::from_millis(1234)).await;
        Ok(())
    };
    let (root, mut heard) = ticks(Duration::ZERO, job).await;
    let days = 30 * 24 * 60;
    assert_eq!(next(&mut heard, days + 1).await.last(), Some(&(days as u64 * 60)));
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn l111_a_stop_does_not_wait_for_a_run() {
    let (root, mut heard) = ticks(Duration::ZERO, |_| async {
        sleep(CEILING).await;
        Ok(())
    })
    .await;
    next(&mut heard, 1).await;
    let stopped = Instant::now();
    root.stop().await;
    assert!(stopped.elapsed() < Duration::from_secs(1));
}
