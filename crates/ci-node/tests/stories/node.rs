//! One life of the real `ci-node serve`, and talking to it over HTTP.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use ci_github::fake::SignedDelivery;
use reqwest::{Client, Response};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::wait::{LIMIT, wait_for};

/// A running node; it is killed when it is dropped.
pub struct Node {
    child: Child,
    url: String,
    client: Client,
}

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_ci-node");

/// The command that starts a node with the configuration in `folder`. What is in `bin` there comes before
/// the machine's own programs.
pub fn command(folder: &Path, log: File) -> Command {
    command_of(Path::new(PROGRAM), folder, log)
}

/// The same with another copy of the program.
pub fn command_of(program: &Path, folder: &Path, log: File) -> Command {
    let machine = std::env::var("PATH").unwrap();
    let path = format!("{}:{machine}", folder.join("bin").display());
    let mut command = Command::new(program);
    command
        .args(["serve", "--config"])
        .arg(folder.join("ci-node.toml"))
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder)
        .env("XDG_RUNTIME_DIR", folder.join("run"))
        .env("RUST_LOG", std::env::var("STORY_LOG").unwrap_or_else(|_| "info".to_owned()))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    command
}

impl Node {
    /// Starts a node and returns when it is ready.
    pub async fn start(folder: &Path, port: u16, log: File) -> Self {
        let node = Self::spawn(folder, port, log);
        node.ready().await;
        node
    }

    /// Starts a node and returns at once.
    pub fn spawn(folder: &Path, port: u16, log: File) -> Self {
        Self::of(command(folder, log).spawn().unwrap(), port)
    }

    /// The node that runs as `child`.
    pub fn of(child: Child, port: u16) -> Self {
        Self { child, url: format!("http://127.0.0.1:{port}"), client: Client::new() }
    }

    /// Waits until the node says that it is ready.
    pub async fn ready(&self) {
        wait_for("the node to be ready", LIMIT, async || {
            let response = self.client.get(format!("{}/readyz", self.url)).send().await.ok()?;
            response.status().is_success().then_some(())
        })
        .await;
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends the node as a power cut would.
    pub fn kill9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the node to end, and waits until it has.
    pub async fn terminate(self) -> ExitStatus {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        self.ended().await
    }

    /// Has the node read its configuration again.
    pub fn hang_up(&self) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        kill_process(pid, Signal::HUP).unwrap();
    }

    /// Waits until the node has ended.
    pub async fn ended(mut self) -> ExitStatus {
        let has_ended = async || self.child.try_wait().unwrap();
        wait_for("the node to end", LIMIT, has_ended).await
    }

    /// Posts a webhook; answers with the status, 0 where there was no answer.
    pub async fn post(&self, delivery: &SignedDelivery) -> u16 {
        let request = self
            .client
            .post(format!("{}/webhooks/github", self.url))
            .header("X-GitHub-Event", &delivery.event)
            .header("X-GitHub-Delivery", &delivery.id)
            .header("X-Hub-Signature-256", &delivery.signature)
            .header("Content-Type", &delivery.content_type)
            .body(delivery.body.clone());
        request.send().await.map_or(0, |response| response.status().as_u16())
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.url)).send().await.unwrap()
    }

    /// Gets a path of the API.
    pub async fn api(&self, path: &str) -> Value {
        let response = self.get(&format!("/api/v1{path}")).await;
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status}: {text}");
        serde_json::from_str(&text).unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // One that has ended needs no killing.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}
