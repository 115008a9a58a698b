//! What others wait for while the actors of one pull request die as fast as they come back, are given up,
//! and are taken up again: from a push to the start of its job.

use std::process::Stdio;
use std::time::{Duration, Instant};

use ci_domain::ids::PullNumber;
use heights_vitals::Client;
use heights_vitals::wire::ControlRequest;
use tokio::process::Command;
use tokio::time::sleep;

use crate::Size;
use crate::figures::{Times, say};
use crate::node::{Node, PROGRAM};
use crate::repository::Change;
use crate::starts::Starts;
use crate::world::{NO_APPROVAL, World};

const GREEN: &str = "success pull request can be merged";
/// Between two looks for the next life: a machine that only looks would be busy with that.
const PAUSE: Duration = Duration::from_millis(50);

/// Measures.
pub async fn measure(size: Size) {
    let job = "jobs:\n  test: ['echo began > {outside}.starts']\n";
    let world = World::new(&[NO_APPROVAL, ("lib/ci.yaml", job), ("lib/word", "hello\n")]).await;
    let mut starts = Starts::listen(world.folder());
    let node = world.start().await;
    let change = |word: &str| [Change::file("lib/word", format!("{word}\n"))];
    let [poor, healthy] = ["poor", "healthy"].map(|name| world.open(name, &change(name)));
    world.deliver(&node).await;
    for pull in [poor, healthy] {
        world.says(pull, GREEN).await;
    }
    starts.last_of(2).await;
    let alone = pushes(&world, &node, healthy, &mut starts, size).await;
    let (mut killed, mut lifted) = (0, 0);
    let beside = tokio::select! {
        beside = pushes(&world, &node, healthy, &mut starts, size) => beside,
        () = torment(&world, &node, poor, (&mut killed, &mut lifted)) => unreachable!("it never ends"),
    };
    say(&format!("{} pushes to a pull request, beside one that cannot live", size.heads));
    alone.print("both live", None);
    beside.print("the other dies", Some(&alone));
    say(&format!("  it died {killed} times and was taken out of quarantine {lifted} times"));
}

/// How long it takes from each push until its job starts.
async fn pushes(
    world: &World,
    node: &Node,
    pull: PullNumber,
    starts: &mut Starts,
    size: Size,
) -> Times {
    let mut times = Times::default();
    for number in 0..size.heads {
        world.push_pull(pull, &[Change::file("lib/word", format!("hello {number}\n"))]);
        let begin = Instant::now();
        world.deliver(node).await;
        times.add(starts.next().await - begin);
        world.says(pull, GREEN).await;
    }
    times
}

/// Kills a pull request's actor whenever there is one, and lifts its quarantine whenever there is that.
async fn torment(
    world: &World,
    node: &Node,
    pull: PullNumber,
    (killed, lifted): (&mut usize, &mut usize),
) {
    let vitals = Client::new(world.folder().join(format!("run/heights/{}.sock", node.pid())));
    let suffix = format!("/pull-{pull}/pull");
    let request = ControlRequest { dry_run: false, reason: Some("a bench".to_owned()) };
    loop {
        let tree = vitals.tree().await.unwrap();
        let found = tree.actors.into_iter().find(|actor| actor.path.ends_with(&suffix));
        if let Some(pid) = found.and_then(|actor| actor.pid) {
            *killed += usize::from(vitals.kill(&pid, &request).await.is_ok());
        } else if world.umbrella(pull).starts_with("error quarantined") {
            let mut lift = Command::new(PROGRAM);
            lift.args(["quarantine", "lift", &pull.to_string(), "--config"]);
            lift.arg(world.folder().join("ci-node.toml")).stdout(Stdio::null());
            // It may not be on record yet, or not be told any more.
            let is_lifted = lift.stderr(Stdio::null()).status().await.unwrap().success();
            *lifted += usize::from(is_lifted);
        }
        sleep(PAUSE).await;
    }
}
