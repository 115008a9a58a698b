//! The dashboard of a node with a thousand pull requests: how soon each page begins, a log of a million
//! lines, and five hundred people who watch one log.

use std::time::{Duration, Instant};

use ci_store::{Append, Ledger as _, Options, Record, SledLedger, Stamp, StreamId};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Size;
use crate::figures::{Times, millis, say};
use crate::idle::{memory, shown};
use crate::node::Node;
use crate::repository::Change;
use crate::wait::wait_for;
use crate::world::{REPO, World};

/// How long all pull requests together may take to be built.
const LIMIT: Duration = Duration::from_secs(1800);
/// How often each page is asked for.
const ASKED: usize = 50;
/// How much of what came last is searched for a text: more than follows it in one read.
const END: usize = 8 * 1024;
/// Numbers of pull requests that are not open begin here.
const FIRST_CLOSED: usize = 1_000_000;
/// Builds that are put on record at once.
const AT_ONCE: usize = 1000;
/// Who approves is of no interest here.
const POLICY: &str = "mergeable: {approvals: 0}\n";

/// What those do who follow a log.
#[derive(Clone, Copy)]
enum Readers {
    /// They read as fast as they can.
    Quick,
    /// All but one do not read at all.
    Idle,
}

/// Measures.
pub async fn measure(size: Size) {
    let lines = size.pulls * 100_000 / 3;
    let quick = "jobs:\n  test: ['true']\n";
    let long = format!(
        "jobs:\n  print: ['seq -f \"a line of a log that is as long as most, %.0f\" 1 {lines}']\n"
    );
    let live = |name: &str| {
        format!(
            "jobs:\n  watch: ['while ! test -e {{outside}}.{name}; do sleep 0.1; done; seq 1 100000; while ! test -e {{outside}}.{name}.end; do sleep 0.1; done']\n"
        )
    };
    let (live, silent) = (live("live"), live("silent"));
    let files = [
        ("lib/ci.yaml", quick),
        ("long/ci.yaml", &long),
        ("live/ci.yaml", &live),
        ("silent/ci.yaml", &silent),
        ("ci-policy.yaml", POLICY),
    ];
    let world = World::new(&files).await;
    world.configure("1h", "log_limit = \"1GiB\"");
    let node = world.start().await;
    let change = |number| Change::file("lib/word", format!("hello {number}\n"));
    let pulls: Vec<_> = (0..size.idle)
        .map(|number| world.open(&format!("pull-{number}"), &[change(number)]))
        .collect();
    world.deliver(&node).await;
    for pull in &pulls {
        wait_for("every pull request to be built", LIMIT, async || {
            world.umbrella(*pull).starts_with("success").then_some(())
        })
        .await;
    }
    let node = with_history(&world, node, size.history).await;
    say(&format!(
        "{} open pull requests, each built once, and {} builds on record: the first byte of each page",
        size.idle, size.history
    ));
    let attempt = attempt(&node, pulls[0].0, "lib:test").await.expect("it was built");
    let first = pulls[0];
    for page in [
        "/".to_owned(),
        format!("/{REPO}"),
        format!("/{REPO}?only=mergeable&page=2"),
        format!("/{REPO}/pull/{first}"),
        format!("/{REPO}/pull/{first}/jobs/{attempt}"),
        "/queues".to_owned(),
        "/system".to_owned(),
    ] {
        let mut times = Times::default();
        for _ in 0..ASKED {
            times.add(first_byte(&world, &page).await);
        }
        times.print(&page.replace(&attempt, "…"), None);
    }
    long_log(&world, &node, lines).await;
    crowd(&world, &node, ("live", Readers::Quick, size.idle / 2)).await;
    crowd(&world, &node, ("silent", Readers::Idle, size.idle / 2)).await;
    assert!(node.terminate().await.success());
}

/// Adds builds of pull requests that were closed long ago, copies of those that there are, until there are
/// so many; and starts the node again.
async fn with_history(world: &World, node: Node, many: usize) -> Node {
    assert!(node.terminate().await.success());
    let options = Options::new(Stamp::new("20260131T101500Z").unwrap());
    let ledger = SledLedger::open(&world.data().join("store"), options).unwrap().ledger;
    let read = |stream: &StreamId| -> Vec<Record> {
        let records = ledger.read(stream).unwrap().records;
        records.into_iter().map(|(_, record)| record).collect()
    };
    let builds: Vec<Vec<Record>> =
        ledger.streams(&format!("build/{REPO}/")).unwrap().iter().map(read).collect();
    let begin = Instant::now();
    let mut under_way = Vec::with_capacity(AT_ONCE);
    for number in builds.len()..many {
        let stream = format!("build/{REPO}/{}/1", FIRST_CLOSED + number);
        let records = builds[number % builds.len()].clone();
        under_way.push(ledger.append(Append::new(StreamId::new(stream).unwrap(), records)));
        if under_way.len() == AT_ONCE {
            for append in under_way.drain(..) {
                append.await.unwrap();
            }
        }
    }
    for append in under_way {
        append.await.unwrap();
    }
    drop(ledger);
    say(&format!("{many} builds were put on record in {:.1} s", begin.elapsed().as_secs_f64()));
    let begin = Instant::now();
    let node = world.start().await;
    say(&format!("  the node was ready again after {:>8.1} ms", millis(begin.elapsed())));
    node
}

/// Parts of a long log, anywhere.
async fn long_log(world: &World, node: &Node, lines: usize) {
    let pull = world.open("long", &[Change::file("long/word", "hello\n")]);
    world.deliver(node).await;
    let attempt = wait_for("the long log", LIMIT, async || {
        let done = world.umbrella(pull).starts_with("success");
        if done { attempt(node, pull.0, "long:print").await } else { None }
    })
    .await;
    let page = format!("/{REPO}/pull/{pull}/jobs/{attempt}/log/0-1");
    let command = format!("{attempt}.0-1");
    say(&format!("A log of {lines} lines"));
    let once = first_byte(world, &page).await;
    say(&format!("  its page, at first           {:>8.1} ms", millis(once)));
    for (what, path) in [
        ("its page, again", page.clone()),
        ("its last lines", format!("{page}?line={lines}")),
        (
            "a block in the middle",
            format!("/logs/{command}/lines?from={}", lines / 2000 * 1000 + 1),
        ),
        ("what is in one line only", format!("{page}?find=most,%20{}", lines - 7)),
    ] {
        let mut times = Times::default();
        for _ in 0..ASKED / 5 {
            times.add(first_byte(world, &path).await);
        }
        times.print(what, None);
    }
}

/// Many who watch one log, which the component `name` prints.
async fn crowd(world: &World, node: &Node, (name, readers, viewers): (&str, Readers, usize)) {
    let pull = world.open(name, &[Change::file(format!("{name}/word"), "hello\n")]);
    world.deliver(node).await;
    let job = format!("{name}:watch");
    let attempt = wait_for("the live log", LIMIT, async || attempt(node, pull.0, &job).await).await;
    let path = format!("/logs/{attempt}.0-1/follow?next=0.1");
    wait_for("its command", LIMIT, async || {
        let run = told(node, &format!("/jobs/{attempt}")).await?;
        run["commands"].as_array().is_some_and(|all| !all.is_empty()).then_some(())
    })
    .await;
    let (before, read) = (memory(node), bytes_read(node));
    let mut streams = Vec::with_capacity(viewers);
    for _ in 0..viewers {
        streams.push(ask(world, &path, "text/event-stream").await);
    }
    let watching = memory(node);
    forget_most(node);
    let begin = Instant::now();
    let tell = |what: String| std::fs::write(world.folder().join(what), "").unwrap();
    tell(format!("outside.{name}"));
    // Those who read do so at once; the others fall behind, and one who reads says when all is there.
    let idle = match readers {
        Readers::Quick => Vec::new(),
        Readers::Idle => streams.split_off(1),
    };
    let mut reading = JoinSet::new();
    for stream in streams {
        reading.spawn(until(stream, b">100000</span></div>"));
    }
    let streams = reading.join_all().await;
    let took = begin.elapsed();
    let (after, read) = (memory(node), bytes_read(node) - read);
    tell(format!("outside.{name}.end"));
    let silent = idle.len();
    drop((streams, idle));
    say(&format!("{viewers} who follow a log of 100000 lines, 0.7 MB; {silent} do not read"));
    say(&format!("  resident before          {}", shown(before)));
    say(&format!("  while they wait          {}", shown(watching)));
    say(&format!("  when all have seen all   {}", shown(after)));
    say(&format!("  from first line to last  {:>8.1} ms", millis(took)));
    say(&format!("  read from files          {:>8.1} MB", read as f64 / 1e6));
}

/// The newest attempt at a job.
async fn attempt(node: &Node, pull: u64, name: &str) -> Option<String> {
    let detail = told(node, &format!("/repos/{REPO}/pulls/{pull}")).await?;
    let jobs = detail["jobs"].as_array()?;
    let job = jobs.iter().find(|job| job["job"] == name)?;
    job["attempt"].as_str().map(str::to_owned)
}

/// What the API says, once it says anything.
async fn told(node: &Node, path: &str) -> Option<Value> {
    let response = node.get(&format!("/api/v1{path}")).await;
    let text = response.status().is_success().then_some(response)?.text().await.unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

async fn ask(world: &World, path: &str, accept: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", world.port())).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// How long the first byte of an answer takes; it is 200.
async fn first_byte(world: &World, path: &str) -> Duration {
    let begin = Instant::now();
    let mut stream = ask(world, path, "text/html").await;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    let took = begin.elapsed();
    assert_eq!(&head, b"HTTP/1.1 200", "{path}");
    stream.read_to_end(&mut Vec::new()).await.unwrap();
    took
}

/// Reads on until a text has come that is the last for a while; it is looked for at the end only.
async fn until(mut stream: TcpStream, text: &[u8]) -> TcpStream {
    let mut last: Vec<u8> = Vec::new();
    let mut bytes = vec![0; 64 * 1024];
    let wait = async {
        loop {
            let length = stream.read(&mut bytes).await.unwrap();
            assert!(length > 0, "the stream has ended");
            last.extend_from_slice(&bytes[..length]);
            last.drain(..last.len().saturating_sub(END));
            if last.windows(text.len()).any(|window| window == text) {
                return;
            }
        }
    };
    tokio::time::timeout(LIMIT, wait).await.expect("the text");
    stream
}

/// Lets the most that a node has had in memory begin anew.
fn forget_most(node: &Node) {
    std::fs::write(format!("/proc/{}/clear_refs", node.pid()), "5").unwrap();
}

/// What a node has read from files so far; what comes by sockets does not count.
fn bytes_read(node: &Node) -> u64 {
    let io = std::fs::read_to_string(format!("/proc/{}/io", node.pid())).unwrap();
    let line = io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap();
    line.parse().unwrap()
}
