//! Starting runners, and what keeps two of them from one directory.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ci_exec::{Launcher, OpenError, Outcome, RunDir, RunState, StartError, ping};

use crate::support::{Place, Run, launcher, until, within, written};

#[tokio::test]
async fn states_follow_one_another() {
    let place = Place::with_command("echo up > up; until [ -e go ]; do sleep 0.01; done");
    assert!(matches!(RunDir::open(place.run_dir_path()), Err(OpenError::Missing(_))));
    let dir = place.create();
    assert_eq!(dir.state().unwrap(), RunState::NotStarted);
    assert_eq!(dir.spec().unwrap(), place.spec);
    let identity = launcher().start(&dir).await.unwrap();
    written(&place.file("up")).await;
    assert_eq!(dir.state().unwrap(), RunState::Running(Some(identity)));
    ping(&dir).await.unwrap();
    fs::write(place.file("go"), "").unwrap();
    let run = Run::follow(&dir).await;
    let record = dir.exit_record().unwrap().unwrap();
    assert_eq!(dir.state().unwrap(), RunState::Finished(record));
    assert_eq!(run.outcome, Outcome::Passed);
    until("the runner to end", || !run.dir.identity().unwrap().unwrap().is_alive().unwrap()).await;
    ping(&dir).await.unwrap_err();
}

#[tokio::test]
async fn a_second_runner_does_not_touch_the_directory() {
    let place =
        Place::with_command("echo x >> runs; echo up > up; until [ -e go ]; do sleep 0.01; done");
    let dir = place.start().await;
    written(&place.file("up")).await;
    let second = launcher().start(&dir).await;
    assert!(matches!(second, Err(StartError::AlreadyRunning)), "{second:?}");
    fs::write(place.file("go"), "").unwrap();
    let run = Run::follow(&dir).await;
    assert_eq!(run.outcome, Outcome::Passed);
    until("the runner to let go", || !run.dir.identity().unwrap().unwrap().is_alive().unwrap())
        .await;
    let third = launcher().start(&dir).await;
    assert!(matches!(third, Err(StartError::AlreadyRan)), "{third:?}");
    assert_eq!(fs::read_to_string(place.file("runs")).unwrap(), "x\n");
}

#[tokio::test]
async fn of_many_starts_at_once_one_wins() {
    let place = Place::with_command("echo x >> runs; until [ -e go ]; do sleep 0.01; done");
    let dir = place.create();
    let launcher = launcher();
    let starts = (0..6).map(|_| launcher.start(&dir));
    let results = within("all starts", futures_util::future::join_all(starts)).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    fs::write(place.file("go"), "").unwrap();
    assert_eq!(Run::follow(&dir).await.outcome, Outcome::Passed);
    assert_eq!(fs::read_to_string(place.file("runs")).unwrap(), "x\n");
}

#[tokio::test]
async fn a_finished_runner_is_reaped() {
    let run = Place::with_command("true").run().await;
    let pid = run.dir.identity().unwrap().unwrap().pid;
    until("the runner to be reaped", || fs::metadata(format!("/proc/{pid}")).is_err()).await;
}

#[tokio::test]
async fn a_runner_leads_a_session_of_its_own() {
    let place = Place::with_command("ps -o sid= -p $PPID; echo $PPID; ps -o pgid= -p $$; echo $$");
    let run = place.run().await;
    let log = run.log_text("0-1");
    let numbers: Vec<i32> = log.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let runner = run.dir.identity().unwrap().unwrap().pid;
    assert_eq!(numbers[..2], [runner, runner]);
    assert_eq!(numbers[2], numbers[3], "each command leads its own group");
}

#[tokio::test]
async fn a_spec_of_a_later_version_is_refused_and_nothing_has_begun() {
    let place = Place::with_command("true");
    let dir = place.create();
    let path = dir.path().join("spec.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"version\":3", "\"version\":99", 1)).unwrap();
    let Err(StartError::Refused { reason }) = launcher().start(&dir).await else {
        panic!("not refused")
    };
    assert!(reason.contains("version 99"), "{reason}");
    assert_eq!(dir.state().unwrap(), RunState::NotStarted);
    place.create();
    assert_eq!(place.run().await.outcome, Outcome::Passed);
}

#[tokio::test]
async fn a_program_that_is_missing_is_an_error() {
    let dir = Place::with_command("true").create();
    let launcher = ci_exec::Launcher::new("/nonexistent/runner", std::iter::empty::<&str>());
    assert!(matches!(launcher.start(&dir).await, Err(StartError::Spawn(_))));
}

#[tokio::test]
async fn a_run_directory_is_private_and_may_have_a_long_path() {
    let place = Place::with_command("true");
    let deep = place.run_dir_path().join("x".repeat(100)).join("y".repeat(100));
    fs::create_dir_all(deep.parent().unwrap()).unwrap();
    let dir = RunDir::create(&deep, &place.spec).unwrap();
    launcher().start(&dir).await.unwrap();
    assert_eq!(Run::follow(&dir).await.outcome, Outcome::Passed);
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(deep.clone()), 0o700);
    assert_eq!(mode(deep.join("spec.json")), 0o600);
}

#[tokio::test]
async fn a_start_that_is_given_up_is_no_less_a_start() {
    let place = Place::with_command("echo x >> runs");
    let dir = place.create();
    let launcher = launcher();
    let mut start = Box::pin(launcher.start(&dir));
    // It takes longer than one look, all but always.
    let _looked = futures_util::future::poll_immediate(&mut start).await;
    drop(start);
    assert_eq!(Run::follow(&dir).await.outcome, Outcome::Passed);
    assert_eq!(fs::read_to_string(place.file("runs")).unwrap(), "x\n");
}

#[tokio::test]
async fn a_runner_that_is_killed_before_it_is_ready_is_told_from_one_that_refuses() {
    let place = Place::with_command("true");
    let dir = place.create();
    let start = |script: &str| {
        let launcher = Launcher::new("/bin/sh", ["-c", script]);
        let dir = dir.clone();
        async move { within("the end", launcher.start(&dir)).await.unwrap_err() }
    };
    let killed = start("kill -9 $$").await;
    assert!(matches!(killed, StartError::Killed { signal: 9 }), "{killed}");
    let refused = start("echo no room; exit 12").await;
    assert!(matches!(&refused, StartError::Refused { reason } if reason.starts_with("no room")));
    assert_eq!(dir.state().unwrap(), RunState::NotStarted);
}
