//! Line 111 of the conformance list: periodic jobs under a clock that stands still.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod remembered;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use heights::SupervisorRef;
use heights::periodic::{
    Missed, Overlap, Periodic, RunEnd, ScheduleError, TickError, after_each, cron, cron_in,
    on_demand,
};
use heights::prelude::*;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

const MINUTE: Duration = Duration::from_secs(60);
const CEILING: Duration = Duration::from_secs(90 * 24 * 3600);

/// Starts a periodic job that tells when it runs; what it does then is up to the caller.
async fn ticks<Fut>(
    delay: Duration,
    job: impl Fn(usize) -> Fut + Send + Sync + 'static,
) -> (SupervisorRef, mpsc::UnboundedReceiver<u64>)
where
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    let (told, heard) = mpsc::unbounded_channel();
    let (start, runs) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let periodic = every(MINUTE, move || {
        told.send(start.elapsed().as_secs()).unwrap();
        job(runs.fetch_add(1, Ordering::SeqCst))
    });
    let spec = periodic.unwrap().initial_delay(delay).child_spec("tick");
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
async fn m111_runs_at_regular_times_after_its_initial_delay() {
    let (root, mut heard) = ticks(MINUTE / 2, |_| async { Ok(()) }).await;
    assert_eq!(next(&mut heard, 3).await, [30, 90, 150]);
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn m111_times_within_a_long_run_are_skipped_and_do_not_shift() {
    let job = |run| async move {
        sleep(if run == 0 { MINUTE * 5 / 2 } else { Duration::ZERO }).await;
        Ok(())
    };
    let (root, mut heard) = ticks(Duration::ZERO, job).await;
    assert_eq!(next(&mut heard, 3).await, [0, 180, 240]);
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn m111_a_failure_does_not_end_the_job_and_a_panic_restarts_it() {
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
async fn m111_does_not_drift_over_thirty_days() {
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
async fn m111_a_stop_does_not_wait_for_a_run() {
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

type Heard = mpsc::UnboundedReceiver<u64>;

/// Runs a job that tells the second at which it starts and then takes this long.
async fn start<F, Fut>(
    describe: impl FnOnce(Box<dyn Fn() -> BoxFuture + Send + Sync>) -> Periodic<F>,
    takes: Duration,
) -> (SupervisorRef, heights::periodic::PeriodicRef, Heard)
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    let (told, heard) = mpsc::unbounded_channel();
    let begin = Instant::now();
    let job = describe(Box::new(move || {
        told.send(begin.elapsed().as_secs()).unwrap();
        Box::pin(async move {
            sleep(takes).await;
            Ok(())
        })
    }));
    let (spec, periodic) = job.child_with_ref("job");
    (Supervisor::builder("root").child(spec).start().await.unwrap(), periodic, heard)
}

type BoxFuture = std::pin::Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn m111_regular_counts_from_start_to_start_and_shifted_from_end_to_start() {
    let (root, _, mut heard) = start(|job| every(MINUTE, job).unwrap(), 30 * SECOND).await;
    assert_eq!(next(&mut heard, 3).await, [0, 60, 120]);
    root.stop().await;
    let (root, _, mut heard) = start(|job| after_each(MINUTE, job).unwrap(), 30 * SECOND).await;
    assert_eq!(next(&mut heard, 3).await, [0, 90, 180]);
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn m111_three_ways_to_meet_a_run_that_is_under_way() {
    for (overlap, running, replaced) in
        [(Overlap::Ignore, 1, false), (Overlap::Run, 3, false), (Overlap::StopPrevious, 1, true)]
    {
        let (root, periodic, mut heard) =
            start(|job| every(MINUTE, job).unwrap().on_overlap(overlap), 150 * SECOND).await;
        let starts = if overlap == Overlap::Ignore { vec![0, 180] } else { vec![0, 60, 120] };
        sleep(121 * SECOND).await;
        let info = periodic.info();
        assert_eq!(info.running.len(), running, "{overlap:?}");
        assert_eq!(matches!(info.last, Some(RunEnd::Replaced)), replaced, "{overlap:?}");
        assert_eq!(info.overlapped, if overlap == Overlap::Ignore { 2 } else { 0 });
        assert_eq!(next(&mut heard, starts.len()).await, starts, "{overlap:?}");
        root.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn m111_a_run_that_is_replaced_has_let_go_before_the_next_starts() {
    let alone = Arc::new(tokio::sync::Mutex::new(()));
    let job = every(MINUTE, move || {
        let alone = Arc::clone(&alone);
        async move {
            let _held = alone.try_lock()?;
            std::future::pending().await
        }
    });
    let job = job.unwrap().on_overlap(Overlap::StopPrevious);
    let (spec, periodic) = job.child_with_ref("job");
    let root = Supervisor::builder("root").child(spec).start().await.unwrap();
    sleep(MINUTE * 10 + SECOND).await;
    assert_eq!((periodic.info().started, periodic.info().failed), (11, 0));
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn m111_a_run_that_takes_too_long_is_dropped_and_told() {
    let (root, periodic, mut heard) =
        start(|job| every(MINUTE, job).unwrap().timeout(10 * SECOND), CEILING).await;
    assert_eq!(next(&mut heard, 2).await, [0, 60]);
    let info = periodic.info();
    assert!(matches!(info.last, Some(RunEnd::TimedOut(longest)) if longest == 10 * SECOND));
    assert_eq!((info.failed, info.running.len()), (1, 1));
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn m111_the_guard_is_asked_at_each_time() {
    let open = Arc::new(AtomicBool::new(false));
    let guard = Arc::clone(&open);
    let when = move || guard.load(Ordering::SeqCst);
    let (root, periodic, mut heard) =
        start(|job| every(MINUTE, job).unwrap().when(when), Duration::ZERO).await;
    sleep(90 * SECOND).await;
    assert_eq!(periodic.info().started, 0);
    open.store(true, Ordering::SeqCst);
    assert_eq!(next(&mut heard, 2).await, [120, 180]);
    assert_eq!(periodic.info().overlapped + periodic.info().missed, 0);
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn m111_jitter_puts_off_and_does_not_add_up() {
    let (root, _, mut heard) =
        start(|job| every(MINUTE, job).unwrap().jitter(20 * SECOND), Duration::ZERO).await;
    let seen = next(&mut heard, 200).await;
    let offsets: Vec<_> = (0..).zip(&seen).map(|(turn, at)| at - turn * 60).collect();
    assert!(offsets.iter().all(|offset| *offset <= 20), "{offsets:?}");
    assert!(offsets.iter().any(|offset| *offset != offsets[0]), "{offsets:?}");
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn m111_times_missed_in_a_standstill_are_skipped_or_run_once_or_all() {
    for (missed, starts) in [
        (Missed::Skip, vec![0, 2400]),
        (Missed::RunOnce, vec![0, 2100, 2400]),
        (Missed::RunAll(2), vec![0, 2100, 2101, 2400]),
    ] {
        let (root, periodic, mut heard) =
            start(|job| every(10 * MINUTE, job).unwrap().on_missed(missed), SECOND).await;
        assert_eq!(next(&mut heard, 1).await, [0]);
        sleep(2 * SECOND).await;
        // Nobody runs while the clock jumps over 600, 1200 and 1800.
        tokio::time::advance(35 * MINUTE - 2 * SECOND).await;
        let mut seen = vec![0];
        seen.extend(next(&mut heard, starts.len() - 1).await);
        assert_eq!(seen, starts, "{missed:?}");
        assert_eq!(periodic.info().missed, 5 - starts.len() as u64, "{missed:?}");
        root.stop().await;
    }
}

/// A clock on the wall that goes with the paused one and can be set forward.
#[derive(Clone)]
struct Wall {
    start: SystemTime,
    begin: Instant,
    ahead: Arc<AtomicU64>,
}

impl Wall {
    fn at(unix_seconds: u64) -> Self {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(unix_seconds);
        Self { start, begin: Instant::now(), ahead: Arc::default() }
    }

    fn reader(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static {
        let wall = self.clone();
        move || {
            let ahead = Duration::from_secs(wall.ahead.load(Ordering::SeqCst));
            wall.start + wall.begin.elapsed() + ahead
        }
    }
}

/// 2027-03-01 00:00 UTC; Berlin skips an hour on the 28th.
const MARCH: u64 = 1_803_859_200;
const DAY: u64 = 24 * 3600;

#[tokio::test(start_paused = true)]
async fn m111_a_nightly_job_in_berlin_over_thirty_days_and_the_start_of_summer() {
    let wall = Wall::at(MARCH);
    let describe = |job| cron_in("Europe/Berlin", "30 2 * * *", job).unwrap();
    let (root, _, mut heard) =
        start(|job| describe(job).wall_clock(wall.reader()), 90 * SECOND).await;
    let seen = next(&mut heard, 30).await;
    for (day, at) in (0..).zip(seen) {
        let after_midnight = match day {
            0..27 => 90,
            27 => 60, // There is no 02:30; 03:00 is an hour after midnight in UTC.
            _ => 30,
        };
        assert_eq!(at, day * DAY + after_midnight * 60, "day {day}");
    }
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn m111_a_machine_that_slept_is_noticed_by_the_clock_on_the_wall() {
    let wall = Wall::at(MARCH);
    let describe = |job| cron("@hourly", job).unwrap().on_missed(Missed::RunOnce);
    let (root, periodic, mut heard) =
        start(|job| describe(job).wall_clock(wall.reader()), SECOND).await;
    assert_eq!(next(&mut heard, 1).await, [3600]);
    wall.ahead.store(4 * 3600 + 1200, Ordering::SeqCst);
    let caught_up = next(&mut heard, 1).await[0];
    assert!(caught_up <= 3600 + 31, "{caught_up}");
    assert_eq!(periodic.info().missed, 3);
    // It is 05:20 and a bit; the next hour is 40 minutes away.
    assert_eq!(next(&mut heard, 1).await, [3600 + 2400]);
    root.stop().await;
}

#[test]
fn m111_what_cannot_be_repeated_has_a_name() {
    async fn job() -> Result<(), Fault> {
        Ok(())
    }
    let check = |error: ScheduleError, expected: &str| assert_eq!(error.to_string(), expected);
    check(every(Duration::ZERO, job).unwrap_err(), "repeat a job without a pause");
    check(after_each(Duration::ZERO, job).unwrap_err(), "repeat a job without a pause");
    let column = "read the cron expression at column 3: 24 is no hour, which is 0 to 23";
    check(cron("0 24 * * *", job).unwrap_err(), column);
    let unknown = cron_in("Mars/Olympus", "@daily", job).unwrap_err();
    check(unknown, "find the time zone \"Mars/Olympus\"");
}

#[tokio::test(start_paused = true)]
async fn m111_a_manual_tick_waits_for_the_end_and_tells_it() {
    let job = on_demand(|| async {
        sleep(SECOND).await;
        Err("a failure on purpose".into())
    });
    let (spec, periodic) = job.child_with_ref("job");
    let root = Supervisor::builder("root").child(spec).start().await.unwrap();
    sleep(CEILING).await;
    assert_eq!((periodic.info().started, periodic.info().next_in), (0, None));
    let (first, second) = tokio::join!(periodic.tick(), periodic.tick());
    assert_eq!(first.unwrap().to_string(), "failed: a failure on purpose");
    assert_eq!(second.unwrap_err(), TickError::Overlapped);
    root.stop().await;
    assert_eq!(periodic.tick().await.unwrap_err(), TickError::NotRunning);
}

#[tokio::test(start_paused = true)]
async fn m111_who_asked_for_a_run_that_panics_is_told() {
    let job = on_demand(|| async { panic!("on purpose") });
    let (spec, periodic) = job.child_with_ref("job");
    let root = Supervisor::builder("root").child(spec).start().await.unwrap();
    let end = timeout(CEILING, periodic.tick()).await.expect("waited in vain for the panic");
    assert_eq!(end.unwrap_err(), TickError::Down);
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn m111_a_run_may_finish_after_a_stop_if_it_is_told_so() {
    for (finishes, done) in [(true, true), (false, false)] {
        let (root, periodic, mut heard) = start(
            |job| {
                let job = every(MINUTE, job).unwrap();
                if finishes { job.finish_runs() } else { job }
            },
            SECOND,
        )
        .await;
        next(&mut heard, 1).await;
        root.stop().await;
        assert_eq!(matches!(periodic.info().last, Some(RunEnd::Done)), done);
    }
}

#[tokio::test(start_paused = true)]
async fn m111_a_manual_job_has_no_times_of_its_own() {
    let (root, periodic, mut heard) =
        start(|job| every(MINUTE, job).unwrap().manual(), Duration::ZERO).await;
    sleep(10 * MINUTE).await;
    assert_eq!((periodic.info().started, periodic.info().next_in), (0, None));
    assert!(matches!(periodic.tick().await, Ok(RunEnd::Done)));
    assert_eq!(next(&mut heard, 1).await, [600]);
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn m111_an_interval_beyond_the_clock_is_never() {
    let (root, periodic, mut heard) =
        start(|job| every(Duration::MAX, job).unwrap(), Duration::ZERO).await;
    assert_eq!(next(&mut heard, 1).await, [0]);
    sleep(CEILING).await;
    assert_eq!(periodic.info().started, 1);
    root.stop().await;
}
