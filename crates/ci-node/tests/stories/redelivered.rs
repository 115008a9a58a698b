//! What GitHub could not deliver while the node was away.

use std::cell::RefCell;

use serde_json::json;

use crate::recorded::signed;
use crate::repository::Change;
use crate::world::{NO_APPROVAL, REPO, World};

/// It passes once somebody has mended what is not in the repository.
const FILES: [(&str, &str); 3] = [
    NO_APPROVAL,
    ("lib/ci.yaml", "jobs:\n  test: ['test -e {outside}.mended']\n"),
    ("lib/word", "hello\n"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_button_that_was_pressed_while_the_node_was_away_is_heard_of() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("change", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.says(pull, "failure lib:test failed").await;
    node.kill9();
    std::fs::write(world.folder().join("outside.mended"), "").unwrap();
    let wish = json!({
        "action": "rerequested",
        "check_run": { "head_sha": world.head(pull).as_str() },
        "repository": { "full_name": REPO },
        "sender": { "login": "linus" },
    });
    world.github.set_hook("https://ci.example.com/webhooks/github");
    world.github.note_delivery(signed("check_run", "pressed", &wish), 502);
    let node = world.start().await;
    let again = RefCell::new(Vec::new());
    world
        .until("GitHub to deliver again", || {
            again.borrow_mut().extend(world.webhooks());
            !again.borrow().is_empty()
        })
        .await;
    for delivery in again.take() {
        assert_eq!(node.post(&delivery).await, 202);
    }
    world.says(pull, "success pull request can be merged").await;
    let quotas = node.api("/status").await["quotas"].clone();
    let kinds: Vec<&str> =
        quotas.as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["rest", "graphql"], "{quotas}");
    let metrics = node.get("/metrics").await.text().await.unwrap();
    assert!(metrics.contains("ci_github_quota_remaining{kind=\"rest\"}"), "{metrics}");
}
