//! What it costs to keep a log: a gigabyte through a runner, with secrets to mask and without, and with
//! fifty who read it meanwhile; and what packing makes of it.
//!
//! Prints times, ratios and memory; it is read by people and fails on nothing.
#![expect(clippy::print_stdout, reason = "the figures are its product")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ci_domain::ids::AttemptId;
use ci_domain::secret::Secret;
use ci_domain::step::{Command, NodeId, Sequence, Step};
use ci_exec::{
    CommandId, Fact, Isolation, JournalOffset, KeepLimits, Launcher, LogReader, Outcome, RunDir,
    RunSpec, Secrets, follow,
};

/// What is printed: as fast as it goes, and as fast as a program that makes each line.
const COMMANDS: [(&str, &str); 2] = [
    (
        "the same line",
        "yes '2026-11-23T12:00:00Z INFO shop::cart: added item 4711 to cart' | head -c 1000000000",
    ),
    ("numbers", "seq 1 115000000 | head -c 1000000000"),
];
/// How many read along.
const FOLLOWERS: u64 = 50;
/// How often each is measured; the best counts.
const REPEATS: usize = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let root = tempfile::tempdir().expect("a folder for temporary files");
    for (name, text) in COMMANDS {
        println!("1 GB of {name}");
        let plain = best(|| plain(text, root.path()));
        show("cmd > file", plain, plain);
        for (what, secrets) in
            [("runner", Secrets::none()), ("one secret", one()), ("twenty and a key", many())]
        {
            let mut costs = Vec::new();
            for _ in 0..REPEATS {
                costs.push(run(text, root.path(), &secrets, |_| {}).await);
            }
            let cost = costs.into_iter().min().expect("at least one repeat");
            show(what, cost.time, plain);
            cost.show_rest();
        }
    }
    followed(root.path()).await;
}

/// What a run took.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    time: Duration,
    /// Of one processor, for the runner alone, in hundredths of a second.
    processor: u64,
    /// The most memory that the runner held, in KiB.
    memory: u64,
}

impl Cost {
    fn show_rest(&self) {
        println!("  {:<18} {:>8.2} s", "  its processor", self.processor as f64 / 100.0);
        println!("  {:<18} {:>8} KiB at most", "  its memory", self.memory);
    }
}

fn show(what: &str, time: Duration, plain: Duration) {
    let (seconds, ratio) = (time.as_secs_f64(), plain.as_secs_f64() / time.as_secs_f64());
    println!("  {what:<18} {seconds:>8.2} s  {ratio:.2} of cmd > file");
}

fn one() -> Secrets {
    [("TOKEN".to_owned(), Secret::new("ghp_16C7e42F292c6912E7710c838347Ae178B4a"))]
        .into_iter()
        .collect()
}

/// Twenty tokens and a private key of fifty lines.
fn many() -> Secrets {
    let line = |n: usize| format!("{:064x}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let tokens = (1..21).map(|n| line(n * 7919));
    let key: String = (1..51).map(line).collect();
    let values = tokens.chain([key]).enumerate();
    values.map(|(n, value)| (format!("S{n}"), Secret::new(value))).collect()
}

fn best(measure: impl Fn() -> Duration) -> Duration {
    (0..REPEATS).map(|_| measure()).min().expect("at least one repeat")
}

/// `sh -c text > file`.
fn plain(text: &str, root: &Path) -> Duration {
    let path = root.join("plain");
    let file = File::create(&path).expect("a file to write to");
    let begin = Instant::now();
    let shell = std::process::Command::new("/bin/sh")
        .args(["-c", text])
        .stdin(Stdio::null())
        .stdout(file)
        .status();
    assert!(shell.expect("a shell to start").success());
    let time = begin.elapsed();
    fs::remove_file(path).expect("the file to go");
    time
}

/// One run to its end.
async fn run(text: &str, root: &Path, secrets: &Secrets, with_log: impl FnOnce(&RunDir)) -> Cost {
    let begin = Instant::now();
    let dir = RunDir::create(root.join("run"), &spec(text, root)).expect("a run directory");
    let launcher = Launcher::new(env!("CARGO_BIN_EXE_ci-exec-runner"), std::iter::empty::<&str>());
    let runner = launcher.start_with(&dir, secrets).await.expect("a runner to start");
    let mut follower = follow(&dir, JournalOffset(0));
    let (mut memory, mut processor) = (0, 0);
    while let Some((_, fact)) = follower.next().await.expect("a journal to follow") {
        memory = peak(&runner.pid.to_string()).max(memory);
        processor = used(runner.pid).max(processor);
        if let Fact::JobEnded { outcome, .. } = fact {
            assert_eq!(outcome, Outcome::Passed);
        }
    }
    let time = begin.elapsed();
    with_log(&dir);
    fs::remove_dir_all(dir.path()).expect("the run directory to go");
    Cost { time, processor, memory }
}

/// The most memory that a process has held, in KiB; 0 where it is gone.
fn peak(pid: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// The processor time that a process has used, in hundredths of a second; 0 where it is gone.
fn used(pid: i32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields).split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

/// A gigabyte that fifty read while it is written, and what packing makes of it.
async fn followed(root: &Path) {
    println!("1 GB of numbers, read by {FOLLOWERS} who come and go");
    let (done, bytes) = (AtomicBool::new(false), AtomicU64::new(0));
    let log = RunDir::create(root.join("run"), &spec("true", root)).expect("a run directory");
    let log = log.log(&CommandId::parse("0-1").expect("a command"));
    std::thread::scope(|scope| {
        for n in 0..FOLLOWERS {
            let (done, bytes, log) = (&done, &bytes, log.clone());
            scope.spawn(move || read_along(&log, n, done, bytes));
        }
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime");
            let cost = runtime.block_on(run(COMMANDS[1].1, root, &Secrets::none(), pack));
            done.store(true, Ordering::Relaxed);
            println!("  {:<18} {:>8.2} s", "runner", cost.time.as_secs_f64());
            cost.show_rest();
        });
    });
    println!("  {:<18} {:>8} MB", "read in all", bytes.load(Ordering::Relaxed) / 1_000_000);
    println!("  {:<18} {:>8} KiB at most", "this process", peak("self"));
}

/// Reads as the node does for a browser: pieces, each where the last one ended, four times a second.
fn read_along(log: &LogReader, n: u64, done: &AtomicBool, bytes: &AtomicU64) {
    let mut offset = n * 10_000_000;
    while !done.load(Ordering::Relaxed) {
        let piece = log.read_at(offset, 64 * 1024).unwrap_or_else(|error| panic!("{error}"));
        bytes.fetch_add(piece.bytes.len() as u64, Ordering::Relaxed);
        // A gap would show in the numbers, an overlap in the offsets.
        assert_eq!(piece.next, offset + piece.bytes.len() as u64);
        offset = piece.next;
        if piece.bytes.is_empty() {
            std::thread::park_timeout(Duration::from_millis(250));
        }
    }
}

fn pack(dir: &RunDir) {
    let log = dir.path().join("logs/0-1.log");
    let before = fs::metadata(&log).map_or(0, |log| log.len());
    let begin = Instant::now();
    dir.pack_logs().expect("logs that can be packed");
    let time = begin.elapsed().as_secs_f64();
    let after = fs::metadata(log.with_extension("log.gz")).map_or(0, |log| log.len());
    println!("  {:<18} {time:>8.2} s  to {:.1} %", "packing", after as f64 * 100.0 / before as f64);
}

fn spec(text: &str, root: &Path) -> RunSpec {
    let command = Command::new(NodeId::root().child(0), text);
    RunSpec {
        attempt: AttemptId::new(format!("bench-{}", std::process::id())).expect("a valid name"),
        workspace: root.to_owned(),
        working_dir: root.to_owned(),
        isolation: Isolation::None,
        env: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        steps: Sequence { id: NodeId::root(), name: None, steps: vec![Step::Command(command)] },
        timeout: Duration::from_secs(600),
        grace: Duration::from_secs(5),
        log_limit: 4 << 30,
        bounds: None,
        orphan_limit: Duration::from_secs(600),
        keep_limits: KeepLimits::USUAL,
    }
}
