//! A configuration that changes while the node runs.

use ci_domain::ids::RepoName;
use serde_json::Value;

use crate::node::Node;
use crate::repository::{Change, Repository};
use crate::wait::{LIMIT, wait_for};
use crate::world::{OFTEN, World, branch};

const POLICY: (&str, &str) =
    ("ci-policy.yaml", "mergeable: {approvals: 0}\nsecrets: {HEX_KEY: {expose: internal}}\n");
/// Says that it runs, waits until it may end, and says how long its secret is.
const JOB: (&str, &str) = (
    "lib/ci.yaml",
    "jobs:\n  test:\n    - echo start >> {outside}\n    \
     - until [ -e {outside}.go ]; do sleep 0.05; done\n    \
     - echo \"key=${#HEX_KEY}\" >> {outside}\n",
);
const GRANT: &str = "[repos.secrets]\nHEX_KEY = { file = \"hex-key\" }\n";

async fn world() -> World {
    let world = World::new(&[POLICY, JOB, ("lib/word", "hello\n")]).await;
    grant(&world, "c0ffee");
    world
}

fn grant(world: &World, key: &str) {
    std::fs::write(world.folder().join("hex-key"), key).unwrap();
    world.configure(OFTEN, GRANT);
}

fn let_go(world: &World) {
    std::fs::write(world.folder().join("outside.go"), "").unwrap();
}

/// Has the node read its configuration again; answers with what it says of that.
async fn reload(node: &Node) -> Value {
    let last = async || node.api("/status").await["reload"].clone();
    let before = last().await;
    node.hang_up();
    wait_for("the configuration to be read again", LIMIT, async || {
        let now = last().await;
        (now != before).then_some(now)
    })
    .await
}

async fn repo(node: &Node, name: &str) -> Option<Value> {
    let repos = node.api("/repos").await;
    repos.as_array().unwrap().iter().find(|repo| repo["name"] == name).cloned()
}

async fn polls(node: &Node, name: &str) -> u64 {
    repo(node, name).await.unwrap()["polls"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_makes_the_policy_valid_that_names_it() {
    let world = world().await;
    world.configure(OFTEN, "");
    let_go(&world);
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.says(pull, "failure ci-policy.yaml:2: the node grants no secret `HEX_KEY`").await;
    grant(&world, "c0ffee");
    assert_eq!(reload(&node).await["taken"], serde_json::json!(["repos acme/shop"]));
    world.says(pull, "success pull request can be merged").await;
    assert_eq!(world.outside(), ["start", "key=6"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_outlives_the_reload_that_changes_its_secret_and_the_next_sees_the_new_one() {
    let world = world().await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.until("the job to start", || world.outside().len() == 1).await;
    grant(&world, "c0ffee-c0ffee");
    reload(&node).await;
    let_go(&world);
    world.says(pull, "success pull request can be merged").await;
    assert_eq!(world.outside(), ["start", "key=6"]);
    world.answer(&["pr", "force", &pull.to_string(), "lib:test"]);
    world.until("the job to end again", || world.outside().len() == 4).await;
    assert_eq!(world.outside()[3], "key=13");
    assert!(!world.log().contains("c0ffee"), "the node's own log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_repository_is_served_and_the_others_are_left_alone() {
    let world = world().await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.until("the job to start", || world.outside().len() == 1).await;
    let git = Repository::init(world.folder().join("docs.git"));
    let files = [
        Change::file("ci-policy.yaml", "branches: [main]\n"),
        Change::file("text/ci.yaml", "jobs:\n  compile: [\"true\"]\n"),
    ];
    let tip = git.commit("refs/heads/main", None, &files);
    let docs = RepoName::new("acme/docs").unwrap();
    let forge = world.github.add_repo(docs, branch("main"), tip.clone());
    let more = format!(
        "{GRANT}[[repos]]\nname = \"acme/docs\"\nclone_url = \"file://{}\"\n",
        git.path().display()
    );
    world.configure(OFTEN, &more);
    let before = polls(&node, "acme/shop").await;
    assert_eq!(reload(&node).await["taken"], serde_json::json!(["repos acme/docs"]));
    world
        .until("a status", || {
            forge.statuses(&tip).iter().any(|one| one.state.as_str() == "success")
        })
        .await;
    assert!(polls(&node, "acme/shop").await >= before, "its watcher lives");
    let_go(&world);
    world.says(pull, "success pull request can be merged").await;
    assert_eq!(world.outside(), ["start", "key=6"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_is_taken() {
    let world = world().await;
    let_go(&world);
    std::fs::write(world.folder().join("token"), "expired").unwrap();
    let node = world.spawn();
    node.ready().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    let trouble = async || repo(&node, "acme/shop").await?["trouble"].as_str().map(str::to_owned);
    wait_for("a poll to fail", LIMIT, trouble).await;
    grant(&world, "c0ffee");
    assert_eq!(reload(&node).await["taken"], serde_json::json!(["github credentials"]));
    world.says(pull, "success pull request can be merged").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_else_is_refused_by_name_and_a_bad_file_as_a_whole() {
    let world = world().await;
    let node = world.start().await;
    let path = world.folder().join("ci-node.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let changed =
        text.replace("grace = \"1s\"", "grace = \"2s\"").replace("acme/shop", "acme/else");
    std::fs::write(&path, changed.replace("concurrency = 4", "concurrency = 5")).unwrap();
    let said = reload(&node).await;
    let refused = [
        "runner: it is only read at the start",
        "repos acme/shop: it is served until the next start, though the file lacks it",
    ];
    assert_eq!(said["refused"], serde_json::json!(refused));
    assert_eq!(said["taken"], serde_json::json!(["queues", "repos acme/else"]));
    assert!(world.log().contains(refused[0]), "{}", world.log());

    std::fs::write(&path, text.replace("[http]", "[htp]")).unwrap();
    let said = reload(&node).await;
    assert!(said["refused"][0].as_str().unwrap().contains("unknown key `htp`"), "{said}");
    assert_eq!(said["taken"], serde_json::json!([]));
    std::fs::write(&path, text).unwrap();
    let status = world.answer(&["status"]);
    assert!(status.contains("refused: "), "{status}");
    assert!(repo(&node, "acme/shop").await.is_some());
}
