//! Jobs that go on over a restart of the program where they were.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use heights::Table;
use heights::periodic::{LastRuns, Missed, Periodic, cron};
use heights::prelude::*;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::{MARCH, MINUTE, SECOND, Wall, next, start};

type Remembered = Table<String, u64>;

/// Starts an hourly job of a program that was down for some hours, and returns the minutes at which
/// it runs, counted from that start.
async fn runs_after_a_restart(missed: Missed, runs: &Remembered, count: usize) -> Vec<u64> {
    let wall = Wall::at(MARCH + 5 * 3600 + 1200);
    let describe = |job| cron("@hourly", job).unwrap().on_missed(missed);
    let remembered = |job: Periodic<_>| job.remembered("hourly", runs.clone());
    let (root, _, mut heard) =
        start(|job| remembered(describe(job)).wall_clock(wall.reader()), SECOND).await;
    let seen = next(&mut heard, count).await;
    root.stop().await;
    seen.iter().map(|second| second / 60).collect()
}

#[tokio::test(start_paused = true)]
async fn m111_times_between_two_lives_of_the_program_are_skipped_or_run_once_or_all() {
    for (missed, minutes) in [
        (Missed::Skip, vec![40, 100]),
        (Missed::RunOnce, vec![0, 40, 100]),
        (Missed::RunAll(3), vec![0, 0, 0, 40]),
    ] {
        let runs = Remembered::builder("runs").build();
        let last = SystemTime::UNIX_EPOCH + Duration::from_secs(MARCH + 2 * 3600);
        runs.note("hourly", last).unwrap();
        let seen = runs_after_a_restart(missed, &runs, minutes.len()).await;
        assert_eq!(seen, minutes, "{missed:?}");
    }
    let nothing_known = Remembered::builder("runs").build();
    assert_eq!(runs_after_a_restart(Missed::RunOnce, &nothing_known, 1).await, [40]);
}

#[tokio::test(start_paused = true)]
async fn m111_what_was_dealt_with_is_remembered_to_the_minute() {
    let runs = Remembered::builder("runs").build();
    assert_eq!(runs_after_a_restart(Missed::RunOnce, &runs, 1).await, [40]);
    let six = SystemTime::UNIX_EPOCH + Duration::from_secs(MARCH + 6 * 3600);
    assert_eq!(runs.last("hourly").unwrap(), Some(six));
    // The program starts again at 05:20 as its clock is set back: nothing is late.
    assert_eq!(runs_after_a_restart(Missed::RunOnce, &runs, 1).await, [40]);
}

#[tokio::test(start_paused = true)]
async fn m111_an_interval_goes_on_over_a_restart_in_step() {
    let wall = Wall::at(MARCH);
    let runs = Remembered::builder("runs").build();
    let job = |job| every(10 * MINUTE, job).unwrap().remembered("job", runs.clone());
    let (root, _, mut heard) =
        start(|told| job(told).wall_clock(wall.reader()), Duration::ZERO).await;
    assert_eq!(next(&mut heard, 2).await, [0, 600]);
    root.stop().await;
    sleep(3 * MINUTE).await;
    // In time: it waits for the rest of the interval instead of running at once.
    let (root, _, mut heard) =
        start(|told| job(told).wall_clock(wall.reader()), Duration::ZERO).await;
    assert_eq!(next(&mut heard, 2).await, [420, 1020]);
    root.stop().await;
    sleep(25 * MINUTE).await;
    // Too late: one run stands for two, and the next is in step with the first of all.
    let (root, periodic, mut heard) =
        start(|told| job(told).wall_clock(wall.reader()), Duration::ZERO).await;
    assert_eq!(next(&mut heard, 2).await, [0, 300]);
    assert_eq!(periodic.info().missed, 1);
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn m111_a_run_that_panics_is_not_repeated_where_it_is_remembered() {
    let (told, mut heard) = mpsc::unbounded_channel();
    let begin = Instant::now();
    let job = every(MINUTE, move || {
        told.send(begin.elapsed().as_secs()).unwrap();
        async { panic!("on purpose") }
    });
    let runs = Remembered::builder("runs").build();
    let wall = Wall::at(MARCH).reader();
    let spec = job.unwrap().remembered("job", runs).wall_clock(wall).child_spec("job");
    let root = Supervisor::builder("root").child(spec).start().await.unwrap();
    assert_eq!(next(&mut heard, 3).await, [0, 60, 120]);
    root.stop().await;
}

/// Fails the first so many times that it is asked.
struct Forgetful(AtomicU64);

impl LastRuns for Forgetful {
    fn last(&self, _: &str) -> Result<Option<SystemTime>, Fault> {
        let fails = |left: u64| left.checked_sub(1);
        match self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fails) {
            Ok(_) => Err("the memory is away".into()),
            Err(_) => Ok(None),
        }
    }

    fn note(&self, _: &str, _: SystemTime) -> Result<(), Fault> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn m111_who_cannot_remember_is_restarted_and_runs_then() {
    let job = |job| every(MINUTE, job).unwrap().remembered("job", Forgetful(AtomicU64::new(2)));
    let (root, _, mut heard) = start(job, Duration::ZERO).await;
    assert_eq!(next(&mut heard, 2).await, [0, 60]);
    assert_eq!(root.hub().unwrap().find("root/job").unwrap().incarnation(), 3);
    root.stop().await;
}
