//! Owners of code who must approve, and a policy that somebody proposes to change.

use std::process::Command;

use ci_domain::code_owners::Owner;
use ci_domain::ids::PullNumber;

use crate::node::PROGRAM;
use crate::repository::Change;
use crate::world::{World, login};

const FILES: [(&str, &str); 4] = [
    ("ci-policy.yaml", "mergeable: {approvals: 0, code_owners: true}\n"),
    (".github/CODEOWNERS", "/lib/ @acme/libs\n[odd]\n"),
    ("lib/ci.yaml", "jobs: {test: ['true']}\n"),
    ("lib/word", "hello\n"),
];
const GREEN: &str = "success pull request can be merged";

fn why(world: &World, pull: PullNumber) -> String {
    let config = world.folder().join("ci-node.toml");
    let mut command = Command::new(PROGRAM);
    command.args(["pr", "why", &pull.to_string(), "--config"]).arg(config);
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_what_is_changed_must_approve() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let owned = world.open("owned", &[Change::file("lib/word", "bye\n")]);
    let free = world.open("free", &[Change::file("word", "bye\n")]);
    world.deliver(&node).await;
    world.says(owned, "pending awaiting approval").await;
    world.says(free, GREEN).await;
    let said = why(&world, owned);
    for part in [
        "awaiting approval by an owner of `lib/word`: approval by `@acme/libs`, with write access",
        ".github/CODEOWNERS:2: sections are not supported; the line is skipped",
    ] {
        assert!(said.contains(part), "{part:?} is not in:\n{said}");
    }
    let page = node.get(&format!("/acme/shop/pull/{owned}")).await.text().await.unwrap();
    assert!(page.contains("an owner of <code>lib/word</code>"), "{page}");
    world.github.enrol(&login("linus"), &Owner::parse("@acme/libs").unwrap());
    world.approve(owned);
    world.deliver(&node).await;
    world.says(owned, GREEN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_proposed_changes_nothing_and_says_what_it_would_change() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let lax = "mergeable: {approvals: 0}\nforks: {run: always}\n";
    let pull = world.open("lax", &[Change::file("ci-policy.yaml", lax)]);
    let broken = world.open("broken", &[Change::file("ci-policy.yaml", "forks: {run: maybe}\n")]);
    world.deliver(&node).await;
    for pull in [pull, broken] {
        world.says(pull, GREEN).await;
    }
    let said = why(&world, pull);
    let told = "this change has no effect before it is on the default branch; then it says\n  \
                mergeable.code_owners: false (now true)\n  forks: always (now after_approval)";
    assert!(said.contains(told), "{said}");
    let said = why(&world, broken);
    assert!(said.contains("there it would be refused:\n  ci-policy.yaml:1:14: "), "{said}");
}
