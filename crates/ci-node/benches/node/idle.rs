//! A node with many open pull requests and nothing to do: its memory, and its start by replay.
//!
//! The yardstick is the same node, from the same program and in the same run, without pull requests.

use std::time::{Duration, Instant};

use crate::Size;
use crate::figures::{millis, ratio, say};
use crate::monorepo;
use crate::node::Node;
use crate::repository::Change;
use crate::wait::wait_for;
use crate::world::World;

/// How long all pull requests together may take to be prepared.
const LIMIT: Duration = Duration::from_secs(900);
/// Changes of documents affect no job.
const POLICY: &str = "ignore: [\"docs/**\"]\n";

/// The memory of a process, in KiB.
#[derive(Clone, Copy)]
pub struct Memory {
    resident: u64,
    most: u64,
}

/// One start of a node.
struct Start {
    ready: Duration,
    memory: Memory,
}

/// Measures.
pub async fn measure(size: Size) {
    let world = monorepo::world().await;
    world.push_main(&[Change::file("ci-policy.yaml", POLICY)]);
    drop(world.webhooks());
    let _first = start(&world).await;
    let empty = start(&world).await;

    let node = world.start().await;
    let change = |number| Change::file(format!("docs/page-{number}"), "words\n");
    let pulls: Vec<_> = (0..size.idle)
        .map(|number| world.open(&format!("pull-{number}"), &[change(number)]))
        .collect();
    world.deliver(&node).await;
    for pull in &pulls {
        // Words alone follow up to half a minute later.
        wait_for("every pull request to be told of", LIMIT, async || {
            (world.umbrella(*pull) == "pending awaiting approval").then_some(())
        })
        .await;
    }
    assert!(world.outside().is_empty(), "no job runs");
    let after_work = memory(&node);
    assert!(node.terminate().await.success());
    let full = start(&world).await;

    say(&format!("{} open pull requests, idle", size.idle));
    say(&format!("  resident after that      {}", shown(after_work)));
    say(&format!("  none, after a start      {}", shown(empty.memory)));
    say(&format!("  all, after a start       {}", shown(full.memory)));
    let each = full.memory.resident.saturating_sub(empty.memory.resident) / size.idle as u64;
    say(&format!("  for each                 {each:>6} KiB"));
    say(&format!("  none, start until ready  {:>8.1} ms", millis(empty.ready)));
    let times = ratio(full.ready, empty.ready);
    say(&format!("  all, start until ready   {:>8.1} ms  x{times:.1}", millis(full.ready)));
}

/// Starts a node, lets it come to rest, and ends it.
async fn start(world: &World) -> Start {
    let begin = Instant::now();
    let node = world.start().await;
    let ready = begin.elapsed();
    at_rest(&node).await;
    let memory = memory(&node);
    assert!(node.terminate().await.success());
    Start { ready, memory }
}

/// Waits until the node uses no processor time for a second.
async fn at_rest(node: &Node) {
    let ticks = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", node.pid())).unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let field = |number: usize| fields.split_whitespace().nth(number).unwrap().parse::<u64>();
        field(11).unwrap() + field(12).unwrap()
    };
    let mut last = (ticks(), Instant::now());
    wait_for("the node to be at rest", LIMIT, async || {
        let now = ticks();
        // Looking once in a while takes a tick now and then.
        if now > last.0 + 1 {
            last = (now, Instant::now());
        }
        (last.1.elapsed() > Duration::from_secs(1)).then_some(())
    })
    .await;
}

pub fn memory(node: &Node) -> Memory {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid())).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    Memory { resident: field("VmRSS:"), most: field("VmHWM:") }
}

pub fn shown(memory: Memory) -> String {
    let mib = |kib: u64| kib as f64 / 1024.0;
    format!("{:>6.1} MiB, {:.1} at most", mib(memory.resident), mib(memory.most))
}
