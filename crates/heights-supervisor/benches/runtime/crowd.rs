//! Whether a child costs the same among few as among many.
//!
//! The yardstick is what bare actors cost that one parent is linked to: more of them need more
//! memory than the caches have, whoever supervises them.

use std::time::{Duration, Instant};

use heights_supervisor::{ChildSpec, DynamicSupervisor, Supervisor};
use ractor::Actor;

use crate::compare::{Effort, median};
use crate::workers::{self, Bare, Worker};

const SIZES: [u32; 3] = [1_000, 10_000, 100_000];

/// A small crowd is measured often enough to make it a large one.
const CHILDREN: u32 = 100_000;

pub async fn run(effort: Effort) {
    println!("  start and stop, each child      dynamic      static        bare");
    let mut firsts = None;
    for size in SIZES.map(|size| size / effort.divisor) {
        let repeats = (CHILDREN / effort.divisor / size).clamp(3, 10);
        let times = measure(size, repeats).await;
        let firsts = *firsts.get_or_insert(times);
        let [dynamic, fixed, bare] = times;
        println!("  among {size:>7}              {dynamic:>10.2?}  {fixed:>10.2?}  {bare:>10.2?}");
        let mut growths = [0.0; 3];
        for (growth, (time, first)) in growths.iter_mut().zip(times.iter().zip(firsts)) {
            *growth = time.as_secs_f64() / first.as_secs_f64();
        }
        let [dynamic, fixed, bare] = growths;
        println!("    as often as the smallest    {dynamic:>9.2}x  {fixed:>9.2}x  {bare:>9.2}x");
        println!(
            "    as often as bare actors     {:>9.2}x  {:>9.2}x",
            dynamic / bare,
            fixed / bare
        );
    }
}

/// Measures all three in turn, so that a busy machine is busy for all; returns the medians.
async fn measure(size: u32, repeats: u32) -> [Duration; 3] {
    let mut all = [const { Vec::new() }; 3];
    for _ in 0..repeats {
        let times = [dynamic(size).await, fixed(size).await, bare(size).await];
        for (times, time) in all.iter_mut().zip(times) {
            times.push(time.as_secs_f64());
        }
    }
    all.map(|times| Duration::from_secs_f64(median(times.into_iter())))
}

pub async fn dynamic(children: u32) -> Duration {
    let begin = Instant::now();
    let root = DynamicSupervisor::builder("root").start().await.unwrap();
    for _ in 0..children {
        let (spec, _worker) = ChildSpec::server::<Worker>("worker", || ());
        root.start_child(spec).await.unwrap();
    }
    root.stop().await;
    begin.elapsed() / children
}

pub async fn fixed(children: u32) -> Duration {
    let begin = Instant::now();
    let mut builder = Supervisor::builder("root");
    for number in 0..children {
        builder = builder.child(ChildSpec::server::<Worker>(format!("w{number}"), || ()).0);
    }
    let root = builder.start().await.unwrap();
    root.stop().await;
    begin.elapsed() / children
}

pub async fn bare(children: u32) -> Duration {
    let begin = Instant::now();
    let (parent, parent_task) = workers::bare().await;
    let mut all = Vec::new();
    for _ in 0..children {
        let linked = Actor::spawn_linked(None, Bare, (), parent.get_cell());
        all.push(linked.await.unwrap());
    }
    for (actor, _) in &all {
        actor.stop(None);
    }
    for (_, task) in all {
        task.await.unwrap();
    }
    parent.stop(None);
    parent_task.await.unwrap();
    begin.elapsed() / children
}
