//! One job that runs through many lives of its node, each of which ends in another way.

use std::path::{Path, PathBuf};

use heights_vitals::wire::ControlRequest;
use rustix::process::{Pid, Signal, kill_process};

use crate::actors::{actors, vitals};
use crate::node::{Node, PROGRAM};
use crate::repository::Change;
use crate::runners;
use crate::wait::{LIMIT, wait_for};
use crate::world::World;

/// A job that prints a part of its log in each life of the node.
const FILES: [(&str, &str); 2] = [
    (
        "lib/ci.yaml",
        "jobs:\n  test:\n    - name: print\n      run: |\n        \
         echo start >> {outside}\n        \
         for life in 1 2 3 4 5 6; do\n          \
         seq -f \"$life.%.0f\" 1 3000; echo $life >> {outside}\n          \
         until [ -e {outside}.$life ]; do sleep 0.01; done; seq -f \"$life.%.0f\" 3001 6000\n        \
         done\n",
    ),
    ("lib/word", "hello\n"),
];

/// A job that says that it has begun, and waits to be let go.
const WAITING: [(&str, &str); 2] = [
    (
        "lib/ci.yaml",
        "jobs:\n  test:\n    - echo start >> {outside}; until [ -e {outside}.go ]; do sleep 0.01; done\n",
    ),
    ("lib/word", "hello\n"),
];

/// Waits until the job has printed the first part of what it prints in this life.
async fn lives(world: &World, life: usize) {
    let what = format!("the job to come to its life {life}");
    world.until(&what, || world.outside().len() > life).await;
}

/// Lets the job go on, whoever is there.
fn let_go(world: &World, life: usize) {
    std::fs::write(world.folder().join(format!("outside.{life}")), "").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn however_a_node_ends_its_job_goes_on_and_ends_once() {
    let world = World::new(&FILES).await;
    let program = world.folder().join("program");
    install(&program);
    let mut node = world.start_copy(&program).await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;

    lives(&world, 1).await;
    node.kill9();
    let_go(&world, 1);
    lives(&world, 2).await;
    node = world.start_copy(&program).await;
    assert_eq!(node.terminate().await.code(), Some(0), "in order");
    node = world.start_copy(&program).await;
    let_go(&world, 2);

    lives(&world, 3).await;
    ends_twice_told(node).await;
    node = world.start_copy(&program).await;
    let_go(&world, 3);

    lives(&world, 4).await;
    fails_for_good(&world, node).await;
    let_go(&world, 4);
    node = world.start_copy(&program).await;

    lives(&world, 5).await;
    install(&program);
    assert_eq!(node.terminate().await.code(), Some(0), "for an upgrade");
    node = world.start_copy(&program).await;
    let_go(&world, 5);

    lives(&world, 6).await;
    kill_job_actor(&world, &node).await;
    let_go(&world, 6);
    world.tested(pull).await;
    assert_eq!(world.outside(), ["start", "1", "2", "3", "4", "5", "6"]);
    for (context, history) in world.histories(pull) {
        let ends = history.iter().filter(|text| text.starts_with("success")).count();
        assert!(ends <= 1, "{context}: {history:?}");
    }
    assert_eq!(world.said(pull).len(), 1);
    let expected: String = (1..=6).map(part).collect();
    assert!(log(&world, &node).await == expected, "the log is complete to the byte");
    world.nothing_runs_beside(&node).await;
}

/// Puts the program in place as packages are: another file takes the name.
fn install(program: &Path) {
    let new = program.with_extension("new");
    // By another process: what a thread of ours has open for writing cannot be run meanwhile.
    let copied = std::process::Command::new("cp").arg(PROGRAM).arg(&new).status().unwrap();
    assert!(copied.success());
    std::fs::rename(&new, program).unwrap();
}

/// Tells a node to end, and in the same breath that it is to hurry, which kills its tree.
async fn ends_twice_told(node: Node) {
    let pid = Pid::from_raw(node.pid().cast_signed()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    node.terminate().await;
}

/// Kills a part of the tree until its supervisors give up, and with them the process.
async fn fails_for_good(world: &World, node: Node) {
    let vitals = vitals(world, &node);
    let find = async || {
        let actors = vitals.tree().await.ok()?.actors;
        actors.into_iter().find(|actor| actor.path.ends_with("/intake"))?.pid
    };
    let mut last = None;
    // Each restart is slower than the one before, and nobody answers for a node that has ended.
    let kill = async || {
        let pid = find().await.filter(|pid| last.as_ref() != Some(pid))?;
        let request = ControlRequest { dry_run: false, reason: Some("a story".to_owned()) };
        let _gone = vitals.kill(&pid, &request).await;
        last = Some(pid);
        None::<()>
    };
    let status = tokio::select! {
        status = node.ended() => status,
        () = wait_for("the node to give up", LIMIT * 2, kill) => unreachable!("it has no answer"),
    };
    assert!(!status.success(), "{status}");
}

async fn kill_job_actor(world: &World, node: &Node) {
    let vitals = vitals(world, node);
    let is_job = |path: &str| path.rsplit('/').next().unwrap().starts_with("job-");
    let all = wait_for("the job's actor", LIMIT, async || {
        let all = actors(&vitals).await;
        all.into_iter().find(|actor| is_job(&actor.path) && actor.pid.is_some())
    });
    let request = ControlRequest { dry_run: false, reason: Some("a story".to_owned()) };
    vitals.kill(&all.await.pid.unwrap(), &request).await.unwrap();
}

fn part(life: usize) -> String {
    (1..=6000).map(|line| format!("{life}.{line}\n")).collect()
}

/// The log of the only job.
async fn log(world: &World, node: &Node) -> String {
    let runs = std::fs::read_dir(world.data().join("runs")).unwrap();
    let runs: Vec<PathBuf> = runs.map(|entry| entry.unwrap().path()).collect();
    let [run] = runs.as_slice() else { panic!("one attempt, not {runs:?}") };
    let attempt = run.file_name().unwrap().to_str().unwrap();
    let run = node.api(&format!("/jobs/{attempt}")).await;
    let id = run["commands"][0]["id"].as_str().unwrap();
    node.get(&format!("/api/v1/commands/{id}/log")).await.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_a_later_version_is_left_to_the_program_that_started_it() {
    let world = World::new(&WAITING).await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    lives(&world, 0).await;
    let (runner, run) = runners::of(world.folder()).pop().unwrap();
    node.kill9();
    let spec = std::fs::read_to_string(run.join("spec.json")).unwrap();
    std::fs::write(run.join("spec.json"), r#"{"version":99}"#).unwrap();
    let node = world.start().await;
    let is_refused = || world.log().contains("it has version 99, this program knows");
    world.until("the run to be refused", is_refused).await;
    node.kill9();
    assert!(runners::of(world.folder()).iter().any(|(pid, _)| *pid == runner), "it lives");
    std::fs::write(run.join("spec.json"), spec).unwrap();
    let _node = world.start().await;
    std::fs::write(world.folder().join("outside.go"), "").unwrap();
    world.tested(pull).await;
    assert_eq!(world.outside(), ["start"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_leaves_is_ended_counted_and_shown() {
    let daemon = "jobs:\n  test:\n    - run: |\n        \
                  setsid sh -c 'echo start >> {outside}; exec sleep 600' > /dev/null 2>&1 &\n        \
                  until grep -q start {outside}; do sleep 0.01; done\n";
    let world = World::new(&[("lib/ci.yaml", daemon), WAITING[1]]).await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.tested(pull).await;
    let metrics = node.get("/metrics").await.text().await.unwrap();
    for line in ["ci_job_strays_total 1\n", "ci_job_survivors_total 0\n"] {
        assert!(metrics.contains(line), "{line} is in {metrics}");
    }
    let page = node.get("/system").await.text().await.unwrap();
    assert!(page.contains("were ended with their job: 1;"), "{page}");
    world.nothing_runs_beside(&node).await;
    node.kill9();
    let node = world.start().await;
    let left = node.api("/status").await["leftovers"].clone();
    assert_eq!(left, serde_json::json!({"strays": 1, "survivors": 0, "swept": 0}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_runner_leaves_is_ended_and_counted() {
    let world = World::new(&WAITING).await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    lives(&world, 0).await;
    let (runner, _) = runners::of(world.folder()).pop().unwrap();
    rustix::process::kill_process(runner, rustix::process::Signal::KILL).unwrap();
    world.until("the job to run again", || world.outside().len() == 2).await;
    let status = node.api("/status").await;
    assert!(status["leftovers"]["swept"].as_u64().unwrap() > 0, "{status}");
    let status = world.answer(&["status"]);
    assert!(status.contains("after their runner"), "{status}");
    std::fs::write(world.folder().join("outside.go"), "").unwrap();
    world.tested(pull).await;
}
