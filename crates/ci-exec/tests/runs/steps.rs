//! A runner that is killed at each of its steps, and what its node makes of what it finds.
//!
//! A step is a system call by which others can tell that something has happened: strace lets the runner come
//! to it and kills it there. What lies between two steps nobody can see from outside.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use ci_domain::ids::AttemptId;
use ci_exec::{
    FollowError, JournalOffset, Launcher, Outcome, RunDir, RunState, StartError, follow, sweep,
};
use futures_util::stream::{self, StreamExt};

use crate::support::{Place, Run, launcher, skip, until, within};

const STRACE: &str = "/usr/bin/strace";
/// How many runners are killed at once.
const AT_ONCE: usize = 4;
/// The calls of which a run that leaves nothing behind is made.
const ALL: [&str; 20] = [
    "setsid",
    "prctl",
    "openat",
    "fcntl",
    "unlink",
    "bind",
    "listen",
    "write",
    "rename",
    "dup2",
    "pipe2",
    "clone3",
    "clone",
    "vfork",
    "pidfd_open",
    "wait4",
    "close",
    "fdatasync",
    "fsync",
    "exit_group",
];
/// Those that end processes, and what is written about it.
const ENDING: [&str; 7] =
    ["clone3", "kill", "pidfd_send_signal", "wait4", "write", "rename", "exit_group"];

/// The call of this name with this number, counted from 1.
#[derive(Clone, Debug)]
struct Step {
    call: String,
    number: usize,
}

/// What a node found, step by step.
#[derive(Debug, Default)]
struct Found {
    not_started: usize,
    lost: usize,
    finished: usize,
}

/// Strace; without it a test is skipped, loudly.
fn has_strace() -> bool {
    let trial = Command::new(STRACE).args(["-o", "/dev/null", "true"]).status();
    match trial {
        Ok(status) if status.success() => return true,
        Ok(_) => skip("the right to trace: sysctl kernel.yama.ptrace_scope=0"),
        Err(_) => skip("strace: apt-get install strace"),
    }
    false
}

/// Starts the runner under strace, which is no child or parent of it and so changes nothing for it.
fn traced(arguments: &[&str]) -> Launcher {
    let runner = env!("CARGO_BIN_EXE_ci-exec-runner");
    Launcher::new(STRACE, ["-D"].iter().chain(arguments).chain(&[runner]).copied())
}

/// The steps of an undisturbed run, from the moment when it leaves the session of its starter.
async fn steps(place: &Place, calls: &[&str]) -> Vec<Step> {
    let trace = place.root().join("trace");
    let dir = place.create();
    traced(&["-o", trace.to_str().unwrap()]).start(&dir).await.unwrap();
    assert_eq!(Run::follow(&dir).await.outcome, Outcome::Passed);
    let whole =
        || fs::read_to_string(&trace).is_ok_and(|text| text.ends_with("exited with 0 +++\n"));
    until("the trace to end", whole).await;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let (mut steps, mut has_left) = (Vec::new(), false);
    for line in fs::read_to_string(&trace).unwrap().lines() {
        let Some((call, rest)) = line.split_once('(') else { continue };
        let number = counts.entry(call.to_owned()).or_default();
        *number += 1;
        has_left |= call == "setsid";
        // It asks about a descriptor, which nobody can tell.
        if has_left && calls.contains(&call) && !rest.contains("F_GETF") {
            steps.push(Step { call: call.to_owned(), number: *number });
        }
    }
    steps
}

/// Kills the runner of `place` at `step`, and says what is found then.
async fn killed_at(place: &Place, step: &Step) -> RunState {
    let dir = place.create();
    let Step { call, number } = step;
    let trace = format!("trace={call}");
    let inject = format!("inject={call}:signal=KILL:when={number}");
    let started = traced(&["-o", "/dev/null", "-e", &trace, "-e", &inject]).start(&dir).await;
    assert!(matches!(started, Ok(_) | Err(StartError::Killed { signal: 9 })), "{started:?}");
    let is_over = || !matches!(dir.state().unwrap(), RunState::Running(_));
    until("the run to be over", is_over).await;
    let runner = dir.identity().unwrap();
    until("the runner to be gone", || runner.as_ref().is_none_or(|one| !one.is_alive().unwrap()))
        .await;
    dir.state().unwrap()
}

/// Does what a node does with the run that it finds, until there is an outcome.
async fn recovers(place: &Place, found: &RunState) {
    let dir = RunDir::open(place.run_dir_path()).unwrap();
    match found {
        RunState::NotStarted => {
            assert!(!place.file("runs").exists(), "no command has run");
            launcher().start(&dir).await.unwrap();
            assert_eq!(Run::follow(&dir).await.outcome, Outcome::Passed);
            assert_eq!(runs(place), 1);
        }
        RunState::Lost => {
            ends_lost(&dir).await;
            within("the sweep", sweep(&dir)).await.unwrap();
            place.assert_nothing_is_left();
            let before = runs(place);
            assert!(matches!(launcher().start(&dir).await, Err(StartError::AlreadyRan)));
            assert!(before <= 1);
            another_attempt(place).await;
            assert_eq!(runs(place), before + 1);
        }
        RunState::Finished(_) => {
            assert_eq!(Run::follow(&dir).await.outcome, Outcome::Passed);
            assert!(matches!(launcher().start(&dir).await, Err(StartError::AlreadyRan)));
            assert_eq!(runs(place), 1);
        }
        RunState::Running(_) => panic!("it was waited for"),
    }
    place.assert_nothing_is_left();
}

/// The journal of a lost run can be read, and has no outcome.
async fn ends_lost(dir: &RunDir) {
    let mut follower = follow(dir, JournalOffset(0));
    loop {
        match within("the end", follower.next()).await {
            Ok(fact) => assert!(!fact.unwrap().1.is_last(), "a lost run has no outcome"),
            Err(error) => return assert!(matches!(error, FollowError::Lost), "{error}"),
        }
    }
}

async fn another_attempt(place: &Place) {
    let mut spec = place.spec.clone();
    spec.attempt = AttemptId::new(format!("{}-again", spec.attempt)).unwrap();
    let dir = RunDir::create(place.root().join("again"), &spec).unwrap();
    launcher().start(&dir).await.unwrap();
    assert_eq!(Run::follow(&dir).await.outcome, Outcome::Passed);
}

/// How often the command has run.
fn runs(place: &Place) -> usize {
    fs::read_to_string(place.file("runs")).unwrap_or_default().lines().count()
}

/// Kills runners of `command` at each of its steps among `calls`.
async fn check(command: &str, calls: &[&str]) -> Found {
    let place = Place::with_command(command);
    let steps = steps(&place, calls).await;
    let killed = stream::iter(steps).map(|step| async move {
        let place = Place::with_command(command);
        let state = killed_at(&place, &step).await;
        recovers(&place, &state).await;
        state
    });
    let mut found = Found::default();
    for state in killed.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
        match state {
            RunState::NotStarted => found.not_started += 1,
            RunState::Lost => found.lost += 1,
            RunState::Finished(_) => found.finished += 1,
            RunState::Running(_) => panic!("it was waited for"),
        }
    }
    found
}

#[tokio::test]
async fn a_runner_may_be_killed_at_every_step_from_its_start_to_its_end() {
    if !has_strace() {
        return;
    }
    let found = check("echo x >> runs", &ALL).await;
    assert!(found.not_started > 10 && found.lost > 10 && found.finished > 5, "{found:?}");
}

#[tokio::test]
async fn a_runner_may_be_killed_at_every_step_of_ending_what_is_left() {
    if !has_strace() {
        return;
    }
    let stray = "setsid sh -c 'trap : TERM; echo > up; sleep 600; exit' > /dev/null 2>&1 & \
                 until [ -e up ]; do sleep 0.01; done; echo x >> runs";
    let found = check(stray, &ENDING).await;
    assert!(found.lost > 5 && found.finished > 0, "{found:?}");
}
