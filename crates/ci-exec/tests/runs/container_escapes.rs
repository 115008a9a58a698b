//! What a command cannot do from inside a container. The image has busybox and nothing else.

use std::fs;
use std::process::{Child, Command, Stdio};

use ci_exec::{Network, Outcome};

use crate::engine::{container_of, in_container};
use crate::support::{Place, command_with, sequence};

/// What a node has beside a job's workspace, and what it must not lose.
struct Node {
    place: Place,
    /// A process of the node, with a secret in its environment.
    process: Child,
}

impl Node {
    /// A node with a job whose steps are these, each of which may fail.
    fn new(scripts: &[&str]) -> Option<Self> {
        let mut place = in_container(Place::with_command("false"))?;
        let node = place.root().join("node");
        fs::create_dir(&node).unwrap();
        fs::write(node.join("token"), "the token\n").unwrap();
        let attempt = place.spec.attempt.to_string();
        let mut process = Command::new("/bin/sleep");
        let process = process.arg("600").env("ITS_SECRET", &attempt).stdin(Stdio::null());
        let process = process.spawn().unwrap();
        let step = |script: &&str| {
            let script = script
                .replace("NODE", &node.display().to_string())
                .replace("PID", &process.id().to_string())
                .replace("ATTEMPT", &attempt);
            command_with(&script, |command| command.allow_failure = true)
        };
        place.spec.steps = sequence(scripts.iter().map(step).collect());
        Some(Self { place, process })
    }

    /// Runs the job, and says which of its steps did what they were after.
    async fn successes(&self) -> Vec<bool> {
        let run = self.place.run().await;
        assert_eq!(run.outcome, Outcome::Passed);
        run.exits().into_iter().map(|(_, exit)| exit.is_success()).collect()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Makes all attempts, and expects of each the same.
async fn check(expected: bool, scripts: &[&str]) {
    let Some(node) = Node::new(scripts) else { return };
    let found = node.successes().await;
    let found: Vec<_> = scripts.iter().zip(found).collect();
    let all: Vec<_> = scripts.iter().map(|script| (script, expected)).collect();
    assert_eq!(found, all);
    let token = fs::read_to_string(node.place.root().join("node/token")).unwrap();
    assert_eq!(token, "the token\n");
}

#[tokio::test]
async fn the_files_of_the_node_and_of_the_machine_are_not_there() {
    check(
        false,
        &[
            "cat NODE/token",
            "cat ../node/token",
            "ln -s NODE/token link && cat link",
            "cat /usr/bin/env",
            "ls /.ci-node/gate/* | grep .",
            "ls ../run",
        ],
    )
    .await;
}

#[tokio::test]
async fn nothing_outside_the_workspace_is_written() {
    check(
        false,
        &[
            "echo x > NODE/token && exit 1; [ -e NODE ]",
            "echo x > /.ci-node/init",
            "echo x > /.ci-node/gate/x",
            "f=/proc/sys/kernel/core_pattern; cat $f > value && cat value > $f",
            "echo h > /proc/sysrq-trigger",
            "touch /sys/x || touch /sys/fs/cgroup/x || mkdir /sys/fs/cgroup/x",
        ],
    )
    .await;
    check(true, &["echo x > file && echo x > /tmp/file && cat file /tmp/file"]).await;
}

#[tokio::test]
async fn processes_of_the_node_are_neither_seen_nor_signaled() {
    check(
        false,
        &["kill -0 PID", "[ -d /proc/PID ]", "grep -aq ITS_SECRET=ATTEMPT /proc/[0-9]*/environ"],
    )
    .await;
    check(true, &["[ $(ls -d /proc/[0-9]* | grep -c .) -lt 8 ]"]).await;
}

#[tokio::test]
async fn init_cannot_be_looked_into_or_ended() {
    check(
        false,
        &["cat /proc/1/environ", "readlink /proc/1/fd/* | grep .", "head -c 1 /proc/1/mem"],
    )
    .await;
    check(true, &["kill -KILL 1; kill -STOP 1; kill -TERM 1; :"]).await;
}

#[tokio::test]
async fn there_are_no_rights_and_no_way_to_get_some() {
    let rights = "grep -q 'NoNewPrivs:.1' /proc/self/status && \
        [ $(grep -c 'Cap[IPEBA].*:.0000000000000000' /proc/self/status) = 5 ]";
    check(true, &[rights]).await;
    check(false, &["mkdir m && mount -t tmpfs none m", "umount /proc", "umount /.ci-node/init"])
        .await;
}

#[tokio::test]
async fn without_a_network_there_is_a_loopback_alone() {
    check(true, &["[ $(grep -c : /proc/net/dev) = 1 ]"]).await;
    let Some(mut node) = Node::new(&["[ $(grep -c : /proc/net/dev) -gt 1 ]"]) else { return };
    container_of(&mut node.place).network = Network::Shared;
    assert_eq!(node.successes().await, [true], "else there is more");
}
