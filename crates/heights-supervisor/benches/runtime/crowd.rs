//! Whether a child costs the same among few as among many.

use std::time::{Duration, Instant};

use heights_supervisor::{ChildSpec, DynamicSupervisor, Supervisor};

use crate::compare::{Effort, median};
use crate::workers::Worker;

const SIZES: [u32; 3] = [1_000, 10_000, 100_000];

/// A small crowd is measured often enough to make it a large one.
const CHILDREN: u32 = 100_000;

pub async fn run(effort: Effort) {
    println!("  start and stop, each child      dynamic      static");
    let mut firsts = None;
    for size in SIZES.map(|size| size / effort.divisor) {
        let repeats = (CHILDREN / effort.divisor / size).min(10);
        let dynamic = repeated(repeats, async || dynamic(size).await).await;
        let fixed = repeated(repeats, async || fixed(size).await).await;
        let (first_dynamic, first_fixed) = *firsts.get_or_insert((dynamic, fixed));
        println!(
            "  among {size:>7}              {dynamic:>10.2?}  {fixed:>10.2?}   \
             ratio to the smallest {:.2}  {:.2}",
            dynamic.as_secs_f64() / first_dynamic.as_secs_f64(),
            fixed.as_secs_f64() / first_fixed.as_secs_f64(),
        );
    }
}

async fn repeated(repeats: u32, measure: impl AsyncFn() -> Duration) -> Duration {
    let mut all = Vec::new();
    for _ in 0..repeats {
        all.push(measure().await.as_secs_f64());
    }
    Duration::from_secs_f64(median(all.into_iter()))
}

async fn dynamic(children: u32) -> Duration {
    let begin = Instant::now();
    let root = DynamicSupervisor::builder("root").start().await.unwrap();
    for _ in 0..children {
        let (spec, _worker) = ChildSpec::server::<Worker>("worker", || ());
        root.start_child(spec).await.unwrap();
    }
    root.stop().await;
    begin.elapsed() / children
}

async fn fixed(children: u32) -> Duration {
    let begin = Instant::now();
    let mut builder = Supervisor::builder("root");
    for number in 0..children {
        builder = builder.child(ChildSpec::server::<Worker>(format!("w{number}"), || ()).0);
    }
    let root = builder.start().await.unwrap();
    root.stop().await;
    begin.elapsed() / children
}
