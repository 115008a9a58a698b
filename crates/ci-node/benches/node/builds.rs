//! Two hundred builds of one command, four at a time, beside the same commands in plain shells.

use std::process::Stdio;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};

use crate::Size;
use crate::figures::{millis, ratio, say};
use crate::repository::Change;
use crate::starts::Starts;
use crate::world::World;

/// How many run at once; the world's configuration says the same.
const AT_ONCE: usize = 4;
/// What each build runs.
const COMMAND: &str = "echo began > {outside}.starts";

/// Measures.
pub async fn measure(size: Size) {
    let definition = format!("jobs:\n  test: ['{COMMAND}']\n");
    let world = World::new(&[("lib/ci.yaml", definition.as_str()), ("lib/word", "hello\n")]).await;
    let mut starts = Starts::listen(world.folder());
    let shells = shells(size.builds, &world).await;
    let heard = starts.last_of(size.builds).await;
    assert!(heard <= Instant::now());

    let node = world.start().await;
    for number in 0..size.builds {
        let change = Change::file("lib/word", format!("hello {number}\n"));
        let _pull = world.open(&format!("pull-{number}"), &[change]);
    }
    let begin = Instant::now();
    let (last, ()) = tokio::join!(starts.last_of(size.builds), world.deliver(&node));
    let builds = last - begin;
    say(&format!("{} builds of one command, {AT_ONCE} at a time", size.builds));
    say(&format!("  plain shells {:>9.1} ms", millis(shells)));
    say(&format!("  builds       {:>9.1} ms  x{:.1}", millis(builds), ratio(builds, shells)));
    let each = |time: Duration| millis(time) / size.builds as f64;
    let rate = size.builds as f64 / builds.as_secs_f64();
    say(&format!(
        "  for each     {:>9.1} ms more, {rate:.0} builds/s",
        each(builds) - each(shells)
    ));
}

async fn shells(count: usize, world: &World) -> Duration {
    let outside = world.folder().join("outside");
    let command = COMMAND.replace("{outside}", outside.to_str().unwrap());
    let begin = Instant::now();
    let shell = |_| async {
        let mut shell = tokio::process::Command::new("/bin/sh");
        let status = shell.args(["-c", &command]).stdin(Stdio::null()).status().await;
        assert!(status.unwrap().success());
    };
    stream::iter(0..count).map(shell).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    begin.elapsed()
}
