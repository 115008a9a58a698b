//! Jobs in sandboxes, and nodes that cannot make them.

use std::process::Command;

use ci_domain::forge::ReviewState;
use ci_domain::ids::PullNumber;

use crate::repository::Change;
use crate::world::{OFTEN, World, login};

/// What a job sees: exits with 0 where all is as it should be.
const LOOK: &str = r#"
set -ex
data=$CI_CACHE_DIR/../../../../..
[ "$(ls -x "$data")" = "mirrors  workspaces" ]
[ "$(ls "$data/workspaces/acme/shop" | wc -l)" = 1 ]
[ "$(ls "$data/mirrors/acme/shop.git")" = objects ]
[ ! -e "$data/../token" ] && [ ! -e "$data/../ci-node.toml" ] && [ ! -e "$data/admin.sock" ]
[ ! -e "$CI_CACHE_DIR/../meta" ]
! touch "$data/mirrors/acme/shop.git/objects/x"
for folder in "$CI_CACHE_DIR" "$HOME" "$TMPDIR" /tmp .; do echo x > "$folder/written"; done
[ "$CI_PORT_BASE" -gt 1024 ] && [ "$CI" = true ] && [ "$CI_JOB" = test ]
[ "$(git rev-parse HEAD)" = "$CI_COMMIT" ]
git status --porcelain
git log -1 --format=%H "$CI_HEAD"
! ps -e | grep ci-node
"#;

/// `isolation` for the world's node, instead of none.
pub fn isolate(world: &World, isolation: &str) {
    let path = world.folder().join("ci-node.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let isolation = format!("isolation = \"{isolation}\"");
    std::fs::write(&path, text.replace("isolation = \"none\"", &isolation)).unwrap();
}

/// Whether there is bubblewrap and it works; without it a story is skipped, loudly.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub fn has_bubblewrap() -> bool {
    let trial = Command::new("bwrap")
        .args(["--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc", "true"])
        .output();
    let works = trial.is_ok_and(|output| output.status.success());
    if !works {
        eprintln!("SKIPPED (needs bubblewrap: apt-get install bubblewrap, and user namespaces)");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "skipped in CI");
    }
    works
}

async fn world(script: &str, policy: &str) -> World {
    let files = [
        ("ci-policy.yaml", policy),
        ("lib/ci.yaml", "jobs:\n  test: [sh ./look]\n"),
        ("lib/look", script),
        ("lib/word", "hello\n"),
    ];
    let world = World::new(&files).await;
    world.configure(OFTEN, "");
    world
}

fn bye(world: &World) -> PullNumber {
    world.open("bye", &[Change::file("lib/word", "bye\n")])
}

const FREE: &str = "mergeable: {approvals: 0}\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_finds_its_workspace_and_nothing_of_the_node() {
    if !has_bubblewrap() {
        return;
    }
    let world = world(LOOK, FREE).await;
    isolate(&world, "auto");
    let node = world.start().await;
    let pull = bye(&world);
    world.says(pull, "success pull request can be merged").await;
    assert!(world.log().contains("jobs are isolated"), "{}", world.log());
    let status = world.answer(&["status"]);
    assert!(status.contains("namespaces"), "{status}");
    world.nothing_runs_beside(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_in_a_sandbox_outlives_its_node() {
    if !has_bubblewrap() {
        return;
    }
    let script = "touch \"$HOME/up\"; until [ -e \"$HOME/go\" ]; do sleep 0.05; done\n";
    let world = world(script, FREE).await;
    isolate(&world, "namespaces");
    let node = world.start().await;
    let pull = bye(&world);
    let home = world.data().join(format!("workspaces/acme/shop/pull-{pull}/home"));
    world.until("the job to run", || home.join("up").exists()).await;
    node.kill9();
    let node = world.start().await;
    std::fs::write(home.join("go"), "").unwrap();
    world.says(pull, "success pull request can be merged").await;
    world.nothing_runs_beside(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_to_be_had_is_waited_for_and_told() {
    let demand = format!("{FREE}sandbox: {{isolation: namespaces}}\n");
    let world = world("exit 0\n", &demand).await;
    let _node = world.start().await;
    let pull = bye(&world);
    world
        .says(
            pull,
            "pending no isolation available: the policy demands namespaces, this node offers none",
        )
        .await;
    world.push_main(&[Change::file("ci-policy.yaml", FREE)]);
    world.says(pull, "success pull request can be merged").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_what_it_was_told_to_use_starts_no_job() {
    let world = world("echo ran >> {outside}\n", FREE).await;
    isolate(&world, "container");
    for engine in ["podman", "docker"] {
        world.install(engine, "#!/bin/sh\necho not today >&2\nexit 1\n");
    }
    let _node = world.start().await;
    let pull = bye(&world);
    let why = "podman: failed to use it: not today; docker: failed to use it: not today";
    waits_for(&world, pull, &format!("no isolation available: {why}")).await;
    let status = world.answer(&["status"]);
    assert!(status.contains(&format!("isolation: none works: {why}")), "{status}");
    assert_eq!(world.outside(), [""; 0]);
}

/// What a job of a fork has: nothing to send and nowhere to send it to.
const POOR: &str = r#"
set -e
[ "${#HEX_KEY}" = 0 ]
[ "$(grep -c : /proc/net/dev)" = 1 ]
"#;
/// What a job of the repository's own has.
const RICH: &str = "[ \"${#HEX_KEY}\" = 6 ]\n";
const SECRET: &str = "mergeable: {approvals: 0}\nsecrets: {HEX_KEY: {expose: internal}}\n";
const GRANT: &str = "[repos.secrets]\nHEX_KEY = { file = \"hex-key\" }\n";

/// Asks the node and not the forge, which is told of changed words with delay.
async fn waits_for(world: &World, pull: PullNumber, why: &str) {
    let number = pull.to_string();
    let shown = || String::from_utf8(world.ask(&["pr", "show", &number]).stdout).unwrap();
    world.until(why, || shown().contains(why)).await;
}

fn grant(world: &World) {
    std::fs::write(world.folder().join("hex-key"), "c0ffee").unwrap();
    world.configure(OFTEN, GRANT);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_runs_once_its_head_is_approved_without_secrets_or_network() {
    if !has_bubblewrap() {
        return;
    }
    let world = world(POOR, SECRET).await;
    grant(&world);
    isolate(&world, "auto");
    let node = world.start().await;
    let pull = world.open_fork("gift", &[Change::file("lib/word", "bye\n")]);
    let head = world.head(pull);
    waits_for(&world, pull, &format!("awaiting approval to run {}", head.short())).await;
    world.repo.comment(pull, &login("linus"), &format!("/ci run {}", head.short()));
    world.says(pull, "success pull request can be merged").await;
    world.push_pull(pull, &[Change::file("lib/word", "and again\n")]);
    let next = world.head(pull);
    waits_for(&world, pull, &format!("awaiting approval to run {}", next.short())).await;
    world.nothing_runs_beside(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forks_run_at_once_where_the_policy_says_so_and_own_branches_see_secrets() {
    if !has_bubblewrap() {
        return;
    }
    let world = world(RICH, &format!("{SECRET}forks: {{run: always}}\n")).await;
    grant(&world);
    isolate(&world, "auto");
    let _node = world.start().await;
    let own = bye(&world);
    let fork = world.open_fork("gift", &[Change::file("lib/look", POOR)]);
    world.says(own, "success pull request can be merged").await;
    world.says(fork, "success pull request can be merged").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_never_runs_without_isolation() {
    let world = world("echo ran >> {outside}\n", &format!("{FREE}forks: {{run: always}}\n")).await;
    let _node = world.start().await;
    let fork = world.open_fork("gift", &[Change::file("lib/word", "bye\n")]);
    let why = "no isolation available: this node runs jobs without isolation";
    waits_for(&world, fork, why).await;
    assert_eq!(world.outside(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn leave_that_is_taken_back_ends_what_runs_of_a_fork() {
    if !has_bubblewrap() {
        return;
    }
    let script = "touch \"$HOME/up\"; until [ -e \"$HOME/go\" ]; do sleep 0.05; done\n";
    let world = world(script, FREE).await;
    isolate(&world, "auto");
    let node = world.start().await;
    let pull = world.open_fork("gift", &[Change::file("lib/word", "bye\n")]);
    let awaits = format!("awaiting approval to run {}", world.head(pull).short());
    waits_for(&world, pull, &awaits).await;
    let home = world.data().join(format!("workspaces/acme/shop/pull-{pull}/home"));
    let review = world.repo.review(pull, &login("linus"), ReviewState::Approved);
    world.until("the job to run", || home.join("up").exists()).await;
    world.repo.dismiss(pull, review);
    waits_for(&world, pull, &awaits).await;
    world.nothing_runs_beside(&node).await;
    std::fs::write(home.join("go"), "").unwrap();
    world.approve(pull);
    world.says(pull, "success pull request can be merged").await;
}
