//! A thousand webhooks a second: how long each waits for its acknowledgement, and that none is lost.
//!
//! The time of a webhook counts from when it is due, not from when a connection is free for it. The
//! yardstick is what durability costs alone: the same disk, one small record written and synced at a time.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ci_domain::ids::PullNumber;
use ci_github::Secret;
use ci_github::fake::FakeGitHub;
use ci_github::webhook::sign;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Size;
use crate::figures::{Times, say};
use crate::idle::{memory, shown};
use crate::recordings::payloads;
use crate::repository::Change;
use crate::world::{NO_APPROVAL, REPO, World};

/// How many webhooks come in a second.
const RATE: u32 = 1000;
/// Connections that they come by; GitHub keeps some, too.
const CONNECTIONS: usize = 64;
/// Pull requests that they are about.
const PULLS: usize = 50;
/// Reads of pull requests that are under way at once, so that most of the machine is left to webhooks.
const READS: &str = "[queues.\"github.read\"]\nconcurrency = 1\nrate = \"20/s\"";

/// What one connection has to tell: how long each webhook took, and which were not acknowledged.
type Told = (Vec<Duration>, Vec<String>);

/// Measures.
pub async fn measure(size: Size) {
    let world = World::new(&[NO_APPROVAL, ("README.md", "A shop.\n")]).await;
    world.configure("1h", READS);
    let node = world.start().await;
    let change = |number| Change::file(format!("docs/page-{number}"), "words\n");
    let pulls: Vec<PullNumber> =
        (0..PULLS).map(|number| world.open(&format!("pull-{number}"), &[change(number)])).collect();
    world.deliver(&node).await;
    for pull in &pulls {
        world.says(*pull, "success pull request can be merged").await;
    }
    let webhooks = Arc::new(webhooks(&pulls, size.webhooks));
    let before = memory(&node);
    let (times, refused) = send(world.port(), webhooks.clone(), " 202 ", true).await;
    let after = memory(&node);
    node.kill9();

    say(&format!(
        "{} webhooks, {RATE} a second, each on record when it is acknowledged",
        size.webhooks
    ));
    times.print("until acknowledged", Some(&yardstick(world.folder())));
    say(&format!("  not acknowledged         {:>6}", refused.len()));
    say(&format!("  resident before          {}", shown(before)));
    say(&format!("  resident after           {}", shown(after)));
    let node = world.start().await;
    let (_, lost) = send(world.port(), webhooks, " 200 ", false).await;
    let lost = lost.len() - refused.len().min(lost.len());
    say(&format!("  lost by a SIGKILL then   {lost:>6}"));
    drop(node);
}

/// Recorded webhooks of these pull requests in turn, ready to be sent.
fn webhooks(pulls: &[PullNumber], count: usize) -> Vec<Vec<u8>> {
    let recorded = payloads()
        .into_iter()
        .find(|recorded| recorded.event == "pull_request" && recorded.variant == "synchronize");
    let payload = recorded.unwrap().payload;
    let secret = Secret::new(FakeGitHub::WEBHOOK_SECRET);
    let body = |pull: &PullNumber| {
        let mut payload: Value = payload.clone();
        payload["repository"]["full_name"] = json!(REPO);
        payload["number"] = json!(pull.0);
        payload["pull_request"]["number"] = json!(pull.0);
        payload.to_string()
    };
    let bodies: Vec<String> = pulls.iter().map(body).collect();
    let webhook = |number: usize| {
        let body = &bodies[number % bodies.len()];
        let (length, signature) = (body.len(), sign(&secret, body.as_bytes()));
        let head = format!(
            "POST /webhooks/github HTTP/1.1\r\nhost: ci\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\nx-github-event: pull_request\r\n\
             x-github-delivery: 11111111-0000-0000-0000-{number:012x}\r\n\
             x-hub-signature-256: {signature}\r\n\r\n"
        );
        [head.as_bytes(), body.as_bytes()].concat()
    };
    (0..count).map(webhook).collect()
}

/// Sends all, each when it is due or as soon as possible; tells the times, and the answers that were not
/// `expected`.
async fn send(
    port: u16,
    webhooks: Arc<Vec<Vec<u8>>>,
    expected: &'static str,
    paced: bool,
) -> (Times, Vec<String>) {
    let (next, begin) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (webhooks, next) = (webhooks.clone(), next.clone());
        let pace = paced.then_some(begin);
        connections.spawn(converse(port, webhooks, next, expected, pace));
    }
    let told: Vec<Told> = connections.join_all().await;
    let (times, unexpected): (Vec<_>, Vec<_>) = told.into_iter().unzip();
    (Times::of(times.concat()), unexpected.concat())
}

async fn converse(
    port: u16,
    webhooks: Arc<Vec<Vec<u8>>>,
    next: Arc<AtomicUsize>,
    expected: &'static str,
    begin: Option<Instant>,
) -> Told {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut times, mut unexpected) = (Vec::new(), Vec::new());
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(webhook) = webhooks.get(number) else { return (times, unexpected) };
        let due = match begin {
            Some(begin) => begin + Duration::from_secs(1) / RATE * u32::try_from(number).unwrap(),
            None => Instant::now(),
        };
        tokio::time::sleep_until(due.into()).await;
        stream.write_all(webhook).await.unwrap();
        let status = answer(&mut stream).await;
        times.push(due.elapsed());
        if !status.contains(expected) {
            unexpected.push(status);
        }
    }
}

/// Reads a whole answer; gives back its first line.
async fn answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    loop {
        let mut part = [0; 2048];
        let read = stream.read(&mut part).await.unwrap();
        assert!(read > 0, "the connection was closed");
        answer.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.unwrap().parse().unwrap() {
            return head.lines().next().unwrap().to_owned();
        }
    }
}

/// One small record after the other, each synced.
fn yardstick(folder: &std::path::Path) -> Times {
    let mut file = File::create(folder.join("yardstick")).unwrap();
    let once = |_| {
        let begin = Instant::now();
        file.write_all(&[b'x'; 256]).unwrap();
        file.sync_data().unwrap();
        begin.elapsed()
    };
    Times::of((0..500).map(once).collect())
}
