//! A thousand webhooks a second: how long each waits for its acknowledgement, and that none is lost.
//!
//! The time of a webhook counts from when it is due, not from when a connection is free for it. The
//! yardsticks are taken at the same time, as the machine is shared: what durability costs alone, one small
//! record written and synced at a time to the same disk, and how late a thread wakes up that does nothing.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
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

/// Seldom enough to be no load.
const BETWEEN_SYNCS: Duration = Duration::from_millis(20);
/// How long a thread sleeps that does nothing.
const NAP: Duration = Duration::from_millis(1);

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
    let machine = Machine::watch(world.folder());
    let (times, refused) = send(world.port(), webhooks.clone(), " 202 ", true).await;
    let (synced, late) = machine.end();
    let after = memory(&node);
    node.kill9();

    say(&format!(
        "{} webhooks, {RATE} a second, each on record when it is acknowledged",
        size.webhooks
    ));
    times.print("until acknowledged", Some(&synced));
    synced.print("a bare write and sync then", None);
    late.print("a thread woke up late by", None);
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

/// What anybody would wait for on this machine meanwhile.
struct Machine {
    is_over: Arc<AtomicBool>,
    synced: JoinHandle<Vec<Duration>>,
    late: JoinHandle<Vec<Duration>>,
}

impl Machine {
    fn watch(folder: &Path) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut file = File::create(folder.join("yardstick")).unwrap();
        let sync = move || {
            file.write_all(&[b'x'; 256]).unwrap();
            file.sync_data().unwrap();
        };
        let synced = timed(&is_over, BETWEEN_SYNCS, sync);
        let late = timed(&is_over, Duration::ZERO, || pause(NAP));
        Self { is_over, synced, late }
    }

    /// How long each sync took, and how late each nap ended.
    fn end(self) -> (Times, Times) {
        self.is_over.store(true, Ordering::Relaxed);
        let (synced, late) = (self.synced.join().unwrap(), self.late.join().unwrap());
        (
            Times::of(synced),
            Times::of(late.into_iter().map(|time| time.saturating_sub(NAP)).collect()),
        )
    }
}

/// Does something time and again on a thread of its own, and tells how long each time took.
fn timed(
    is_over: &Arc<AtomicBool>,
    between: Duration,
    mut act: impl FnMut() + Send + 'static,
) -> JoinHandle<Vec<Duration>> {
    let is_over = is_over.clone();
    std::thread::spawn(move || {
        let mut times = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            let begin = Instant::now();
            act();
            times.push(begin.elapsed());
            pause(between);
        }
        times
    })
}

#[expect(clippy::disallowed_methods, reason = "a thread that sleeps is what is measured")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}
