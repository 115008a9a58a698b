//! Looking inside a node: what its actors show of their states, and what they do not.

use std::process::Command;

use ci_domain::ids::PullNumber;
use ci_github::fake::FakeGitHub;
use heights_vitals::Client;
use heights_vitals::wire::{Cause, Fact, TraceEvent, TraceRequest};
use serde_json::Value;

use crate::actors::{actors, vitals};
use crate::node::PROGRAM;
use crate::repository::Change;
use crate::wait::{LIMIT, wait_for};
use crate::world::{OFTEN, World};

/// A job that waits to be let go.
const FILES: [(&str, &str); 3] = [
    ("ci-policy.yaml", "mergeable: {approvals: 0}\n"),
    (
        "lib/ci.yaml",
        "jobs:\n  test:\n    \
         - echo start >> {outside}; while [ ! -e {outside}.go ]; do sleep 0.05; done\n",
    ),
    ("lib/word", "hello\n"),
];

/// As many jobs as run at once.
const AT_ONCE: usize = 4;

fn why(world: &World, pull: PullNumber) -> String {
    let config = world.folder().join("ci-node.toml");
    let mut command = Command::new(PROGRAM);
    command.args(["pr", "why", &pull.to_string(), "--config"]).arg(config);
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

/// The states of all actors that show one, by path.
async fn states(vitals: &Client) -> Vec<(String, Value)> {
    let mut states = Vec::new();
    for actor in actors(vitals).await {
        if let Ok(state) = vitals.state(&actor.path, None).await
            && let Some(view) = state.view
        {
            states.push((actor.path, view));
        }
    }
    states
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pr_why_says_is_what_vitals_shows() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let open = |number: usize| {
        let word = format!("bye {number}\n");
        world.open(&format!("bye-{number}"), &[Change::file("lib/word", word.as_str())])
    };
    let pulls: Vec<PullNumber> = (0..=AT_ONCE).map(open).collect();
    world.deliver(&node).await;
    world.until("as many jobs as may", || world.outside().len() == AT_ONCE).await;
    let waiting = async || {
        let waits = |pull: &&PullNumber| why(&world, **pull).contains("waits in the queue jobs");
        pulls.iter().find(waits).copied()
    };
    let waiting = wait_for("one to say that it waits", LIMIT, waiting).await;
    let vitals = vitals(&world, &node);
    let shown = states(&vitals).await;
    for pull in &pulls {
        let said = why(&world, *pull);
        assert!(said.contains("awaiting lib:test"), "{said}");
        let (inside, of) = (format!("/pull-{pull}/"), format!("/pull-{pull}/pull"));
        let (path, view) = shown.iter().find(|(path, _)| path.ends_with(&of)).unwrap();
        let told = (&view["number"], &view["is_open"], &view["outcomes"], &view["is_building"]);
        assert_eq!(told, (&pull.0.into(), &true.into(), &serde_json::json!({}), &true.into()));
        // The pull request has done its part, and nothing keeps its actor.
        assert_eq!(vitals.why(path).await.unwrap().verdict.cause, Cause::Nothing);
        let is_job = |path: &str| path.contains(&inside) && path.contains("/job-");
        let (path, job) = shown.iter().find(|(path, _)| is_job(path)).unwrap();
        let (phase, queue) = if *pull == waiting {
            ("waiting", "jobs".into())
        } else {
            assert!(!said.contains("waits in the queue"), "{said}");
            ("running", Value::Null)
        };
        let told = (&job["job"], &job["phase"], &job["queue"]);
        assert_eq!(told, (&"lib:test".into(), &phase.into(), &queue));
        let why = vitals.why(path).await.unwrap();
        // It is one task that awaits its turn, and then its runner.
        assert_eq!(why.links[0].facts, [Fact::Running], "{why:?}");
    }
    let (_, queues) = shown
        .iter()
        .find(|(_, view)| view.get("jobs").is_some_and(|jobs| jobs.get("held").is_some()))
        .unwrap();
    assert_eq!((&queues["jobs"]["held"], &queues["jobs"]["waiting"]), (&4.into(), &1.into()));
    for (part, field) in [("/reporter", "lanes_busy"), ("/ledger", "commits"), ("/build", "jobs")] {
        let found =
            shown.iter().any(|(path, view)| path.ends_with(part) && view.get(field).is_some());
        assert!(found, "{part} shows {field}: {shown:#?}");
    }
    std::fs::write(world.folder().join("outside.go"), "").unwrap();
    for pull in pulls {
        world.says(pull, "success pull request can be merged").await;
    }
}

/// What a job of a pull request is given.
const TOKEN: &str = "npm_0123456789abcdef";
const POLICY: &str = "mergeable: {approvals: 0}\nsecrets: {NPM_TOKEN: {expose: internal}}\n";
const JOB: &str = "jobs:\n  test:\n    - echo \"<$NPM_TOKEN>\"; echo x >> {outside}; exit 3\n";

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_on_any_surface_of_vitals() {
    let files = [("ci-policy.yaml", POLICY), ("lib/ci.yaml", JOB), ("lib/word", "hello\n")];
    let world = World::new(&files).await;
    std::fs::write(world.folder().join("npm-token"), TOKEN).unwrap();
    world.configure(OFTEN, "[repos.secrets]\nNPM_TOKEN = { file = \"npm-token\" }\n");
    let node = world.start().await;
    let vitals = vitals(&world, &node);
    let everybody = TraceRequest {
        actors: vec!["**".to_owned()],
        rate: 1_000,
        max: 100_000,
        for_ms: 600_000,
        bytes: 1_000,
        ..TraceRequest::default()
    };
    let mut trace = vitals.trace(&everybody).await.unwrap();
    let mut watch = vitals.watch(Some(0)).await.unwrap();
    let hearing = async {
        let mut told = String::new();
        while let Ok(Some(event)) = trace.next().await {
            if let TraceEvent::Message(message) = event {
                told.push_str(&serde_json::to_string(&message).unwrap());
            }
        }
        while let Ok(Some(event)) = watch.next().await {
            told.push_str(&serde_json::to_string(&event).unwrap());
        }
        told
    };
    let working = async {
        let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
        world.deliver(&node).await;
        world.until("a failure", || !world.said(pull).is_empty()).await;
        let said = world.answer(&["pr", "logs", &pull.to_string(), "lib:test"]);
        assert!(said.contains("<***>"), "{said}");
        let mut surfaces = serde_json::to_string(&vitals.picture().await.unwrap()).unwrap();
        surfaces.push_str(&serde_json::to_string(&states(&vitals).await).unwrap());
        surfaces.push_str(&serde_json::to_string(&vitals.registry(None).await.unwrap()).unwrap());
        surfaces.push_str(&serde_json::to_string(&vitals.groups(None).await.unwrap()).unwrap());
        surfaces.push_str(&vitals.metrics().await.unwrap());
        node.terminate().await;
        surfaces
    };
    let (told, surfaces) = tokio::join!(hearing, working);
    assert!(told.contains("\"label\":\"wish\"") && told.contains("\"started\""), "{told}");
    for text in [TOKEN, FakeGitHub::TOKEN, FakeGitHub::WEBHOOK_SECRET] {
        assert!(!surfaces.contains(text), "{text} in {surfaces}");
        assert!(!told.contains(text), "{text} in {told}");
    }
}
