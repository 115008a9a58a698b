//! What a runner costs over a plain shell: short runs at once, and one long log.
//!
//! Prints times and ratios; it is read by people and fails on nothing.
#![expect(clippy::print_stdout, reason = "the figures are its product")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use ci_domain::ids::AttemptId;
use ci_domain::step::{Command, NodeId, Sequence, Step};
use ci_exec::{
    Fact, Isolation, JournalOffset, KeepLimits, Launcher, Namespaces, Network, Outcome, RunDir,
    RunSpec, follow,
};
use futures_util::stream::{self, StreamExt};

/// How many short runs are made.
const RUNS: usize = 1000;
/// How many of them run at once.
const AT_ONCE: usize = 4;
/// How many jobs are timed until their first command is done.
const LATENCIES: usize = 101;
/// What a short run does.
const SHORT: &str = "echo hello";
/// What the long run does: about 100 MB of lines.
const LONG: &str = "seq 1 12900000";
/// How often the long run is measured; the best counts.
const REPEATS: usize = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let root = tempfile::tempdir().expect("a folder for temporary files");
    let shells = plain_shells(root.path()).await;
    let runs = short_runs(root.path()).await;
    println!("{RUNS} short runs, {AT_ONCE} at once");
    println!("  plain shells {:>8.1} ms", millis(shells));
    println!("  runners      {:>8.1} ms  x{:.1}", millis(runs), ratio(runs, shells));
    println!(
        "  extra        {:>8.2} ms for each run",
        millis(runs.saturating_sub(shells)) * AT_ONCE as f64 / RUNS as f64
    );
    first_commands(root.path()).await;
    let plain = best(|n| Box::pin(plain_log(root.path(), n))).await;
    let run = best(|n| Box::pin(long_run(root.path(), n))).await;
    println!("a log of 100 MB");
    println!("  cmd > file   {:>8.1} ms", millis(plain));
    println!("  runner       {:>8.1} ms  x{:.1}", millis(run), ratio(run, plain));
}

async fn plain_shells(root: &Path) -> Duration {
    let begin = Instant::now();
    let shells = stream::iter(0..RUNS).map(|n| plain(SHORT, root.join(format!("plain-{n}"))));
    shells.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    begin.elapsed()
}

async fn short_runs(root: &Path) -> Duration {
    let begin = Instant::now();
    let runs =
        stream::iter(0..RUNS).map(|n| run(SHORT, root, format!("short-{n}"), Isolation::None));
    runs.buffer_unordered(AT_ONCE).collect::<Vec<Duration>>().await;
    begin.elapsed()
}

/// How much later the first command of a job is done than in a plain shell, one job at a time.
async fn first_commands(root: &Path) {
    let (mut shells, mut bare, mut inside) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..LATENCIES {
        let begin = Instant::now();
        plain(SHORT, root.join(format!("latency-plain-{n}"))).await;
        shells.push(begin.elapsed());
        bare.push(run(SHORT, root, format!("latency-{n}"), Isolation::None).await);
        if let Some(sandbox) = sandbox(root) {
            inside.push(run(SHORT, root, format!("latency-inside-{n}"), sandbox).await);
        }
    }
    let shell = median(shells);
    println!("from the spec to the end of the first command, median");
    println!("  plain shell  {:>8.1} ms", millis(shell));
    for (name, times) in [("runner     ", bare), ("in a sandbox", inside)] {
        if times.is_empty() {
            println!("  {name}  no bubblewrap");
            continue;
        }
        let time = median(times);
        let extra = millis(time.saturating_sub(shell));
        println!("  {name}  {:>8.1} ms, {extra:.1} ms more", millis(time));
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Namespaces, where there is bubblewrap.
fn sandbox(root: &Path) -> Option<Isolation> {
    let bubblewrap = Path::new("/usr/bin/bwrap");
    bubblewrap.exists().then(|| {
        Isolation::Namespaces(Namespaces {
            bubblewrap: bubblewrap.to_owned(),
            visible: Vec::new(),
            hidden: Vec::new(),
            readable: Vec::new(),
            writable: vec![root.to_owned()],
            network: Network::Shared,
            pids: 4096,
        })
    })
}

async fn plain_log(root: &Path, n: usize) -> Duration {
    let begin = Instant::now();
    plain(LONG, root.join(format!("plain-log-{n}"))).await;
    begin.elapsed()
}

async fn long_run(root: &Path, n: usize) -> Duration {
    let begin = Instant::now();
    run(LONG, root, format!("long-{n}"), Isolation::None).await;
    begin.elapsed()
}

async fn best<'a>(
    mut measure: impl FnMut(usize) -> std::pin::Pin<Box<dyn Future<Output = Duration> + 'a>>,
) -> Duration {
    let mut times = Vec::new();
    for n in 0..REPEATS {
        times.push(measure(n).await);
    }
    times.into_iter().min().expect("at least one repeat")
}

/// `sh -c text > file`.
async fn plain(text: &str, path: impl AsRef<Path>) {
    let file = File::create(path).expect("a file to write to");
    let status = tokio::process::Command::new("/bin/sh")
        .args(["-c", text])
        .stdin(Stdio::null())
        .stdout(file)
        .status()
        .await;
    assert!(status.expect("a shell to start").success());
}

/// One run to its end; returns the time until its first command was done.
async fn run(text: &str, root: &Path, name: String, isolation: Isolation) -> Duration {
    let begin = Instant::now();
    let spec = RunSpec { isolation, ..spec(text, root, &name) };
    let dir = RunDir::create(root.join(&name), &spec).expect("a run directory");
    let launcher = Launcher::new(env!("CARGO_BIN_EXE_ci-exec-runner"), std::iter::empty::<&str>());
    launcher.start(&dir).await.expect("a runner to start");
    let mut follower = follow(&dir, JournalOffset(0));
    let (mut first, mut outcome) = (None, None);
    while let Some((_, fact)) = follower.next().await.expect("a journal to follow") {
        match fact {
            Fact::CommandExited { .. } => first = first.or(Some(begin.elapsed())),
            Fact::JobEnded { outcome: ended, .. } => outcome = Some(ended),
            _ => {}
        }
    }
    assert_eq!(outcome, Some(Outcome::Passed));
    if text == LONG {
        fs::remove_dir_all(dir.path()).expect("the run directory to go");
    }
    first.expect("a command that ended")
}

fn spec(text: &str, root: &Path, name: &str) -> RunSpec {
    let command = Command::new(NodeId::root().child(0), text);
    RunSpec {
        attempt: AttemptId::new(format!("bench-{name}")).expect("a valid name"),
        workspace: root.to_owned(),
        working_dir: root.to_owned(),
        isolation: Isolation::None,
        bounds: None,
        env: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        steps: Sequence { id: NodeId::root(), name: None, steps: vec![Step::Command(command)] },
        timeout: Duration::from_secs(600),
        grace: Duration::from_secs(5),
        log_limit: 1 << 30,
        orphan_limit: Duration::from_secs(600),
        keep_limits: KeepLimits::USUAL,
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}
