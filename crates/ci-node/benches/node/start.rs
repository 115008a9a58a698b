//! From a webhook to the first command, with a warm mirror, one at a time.

use std::time::{Duration, Instant};

use ci_domain::ids::PullNumber;

use crate::Size;
use crate::figures::{Times, millis, say};
use crate::monorepo::{self, last_file};
use crate::node::Node;
use crate::repository::Change;
use crate::starts::Starts;
use crate::world::World;
use crate::yardstick::Yardstick;

/// Measures new heads of one pull request, and new pull requests.
pub async fn measure(size: Size) {
    let world = monorepo::world().await;
    let mut starts = Starts::listen(world.folder());
    let node = world.start().await;
    let warm = world.open("warm", &[change("warm")]);
    world.deliver(&node).await;
    starts.next().await;
    world.tested(warm).await;

    let mut yardstick = Yardstick::new(&world).await;
    let mut heads = Times::default();
    for number in 0..size.heads {
        world.push_pull(warm, &[change(&format!("head {number}"))]);
        heads.add(take(warm, &world, &node, &mut starts, &mut yardstick).await);
    }
    say(&format!("webhook to first command, 2,000 files in {} components", monorepo::COMPONENTS));
    heads.print("a new head", Some(&yardstick.whole));
    yardstick.print();
    let share = 100.0 * millis(yardstick.whole.median()) / millis(heads.median());
    say(&format!("  git's share of a new head {share:.0} %"));

    let mut yardstick = Yardstick::new(&world).await;
    let mut pulls = Times::default();
    for number in 0..size.pulls {
        let pull = world.open(&format!("pull-{number}"), &[change(&format!("pull {number}"))]);
        pulls.add(take(pull, &world, &node, &mut starts, &mut yardstick).await);
    }
    pulls.print("a new pull request", Some(&yardstick.whole));
    yardstick.print();
}

/// Has the yardstick take a head and then the node.
async fn take(
    pull: PullNumber,
    world: &World,
    node: &Node,
    starts: &mut Starts,
    yardstick: &mut Yardstick,
) -> Duration {
    yardstick.take(pull, &world.head(pull)).await;
    let begin = Instant::now();
    world.deliver(node).await;
    let began = starts.next().await;
    world.tested(pull).await;
    began - begin
}

fn change(word: &str) -> Change {
    Change::file(last_file(), format!("{word}\n"))
}
