//! Checks that somebody wants again run again, if they may want it.

use ci_domain::ids::PullNumber;
use serde_json::json;

use crate::node::Node;
use crate::recorded::signed;
use crate::recordings::published;
use crate::repository::Change;
use crate::world::{NO_APPROVAL, REPO, World};

/// It passes once somebody has mended what is not in the repository.
const FILES: [(&str, &str); 3] = [
    NO_APPROVAL,
    ("lib/ci.yaml", "jobs:\n  test: ['echo ran >> {outside}', 'test -e {outside}.mended']\n"),
    ("lib/word", "hello\n"),
];

/// Posts what was recorded of a check that was wanted again, about this pull request's head and by `who`.
async fn want_again(world: &World, node: &Node, event: &str, (pull, who): (PullNumber, &str)) {
    let is_it = |recorded: &crate::recordings::Recorded| {
        recorded.event == event && recorded.variant == "rerequested"
    };
    let mut payload = published().into_iter().find(is_it).unwrap().payload;
    payload["repository"]["full_name"] = json!(REPO);
    payload[event]["head_sha"] = json!(world.head(pull).as_str());
    payload["sender"]["login"] = json!(who);
    let id = format!("{event}-{who}-{}", world.outside().len());
    let delivery = signed(event, &id, &payload);
    assert_eq!(node.post(&delivery).await, 202);
    assert_eq!(node.post(&delivery).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_run_again_for_those_who_may_write() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("change", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.says(pull, "failure lib:test failed").await;
    want_again(&world, &node, "check_suite", (pull, "stranger")).await;
    want_again(&world, &node, "check_run", (pull, "linus")).await;
    world.until("the job to run again", || world.outside().len() == 2).await;
    world.says(pull, "failure lib:test failed").await;
    std::fs::write(world.folder().join("outside.mended"), "").unwrap();
    want_again(&world, &node, "check_suite", (pull, "linus")).await;
    world.says(pull, "success pull request can be merged").await;
    // What has passed does not run again.
    want_again(&world, &node, "check_run", (pull, "linus")).await;
    world.push_pull(pull, &[Change::file("lib/word", "bye, bye\n")]);
    world.deliver(&node).await;
    world.says(pull, "success pull request can be merged").await;
    assert_eq!(world.outside(), ["ran"; 4]);
}
