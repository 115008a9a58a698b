//! A node that is killed while jobs run, and how long the next one takes to have adopted them all.

use std::fs;
use std::time::Instant;

use serde_json::Value;

use crate::Size;
use crate::figures::{millis, say};
use crate::repository::Change;
use crate::starts::Starts;
use crate::wait::{LIMIT, wait_for};
use crate::world::World;

/// What each job runs: it says that it has begun, and waits to be let go.
const COMMAND: &str = "echo began > {outside}.starts; until [ -e {outside}.go ]; do sleep 1; done";

/// Measures.
pub async fn measure(size: Size) {
    let definition = format!("jobs:\n  test: ['{COMMAND}']\n");
    let world = World::new(&[("lib/ci.yaml", definition.as_str()), ("lib/word", "hello\n")]).await;
    let configuration = world.folder().join("ci-node.toml");
    let text = fs::read_to_string(&configuration).unwrap();
    let jobs = format!("concurrency = {}", size.adopted);
    fs::write(&configuration, text.replace("concurrency = 4", &jobs)).unwrap();
    let mut starts = Starts::listen(world.folder());
    let node = world.start().await;
    for number in 0..size.adopted {
        let change = Change::file("lib/word", format!("hello {number}\n"));
        let _pull = world.open(&format!("pull-{number}"), &[change]);
    }
    tokio::join!(starts.last_of(size.adopted), world.deliver(&node));
    node.kill9();

    let url = format!("http://127.0.0.1:{}/api/v1/status", world.port());
    let begin = Instant::now();
    let node = world.spawn();
    let held = async || (held(&url).await? == size.adopted as u64).then(|| begin.elapsed());
    let adopted = wait_for("all jobs to be adopted", LIMIT, held).await;
    say(&format!("{} jobs whose node was killed", size.adopted));
    say(&format!("  adopted      {:>9.1} ms after the next one was started", millis(adopted)));
    fs::write(world.folder().join("outside.go"), "").unwrap();
    world.nothing_runs_beside(&node).await;
}

/// How many jobs hold a permit; none while the node does not answer.
async fn held(url: &str) -> Option<u64> {
    let text = reqwest::get(url).await.ok()?.text().await.ok()?;
    let status: Value = serde_json::from_str(&text).ok()?;
    let jobs = status["queues"].as_array()?.iter().find(|queue| queue["name"] == "jobs")?;
    jobs["held"].as_u64()
}
