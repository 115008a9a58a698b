//! The store of a node can no longer be written.
//!
//! The full disk is a limit on the size of the files that the node writes, set while it runs: every
//! write beyond it fails, as on a disk without room.

use std::fs::File;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::node::{Node, command};
use crate::repository::Change;
use crate::world::{NO_APPROVAL, World};

/// A job that goes on until somebody lets it end.
const FILES: [(&str, &str); 3] = [
    NO_APPROVAL,
    (
        "lib/ci.yaml",
        "jobs: {test: ['echo start >> {outside}', 'until test -e {outside}.go; do sleep 0.1; done', \
         'echo end >> {outside}']}\n",
    ),
    ("lib/word", "hello\n"),
];
/// Such writes must fail instead of killing the node; it writes what it says to a pipe, which no limit
/// concerns.
const DEAF: &str = "trap '' XFSZ; exec \"$0\" \"$@\"";
/// What `ci-node` ends with when its store has failed.
const STORE_FAILED: i32 = 74;
/// A node that cannot go on must not take longer to say so.
const A_MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_write_its_store_ends_and_the_next_loses_nothing() {
    let world = World::new(&FILES).await;
    let (node, said) = deaf(&world);
    node.ready().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.until("the job to start", || world.outside() == ["start"]).await;

    let full = Rlimit { current: Some(0), maximum: Some(0) };
    let pid = Pid::from_raw(node.pid().cast_signed());
    prlimit(pid, Resource::Fsize, full).unwrap();
    let since = Instant::now();
    let missed = world.open("other", &[Change::file("lib/word", "good day\n")]);
    for delivery in world.webhooks() {
        let status = node.post(&delivery).await;
        assert!([0, 503].contains(&status), "{status}: it cannot have been stored");
    }
    let status = node.ended().await;
    let said = said.join().unwrap();
    assert_eq!(status.code(), Some(STORE_FAILED), "{said}");
    assert!(since.elapsed() < A_MINUTE);
    assert!(said.contains("the node ends, because its store cannot be written"), "{said}");
    assert!(said.contains("File too large"), "{said}");

    File::create(world.folder().join("outside.go")).unwrap();
    let _node = world.start().await;
    for pull in [pull, missed] {
        world.says(pull, "success pull request can be merged").await;
    }
    assert_eq!(world.outside().iter().filter(|line| *line == "start").count(), 2);
    assert_eq!(world.outside().iter().filter(|line| *line == "end").count(), 2);
}

/// Starts a node for which a write beyond a limit is no signal; what it says comes when it has ended.
fn deaf(world: &World) -> (Node, JoinHandle<String>) {
    let ordinary = command(world.folder(), tempfile::tempfile().unwrap());
    let environment = ordinary.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mut child = Command::new("sh")
        .args(["-c", DEAF])
        .arg(ordinary.get_program())
        .args(ordinary.get_args())
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = child.stderr.take().unwrap();
    let read = move || {
        let mut text = String::new();
        said.read_to_string(&mut text).unwrap();
        text
    };
    (Node::of(child, world.port()), thread::spawn(read))
}
