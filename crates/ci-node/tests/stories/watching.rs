//! Somebody watches a log in a real browser while the whole node is killed, more than once.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::block_in_place;

use crate::browser::{Browser, Window};
use crate::node::Node;
use crate::repository::Change;
use crate::wait::wait_for;
use crate::world::{REPO, World};

const LIMIT: Duration = Duration::from_secs(90);
/// Its runner prints on while there is no node.
const PIPELINE: &str = r#"
jobs:
  watch:
    - seq 1 500; until test -e {outside}.1; do sleep 0.1; done; seq 501 1000; until test -e {outside}.2; do sleep 0.1; done; seq 1001 1500; until test -e {outside}.3; do sleep 0.1; done
"#;
/// The lines that are shown, each with its number, as one text.
const LINES: &str = "[...document.querySelectorAll('#log .block .l')].map(line => \
                     line.firstElementChild.textContent + ' ' + line.lastElementChild.textContent).join('\\n')";

/// Whether exactly the lines up to `last` are shown, each once and in order.
fn are_shown(last: u64) -> String {
    let lines: Vec<String> = (1..=last).map(|line| format!("{line} {line}")).collect();
    format!("{LINES} === {}", json!(lines.join("\n")))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_a_log_misses_nothing_while_the_node_is_killed() {
    let Some(mut browser) = Browser::start() else { return };
    let policy = ("ci-policy.yaml", "mergeable: {approvals: 0}\n");
    let world = World::new(&[("lib/ci.yaml", PIPELINE), ("lib/word", "hello\n"), policy]).await;
    let mut node = world.start().await;
    let pull = world.open("watched", &[Change::file("lib/word", "hi\n")]);
    world.deliver(&node).await;
    let command = wait_for("the command", LIMIT, async || {
        let detail = told(&node, &format!("/repos/{REPO}/pulls/{pull}")).await?;
        let attempt = detail["jobs"][0]["attempt"].as_str()?.to_owned();
        let run = told(&node, &format!("/jobs/{attempt}")).await?;
        run["commands"][0]["id"].as_str().map(str::to_owned)
    })
    .await;
    let (attempt, command) = command.split_once('.').unwrap();
    let path = format!("/{REPO}/pull/{pull}/jobs/{attempt}/log/{command}");
    let url = format!("http://127.0.0.1:{}{path}", world.port());
    block_in_place(|| {
        browser.resize(Window(1280, 900, "light"));
        browser.open(&url);
        browser.until("what was printed", &are_shown(500));
        browser.value("window.isSamePage = true");
    });
    for (step, last) in [(1, 1000), (2, 1500)] {
        node.kill9();
        block_in_place(|| {
            let is_told = "document.getElementById('away').textContent.startsWith('The node')";
            browser.until("a word that nobody answers", is_told);
        });
        std::fs::write(beside(&world, step), "").unwrap();
        node = world.start().await;
        block_in_place(|| browser.until("what came meanwhile", &are_shown(last)));
    }
    std::fs::write(beside(&world, 3), "").unwrap();
    block_in_place(|| {
        browser.until("the end", "document.querySelector('.badge.good')");
        browser.until("no word about it", "document.getElementById('away').textContent === ''");
        assert_eq!(browser.value(&are_shown(1500)), true, "each line once");
        assert_eq!(browser.value("window.isSamePage"), true, "nothing was loaded anew");
        assert_eq!(browser.complaints(), Vec::<String>::new());
    });
    assert!(node.terminate().await.success());
}

/// What the API says, once it says anything.
async fn told(node: &Node, path: &str) -> Option<Value> {
    let response = node.get(&format!("/api/v1{path}")).await;
    let text = response.status().is_success().then_some(response)?.text().await.ok()?;
    serde_json::from_str(&text).ok()
}

/// The file that lets the command print on.
fn beside(world: &World, step: u64) -> PathBuf {
    world.folder().join(format!("outside.{step}"))
}
