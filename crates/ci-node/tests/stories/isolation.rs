//! Jobs in sandboxes, and nodes that cannot make them.

use std::path::Path;

use ci_domain::ids::PullNumber;

use crate::repository::Change;
use crate::world::{OFTEN, World};

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
fn isolate(world: &World, isolation: &str) {
    let path = world.folder().join("ci-node.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let isolation = format!("isolation = \"{isolation}\"");
    std::fs::write(&path, text.replace("isolation = \"none\"", &isolation)).unwrap();
}

/// Whether there is bubblewrap; without it a story is skipped, loudly.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn has_bubblewrap() -> bool {
    let is_there = Path::new("/usr/bin/bwrap").exists();
    if !is_there {
        eprintln!("SKIPPED (needs bubblewrap: apt-get install bubblewrap)");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "skipped in CI");
    }
    is_there
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
    assert!(status.contains("isolation: namespaces"), "{status}");
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
    let _node = world.start().await;
    let pull = bye(&world);
    let why = "this version makes no containers ([runner] isolation)";
    world.says(pull, &format!("pending no isolation available: {why}")).await;
    let status = world.answer(&["status"]);
    assert!(status.contains(&format!("isolation: none works: {why}")), "{status}");
    assert_eq!(world.outside(), [""; 0]);
}
