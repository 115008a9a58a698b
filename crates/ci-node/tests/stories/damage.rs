//! What lies on the disk of a node is broken behind its back, or another node wants it.

use std::path::Path;

use crate::node::{Node, command};
use crate::repository::Change;
use crate::world::{NO_APPROVAL, World};

const FILES: [(&str, &str); 4] = [
    NO_APPROVAL,
    ("lib/ci.yaml", "jobs:\n  test: ['cat word', 'sh ./work']\n"),
    ("lib/word", "hello\n"),
    ("lib/work", "true\n"),
];
const GREEN: &str = "success pull request can be merged";

/// Ways to break a mirror.
const BREAKS: [fn(&Path); 4] = [
    // Git may be writing there.
    |mirror| std::fs::rename(mirror.join("objects"), mirror.with_extension("objects")).unwrap(),
    |mirror| std::fs::write(mirror.join("HEAD"), "nonsense").unwrap(),
    |mirror| std::fs::write(mirror.join("config"), "[core\nnonsense").unwrap(),
    |mirror| std::fs::write(mirror.join("packed-refs"), [0xff; 100]).unwrap(),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupt_mirror_is_replaced_while_the_node_runs() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let mirror = world.data().join("mirrors/acme/shop.git");
    for (number, break_it) in BREAKS.iter().enumerate() {
        break_it(&mirror);
        let pull = world.open(&format!("running-{number}"), &[word(number)]);
        world.deliver(&node).await;
        world.says(pull, GREEN).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupt_mirror_is_replaced_at_the_start() {
    let world = World::new(&FILES).await;
    let mut node = world.start().await;
    let mirror = world.data().join("mirrors/acme/shop.git");
    for (number, break_it) in BREAKS.iter().enumerate() {
        node.kill9();
        break_it(&mirror);
        node = world.start().await;
        let pull = world.open(&format!("stopped-{number}"), &[word(number)]);
        world.deliver(&node).await;
        world.says(pull, GREEN).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_deep_in_the_mirrors_history_is_found_and_mended() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/work", "true; true\n")]);
    world.deliver(&node).await;
    world.says(pull, GREEN).await;
    // The commit that both sides come from, which no tip is any more once the base has moved.
    let mirror = world.data().join("mirrors/acme/shop.git");
    lose(&mirror, &format!("{}^{{tree}}", world.tip()));
    world.push_main(&[word(1)]);
    world.deliver(&node).await;
    let is_mended = || world.log().contains("replaced a broken mirror");
    world.until("the mirror to be read whole and replaced", is_mended).await;
    let other = world.open("other", &[word(2)]);
    world.deliver(&node).await;
    world.says(other, GREEN).await;
    world.says(pull, GREEN).await;
}

/// Loses one object of the repository at `path`.
fn lose(path: &Path, name: &str) {
    let git = |arguments: &[&str], input: std::process::Stdio| {
        let mut git = std::process::Command::new("git");
        let output = git.args(arguments).current_dir(path).stdin(input).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let object = git(&["rev-parse", name], std::process::Stdio::null());
    let object = object.trim();
    let packs = path.with_extension("packs");
    std::fs::rename(path.join("objects/pack"), &packs).unwrap();
    std::fs::create_dir(path.join("objects/pack")).unwrap();
    for entry in std::fs::read_dir(packs).unwrap() {
        let pack = entry.unwrap().path();
        if pack.extension().is_some_and(|extension| extension == "pack") {
            git(&["unpack-objects", "-q"], std::fs::File::open(pack).unwrap().into());
        }
    }
    std::fs::remove_file(path.join("objects").join(&object[..2]).join(&object[2..])).unwrap();
}

/// A job that makes its `.git` a trap for whoever runs git there, and the workspace one for whoever
/// cleans up.
const TRAP: &str = "\
rm -rf ../.git\n\
git init --quiet ..\n\
for key in core.fsmonitor core.editor core.sshCommand diff.external core.pager; do\n  \
  git config $key 'touch {sprung}; false'\n\
done\n\
git config core.worktree /\n\
git config filter.x.clean 'touch {sprung}'; git config filter.x.smudge 'touch {sprung}'\n\
echo '* filter=x' > ../.git/info/attributes\n\
for hook in post-checkout pre-commit reference-transaction post-index-change; do\n  \
  printf '#!/bin/sh\\ntouch {sprung}\\n' > ../.git/hooks/$hook; chmod +x ../.git/hooks/$hook\n\
done\n\
mkdir -p ../locked/in; chmod 000 ../locked\n\
rm word; ln -s /etc/passwd word\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_rewrites_its_git_directory_harms_nobody() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let sprung = world.folder().join("sprung");
    let trap = TRAP.replace("{sprung}", sprung.to_str().unwrap());
    let pull = world.open("trap", &[Change::file("lib/work", trap)]);
    world.deliver(&node).await;
    world.says(pull, GREEN).await;
    let test = "test \"$(cat word)\" = bye && test ! -e ../locked && git status --porcelain\n";
    world.push_pull(pull, &[Change::file("lib/work", test), Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.says(pull, GREEN).await;
    assert!(!sprung.exists(), "the node ran what a job had left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_said_on_the_command_line() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let said = refused(&world, |config| config.replace("/data\"", "/other-data\""));
    assert!(said.contains(&format!("failed to listen on 127.0.0.1:{}", world.port())), "{said}");
    works(&world, &node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_node_on_the_same_data_is_said_on_the_command_line() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let port = format!("127.0.0.1:{}", world.port());
    let said = refused(&world, |config| config.replace(&port, "127.0.0.1:0"));
    assert!(said.contains(&node.pid().to_string()), "{said}");
    works(&world, &node).await;
}

/// Starts another node with the configuration changed, and answers with what it says before it ends.
fn refused(world: &World, change: impl FnOnce(String) -> String) -> String {
    let folder = world.folder().join("second");
    std::fs::create_dir(&folder).unwrap();
    for name in ["ci-node.toml", "token", "webhook-secret"] {
        std::fs::copy(world.folder().join(name), folder.join(name)).unwrap();
    }
    let config = folder.join("ci-node.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, change(text)).unwrap();
    let log = std::fs::File::create(folder.join("log")).unwrap();
    let status = command(&folder, log).status().unwrap();
    let said = std::fs::read_to_string(folder.join("log")).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    said
}

async fn works(world: &World, node: &Node) {
    let pull = world.open("change", &[word(0)]);
    world.deliver(node).await;
    world.says(pull, GREEN).await;
}

fn word(number: usize) -> Change {
    Change::file("lib/word", format!("word {number}\n"))
}
