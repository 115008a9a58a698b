//! Actors and runners that are killed one by one while a command runs.

use heights_vitals::Client;
use heights_vitals::wire::{Actor, ControlRequest};
use rustix::process::{Signal, kill_process};

use crate::node::Node;
use crate::repository::Change;
use crate::runners;
use crate::wait::{LIMIT, wait_for};
use crate::world::World;

/// A job that says which earlier ones it finds alive, and waits to be let go.
const FILES: [(&str, &str); 2] = [
    (
        "lib/ci.yaml",
        "jobs:\n  test:\n    \
         - for pid in $(sed -n 's/^start //p' {outside}); do grep -qs 'State:.[^Z]' /proc/$pid/status && echo alive >> {outside}; done; true\n    \
         - echo start $$ >> {outside}; while [ ! -e {outside}.go ]; do sleep 0.05; done\n    \
         - echo end >> {outside}\n",
    ),
    ("lib/word", "hello\n"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_actor_may_be_killed_while_a_command_runs() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.until("the job to start", || world.outside().len() == 1).await;
    let vitals = vitals(&world, &node);
    let paths: Vec<String> = actors(&vitals).await.into_iter().map(|actor| actor.path).collect();
    assert!(paths.iter().any(|path| path.contains("/job-")), "{paths:#?}");
    for path in &paths[1..] {
        kill(&vitals, path).await;
    }
    node.ready().await;
    std::fs::write(world.folder().join("outside.go"), "").unwrap();
    world.tested(pull).await;
    assert_eq!(world.outside().len(), 2, "{:?}", world.outside());
    assert_eq!(world.said(pull).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_runner_is_killed_runs_again_once_its_commands_are_gone() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.until("the job to start", || world.outside().len() == 1).await;
    let (runner, _) = runners::of(world.folder()).pop().unwrap();
    kill_process(runner, Signal::KILL).unwrap();
    world.until("the job to start again", || world.outside().len() == 2).await;
    std::fs::write(world.folder().join("outside.go"), "").unwrap();
    world.tested(pull).await;
    let lines = world.outside();
    assert!(lines.len() == 3 && !lines.contains(&"alive".to_owned()), "{lines:?}");
    drop(node);
}

/// A client for the inside of `node`.
pub fn vitals(world: &World, node: &Node) -> Client {
    Client::new(world.folder().join(format!("run/heights/{}.sock", node.pid())))
}

/// All actors of a node.
pub async fn actors(vitals: &Client) -> Vec<Actor> {
    vitals.tree().await.unwrap().actors
}

/// Kills an actor, and waits until another life of it is there.
async fn kill(vitals: &Client, path: &str) {
    let find = async || {
        let actors = actors(vitals).await;
        actors.into_iter().find(|actor| actor.path == path).and_then(|actor| actor.pid)
    };
    let pid = wait_for(&format!("{path} to be there"), LIMIT, find).await;
    let request = ControlRequest { dry_run: false, reason: Some("a story".to_owned()) };
    vitals.kill(&pid, &request).await.unwrap();
    let is_new = async || find().await.filter(|new| *new != pid).map(|_| ());
    wait_for(&format!("{path} to be there again"), LIMIT, is_new).await;
}
