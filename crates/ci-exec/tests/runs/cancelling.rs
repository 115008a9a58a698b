//! Cancelling: whatever a command has started, nothing of it is left when the fact says so.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ci_exec::{CancelError, Leftovers, Outcome, RunState, Stopped, cancel, cancel_within};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{
    Place, Run, absent, command, command_with, launcher, parallel, processes_in, until, within,
    written,
};

/// The grace of those who may take their time, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(50);

/// Cancels a job as soon as its command has written the file `up`, outside a sandbox and in one.
async fn check_cancel(run: &str) {
    check_cancel_in(Place::with_command(run)).await;
    let run = format!("readlink /proc/self/ns/pid > namespace; {run}");
    let Some(place) = Place::with_command(&run).in_sandbox() else { return };
    let namespace = place.file("namespace");
    check_cancel_in(place.clone()).await;
    assert_eq!(processes_in(&written(&namespace).await), Vec::<String>::new());
}

async fn check_cancel_in(place: Place) {
    let dir = place.start().await;
    written(&place.file("up")).await;
    assert!(!place.left().is_empty(), "the job is at work");
    let stopped = within("the cancel", cancel(&dir)).await.unwrap();
    place.assert_nothing_is_left();
    let Stopped::Ended(record) = stopped else { panic!("{stopped:?}") };
    assert_eq!(record.outcome, Outcome::Cancelled);
    let run = Run::follow(&dir).await;
    assert_eq!((run.exits_in_order().as_str(), run.outcome), ("0-1=cancelled", Outcome::Cancelled));
}

#[tokio::test]
async fn a_plain_command_is_cancelled() {
    check_cancel("echo up > up; sleep 600").await;
}

#[tokio::test]
async fn one_that_ignores_term_is_killed() {
    check_cancel("trap '' TERM; echo up > up; while :; do sleep 600; done").await;
}

#[tokio::test]
async fn one_that_is_stopped_is_killed() {
    check_cancel("echo up > up; kill -STOP $$").await;
}

#[tokio::test]
async fn a_child_in_its_own_session_is_found() {
    check_cancel("setsid sh -c 'trap \"\" TERM; echo up > up; sleep 600; sleep 600' & wait").await;
}

#[tokio::test]
async fn a_daemon_is_found() {
    let daemon = "setsid sh -c 'sh -c \"trap \\\"\\\" TERM; echo up > up; sleep 600; :\" & exit' &";
    check_cancel(&format!("{daemon} sleep 600")).await;
}

#[tokio::test]
async fn a_daemon_without_the_environment_is_found() {
    check_cancel("setsid env -i sh -c 'sh -c \"echo up > up; sleep 600; :\" & exit' & sleep 600")
        .await;
}

#[tokio::test]
async fn a_fork_bomb_is_stopped() {
    // Each generation is a new process, so no list of them is ever up to date.
    check_cancel("f() { sleep 0.02; f & exit; }; f & f & f & echo up > up; sleep 600").await;
}

#[tokio::test]
async fn a_command_may_end_in_peace() {
    let mut place = Place::with_command(
        "trap 'echo bye; exit 0' TERM; echo up > up; while :; do sleep 0.01; done",
    );
    place.spec.grace = PATIENCE;
    let dir = place.start().await;
    written(&place.file("up")).await;
    within("the cancel", cancel(&dir)).await.unwrap();
    let run = Run::follow(&dir).await;
    assert_eq!(run.outcome, Outcome::Cancelled);
    assert!(run.log_text("0-1").ends_with("bye\n"));
}

#[tokio::test]
async fn nothing_begins_after_a_cancel() {
    let place = Place::new(vec![
        parallel(vec![command("echo up > up; sleep 600"), command("sleep 600")]),
        command("touch never"),
        command_with("touch never", |command| command.always = true),
    ]);
    let dir = place.start().await;
    written(&place.file("up")).await;
    within("the cancel", cancel(&dir)).await.unwrap();
    assert!(!place.file("never").exists());
    place.assert_nothing_is_left();
}

#[tokio::test]
async fn a_daemon_that_outlives_its_command_ends_with_the_job() {
    let daemon = || {
        Place::new(vec![
            // It is waited for, since before `setsid` it would end with its command's group.
            command(
                "setsid sh -c 'echo $$ > up; exec sleep 600' > /dev/null 2>&1 & until [ -s up ]; do sleep 0.01; done",
            ),
            command("kill -0 $(cat up)"),
        ])
    };
    for place in [Some(daemon()), daemon().in_sandbox()].into_iter().flatten() {
        let run = place.run().await;
        assert_eq!(run.outcome, Outcome::Passed);
        let leftovers = run.dir.exit_record().unwrap().unwrap().leftovers;
        assert_eq!(leftovers, Leftovers { strays: 1, survivors: 0 }, "it is counted");
        place.assert_nothing_is_left();
    }
}

#[tokio::test]
async fn background_processes_end_with_their_command() {
    let place = Place::new(vec![
        command(
            "sh -c 'echo $$ > pid; exec sleep 600' > /dev/null 2>&1 & until [ -s pid ]; do sleep 0.01; done",
        ),
        command("! kill -0 $(cat pid)"),
    ]);
    let run = place.run().await;
    assert_eq!(run.outcome, Outcome::Passed);
    let leftovers = run.dir.exit_record().unwrap().unwrap().leftovers;
    assert_eq!(leftovers, Leftovers::default(), "they are the command's own to have");
}

#[tokio::test]
async fn a_cancel_that_comes_too_late_tells_the_outcome() {
    let place = Place::with_command("true");
    let dir = place.create();
    assert_eq!(cancel(&dir).await.unwrap(), Stopped::NotStarted);
    launcher().start(&dir).await.unwrap();
    Run::follow(&dir).await;
    let Stopped::Ended(record) = cancel(&dir).await.unwrap() else { panic!("not ended") };
    assert_eq!(record.outcome, Outcome::Passed);
}

#[tokio::test]
async fn many_cancels_are_one() {
    let place = Place::with_command("echo up > up; sleep 600");
    let dir = place.start().await;
    written(&place.file("up")).await;
    let cancels = (0..8).map(|_| cancel(&dir));
    for stopped in within("all cancels", futures_util::future::join_all(cancels)).await {
        let Stopped::Ended(record) = stopped.unwrap() else { panic!("not ended") };
        assert_eq!(record.outcome, Outcome::Cancelled);
    }
}

#[tokio::test]
async fn a_runner_without_its_socket_is_cancelled_by_a_signal() {
    let place = Place::with_command("echo up > up; sleep 600");
    let dir = place.start().await;
    written(&place.file("up")).await;
    fs::remove_file(dir.path().join("control.sock")).unwrap();
    let stopped = within("the cancel", cancel(&dir)).await.unwrap();
    let Stopped::Ended(record) = stopped else { panic!("{stopped:?}") };
    assert_eq!(record.outcome, Outcome::Cancelled);
    place.assert_nothing_is_left();
}

#[tokio::test]
async fn a_cancel_that_takes_too_long_names_what_is_left() {
    let place = Place::with_command("exec sleep 600");
    let dir = place.start().await;
    asleep(&place).await;
    let runner = Pid::from_raw(dir.identity().unwrap().unwrap().pid).unwrap();
    kill_process(runner, Signal::STOP).unwrap();
    let error =
        within("the cancel", cancel_within(&dir, Duration::from_millis(100))).await.unwrap_err();
    let CancelError::StillAlive { left, .. } = &error else { panic!("{error}") };
    assert_eq!(left.0[0].name, "sleep");
    kill_process(runner, Signal::CONT).unwrap();
    until("the run to end", || matches!(dir.state().unwrap(), RunState::Finished(_))).await;
    place.assert_nothing_is_left();
}

/// Waits until the command has become a `sleep`.
async fn asleep(place: &Place) {
    let is_asleep = |stats: Vec<String>| stats.iter().any(|stat| stat.contains(" (sleep) "));
    until("the command to sleep", || is_asleep(place.left())).await;
}

/// A control group that freezes what is in it such that not even KILL ends it: version 1 of the kernel's
/// freezer. It thaws at the end.
struct Freezer(PathBuf);

impl Freezer {
    fn make() -> Option<Self> {
        let name = format!("heights-{}", std::process::id());
        let path = Path::new("/sys/fs/cgroup/freezer").join(name);
        fs::create_dir(&path).ok()?;
        Some(Self(path))
    }

    fn set(&self, state: &str) {
        fs::write(self.0.join("freezer.state"), state).unwrap();
    }
}

impl Drop for Freezer {
    fn drop(&mut self) {
        self.set("THAWED");
        // What was killed leaves it a moment later, and then nothing is lost by its being there.
        let _in_use = fs::remove_dir(&self.0);
    }
}

#[tokio::test]
async fn a_process_in_uninterruptible_sleep_is_reported_after_its_bound() {
    let Some(freezer) = Freezer::make() else {
        return absent("control groups of version 1 with a freezer, and root");
    };
    let place = Place::with_command("echo $$ > up; exec sleep 600");
    let dir = place.start().await;
    let pid = written(&place.file("up")).await;
    asleep(&place).await;
    fs::write(freezer.0.join("cgroup.procs"), &pid).unwrap();
    freezer.set("FROZEN");
    let stopped = within("the cancel", cancel_within(&dir, Duration::from_secs(50))).await.unwrap();
    let Stopped::Ended(record) = stopped else { panic!("{stopped:?}") };
    let Outcome::Crashed { reason } = record.outcome else { panic!("{:?}", record.outcome) };
    assert_eq!(reason, format!("end {pid} (sleep, in uninterruptible sleep)"));
    assert_eq!(record.leftovers, Leftovers { strays: 0, survivors: 1 });
    freezer.set("THAWED");
    until("the signal to arrive", || place.left().is_empty()).await;
}
