//! What a job has left and how its tests went, with a node that is killed before it knows either.

use ci_domain::ids::PullNumber;
use serde_json::Value;

use crate::node::Node;
use crate::repository::Change;
use crate::wait::{LIMIT, wait_for};
use crate::world::World;

const PIPELINE: &str = r#"
jobs:
  test:
    - run: |
        echo "$CI_ATTEMPT" >> {outside}
        until [ -e {outside}.go ]; do sleep 0.02; done
        printf kept > a.txt
        cat > r.xml <<END
        <testsuite><testcase name="good"/><testcase name="bad"><failure>no</failure></testcase></testsuite>
        END
        exit 1
      name: tests
      artifacts: [a.txt, "*.zip"]
      reports: {junit: r.xml}
    - run: rm a.txt r.xml
      always: true
"#;

/// The attempt at the job, once one other than `before` has failed.
async fn failed(node: &Node, pull: PullNumber, before: Option<&str>) -> String {
    let path = format!("/repos/acme/shop/pulls/{pull}");
    wait_for("the job to fail", LIMIT, async || {
        let job = &node.api(&path).await["jobs"][0];
        let attempt = job["attempt"].as_str().filter(|attempt| Some(*attempt) != before)?;
        (job["state"] == "failed").then(|| attempt.to_owned())
    })
    .await
}

/// What is said of the tests of a pull request.
async fn told(node: &Node, pull: PullNumber) -> Vec<String> {
    let tests = node.api(&format!("/repos/acme/shop/pulls/{pull}/tests")).await;
    let said = |test: &Value| {
        let text = |key: &str| test[key].as_str().unwrap_or_default().to_owned();
        format!("{} {}: {}", text("judgement"), text("name"), text("message"))
    };
    tests[0]["tests"].as_array().unwrap().iter().map(said).collect()
}

/// What the command line tells and fetches of the first run.
fn the_command_line_has_them_too(world: &World, pull: PullNumber) {
    let pull = pull.to_string();
    let tests = world.answer(&["pr", "tests", &pull]);
    assert!(tests.contains("new failure"), "{tests}");
    let tests: Value =
        serde_json::from_str(&world.answer(&["pr", "tests", &pull, "-o", "json"])).unwrap();
    assert_eq!(tests[0]["failed"], 1);

    let folder = world.folder().join("fetched");
    let name = folder.to_str().unwrap();
    let listed = world.answer(&["pr", "artifacts", &pull, "--download", name, "-o", "json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let file = &listed[0]["artifacts"][0];
    let command = file["command"].as_str().unwrap();
    let fetched = folder.join(command).join(file["path"].as_str().unwrap());
    assert_eq!(std::fs::read_to_string(fetched).unwrap(), "kept");
    let again = world.ask(&["pr", "artifacts", &pull, "--download", name]);
    assert_eq!(again.status.code(), Some(2), "a folder that exists is left alone");
    let listed = world.answer(&["pr", "artifacts", &pull]);
    assert!(listed.contains("a/a.txt"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_has_left_outlives_the_node_and_is_there_once() {
    let world = World::new(&[("a/ci.yaml", PIPELINE), ("a/f", "one")]).await;
    let pull = world.open("change", &[Change::file("a/f", "two")]);
    let node = world.start().await;
    world.deliver(&node).await;
    world.until("the command to run", || world.outside().len() == 1).await;
    node.kill9();
    std::fs::write(world.folder().join("outside.go"), "").unwrap();
    world.until("the runner to end", || crate::runners::of(world.folder()).is_empty()).await;

    let node = world.start().await;
    let attempt = failed(&node, pull, None).await;
    assert_eq!(world.outside(), [attempt.as_str()], "it has run once");
    let left = node.api(&format!("/jobs/{attempt}/artifacts")).await;
    let files = left["artifacts"].as_array().unwrap();
    assert_eq!((files.len(), &files[0]["path"]), (1, &Value::from("a/a.txt")));
    assert_eq!(left["notes"][0]["what"], "*.zip");
    let file = node.get(files[0]["url"].as_str().unwrap()).await;
    assert_eq!(file.headers()["content-type"], "application/octet-stream");
    assert_eq!(file.text().await.unwrap(), "kept");
    assert_eq!(told(&node, pull).await, ["new bad: no"]);
    the_command_line_has_them_too(&world, pull);

    world.push_pull(pull, &[Change::file("a/f", "three")]);
    world.deliver(&node).await;
    let second = failed(&node, pull, Some(&attempt)).await;
    assert_ne!(second, attempt);
    assert_eq!(told(&node, pull).await, ["known bad: no"]);
    node.terminate().await;
}
