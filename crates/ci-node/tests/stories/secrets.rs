//! Secrets reach the jobs they are for, and nothing else.

use std::fs;
use std::path::Path;

use crate::repository::Change;
use crate::world::{OFTEN, World};

/// Granted to branches.
const KEY: &str = "c0ffee-c0ffee-c0ffee-42";
/// Granted to pull requests from this repository too.
const TOKEN: &str = "npm_0123456789abcdef";

const POLICY: (&str, &str) = (
    "ci-policy.yaml",
    "mergeable: {approvals: 0}\n\
     secrets:\n  HEX_KEY: {expose: branches}\n  NPM_TOKEN: {expose: internal}\n",
);
/// It says outside how long the values are, and here what they are; then it fails.
const JOB: (&str, &str) = (
    "lib/ci.yaml",
    "jobs:\n  compile:\n    - |\n      \
     echo \"pull=$CI_PULL key=${#HEX_KEY} token=${#NPM_TOKEN}\" >> {outside}\n      \
     echo \"key <$HEX_KEY> token <$NPM_TOKEN>\"\n      \
     printf '%s' \"$NPM_TOKEN\" | base64\n      exit 3\n",
);
/// What the configuration ends with: the secrets of its one repository.
const GRANTS: &str =
    "[repos.secrets]\nHEX_KEY = { file = \"hex-key\" }\nNPM_TOKEN = { file = \"npm-token\" }\n";

async fn world() -> World {
    let world = World::new(&[POLICY, JOB, ("lib/word", "hello\n")]).await;
    fs::write(world.folder().join("hex-key"), format!("{KEY}\n")).unwrap();
    fs::write(world.folder().join("npm-token"), TOKEN).unwrap();
    world.configure(OFTEN, GRANTS);
    world
}

/// Asserts that no file has the text, whatever it is for.
fn assert_nowhere(folder: &Path, text: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
            continue;
        } else if path.is_dir() {
            assert_nowhere(&path, text);
        } else if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            let is_there = bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!is_there, "{text:?} is in {}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_job_sees_its_secrets_and_nobody_else_does() {
    let world = world().await;
    let node = world.start().await;
    world.until("main to be built", || world.outside().len() == 1).await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.until("a comment", || !world.said(pull).is_empty()).await;
    let (key, token) = (KEY.len(), TOKEN.len());
    assert_eq!(
        world.outside(),
        [format!("pull= key={key} token={token}"), format!("pull={pull} key=0 token={token}")],
    );
    let comment = world.said(pull).concat();
    assert!(comment.contains("key <> token <***>\n***\n"), "{comment}");

    let number = pull.to_string();
    let logs = world.answer(&["pr", "logs", &number, "lib:compile"]);
    assert!(logs.contains("key <> token <***>"), "{logs}");
    let logs = world.answer(&["branch", "logs", "main", "lib:compile"]);
    assert!(logs.contains("key <***> token <***>"), "{logs}");
    node.terminate().await;
    for text in [KEY, TOKEN, "bnBtXzAxMjM0NTY3"] {
        assert_nowhere(&world.data(), text);
        assert!(!world.log().contains(text), "the node's own log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_names_what_was_not_granted_does_not_hold() {
    let world = world().await;
    world.configure(OFTEN, "");
    let _node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.says(pull, "failure ci-policy.yaml:3: the node grants no secret `HEX_KEY`").await;
    assert_eq!(world.outside(), [""; 0]);
}
