//! The node is killed, the runner goes on, and the next node takes it over.

use std::fs;
use std::process::{Command, Stdio};

use ci_exec::{Fact, JournalOffset, Outcome, RunDir, RunState, follow};

use crate::support::{Place, Run, command, launcher, until, within, written};

/// Where the process that plays the node finds the run that it has to start.
const NODE_RUN_DIR: &str = "CI_EXEC_TEST_NODE_RUN_DIR";

/// Does nothing by itself. Started by the tests below, this process is the node that gets killed.
#[tokio::test]
async fn plays_the_node_when_told_to() {
    let Some(path) = std::env::var_os(NODE_RUN_DIR) else { return };
    let dir = RunDir::open(path).unwrap();
    launcher().start(&dir).await.unwrap();
    let mut follower = follow(&dir, JournalOffset(0));
    while let Some((offset, _)) = follower.next().await.unwrap() {
        fs::write(dir.path().join("node-offset"), format!("{}\n", offset.0)).unwrap();
    }
}

#[tokio::test]
async fn a_run_outlives_its_node_and_is_adopted() {
    let place = Place::new(vec![
        command("seq 1 50000; echo up > up; until [ -e go ]; do sleep 0.01; done; seq 1 50000"),
        command("echo second"),
    ]);
    let dir = place.create();
    let mut node = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "adoption::plays_the_node_when_told_to"])
        .env(NODE_RUN_DIR, dir.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    written(&place.file("up")).await;
    until("the node to have seen two facts", || dir.path().join("node-offset").exists()).await;
    let offset = JournalOffset(written(&dir.path().join("node-offset")).await.parse().unwrap());
    let seen = facts_up_to(&dir, offset);
    node.kill().unwrap();
    node.wait().unwrap();

    assert!(matches!(dir.state().unwrap(), RunState::Running(Some(_))));
    fs::write(place.file("go"), "").unwrap();
    let run = Run::follow_from(&dir, offset).await;
    assert_eq!(run.outcome, Outcome::Passed);
    let numbers = Command::new("seq").args(["1", "50000"]).output().unwrap().stdout;
    let whole = Run::follow(&dir).await;
    assert!(whole.log("0-1") == [numbers.clone(), numbers].concat(), "complete to the byte");
    assert_eq!([seen, run.facts].concat(), whole.facts, "no gap and no fact twice");
    place.assert_nothing_is_left();
}

fn facts_up_to(dir: &RunDir, end: JournalOffset) -> Vec<Fact> {
    let mut journal = dir.journal(JournalOffset(0));
    std::iter::from_fn(|| journal.next_fact().unwrap())
        .take_while(|(offset, _)| *offset <= end)
        .map(|(_, fact)| fact)
        .collect()
}

#[tokio::test]
async fn many_follow_one_run_and_see_the_same() {
    let place = Place::new((0..20).map(|n| command(&format!("echo {n}"))).collect());
    let dir = place.start().await;
    let runs =
        within("all", futures_util::future::join_all((0..5).map(|_| Run::follow(&dir)))).await;
    assert!(runs.iter().all(|run| run.facts == runs[0].facts));
    assert_eq!(runs[0].facts.len(), 1 + 20 * 2 + 1);
}

#[tokio::test]
async fn a_follower_may_come_before_the_runner() {
    let place = Place::with_command("echo hello");
    let dir = place.create();
    let (run, started) = tokio::join!(Run::follow(&dir), async {
        tokio::task::yield_now().await;
        launcher().start(&dir).await
    });
    started.unwrap();
    assert_eq!(run.outcome, Outcome::Passed);
}
