//! What it costs to be looked into, next to bare ractor, and how long answers take.
//!
//! `cargo bench -p heights-vitals` measures everything, `-- --quick` a part of it, and with names,
//! `-- blocked trace`, these only. A ratio is the median of many, each of two measurements taken one
//! after the other, so that a busy machine is busy for both.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]
#![expect(clippy::disallowed_methods, reason = "bare ractor is the yardstick")]

mod answers;
mod blocked;
mod clients;
mod foresight;
mod messages;
mod stage;
mod trace;

use std::time::Duration;

/// How many messages are sent in one measurement.
const CASTS: u32 = 100_000;

/// How many actors make a crowd.
const CROWD: usize = 100_000;

fn main() {
    let (options, names): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let quick = options.iter().any(|option| option == "--quick");
    let (rounds, casts) = if quick { (7, CASTS / 10) } else { (31, CASTS) };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        if wanted("messages") {
            messages::messages(rounds, casts).await;
        }
        if wanted("trace") {
            trace::trace(rounds, casts).await;
        }
        if wanted("states") {
            answers::states(rounds).await;
        }
        if wanted("foresight") {
            foresight::estimates(rounds).await;
            foresight::crashes(rounds).await;
        }
        if wanted("clients") {
            clients::clients(if quick { 2 } else { 10 }).await;
        }
        if wanted("crowd") {
            answers::crowd(rounds, if quick { CROWD / 10 } else { CROWD }).await;
        }
    });
    if wanted("blocked") {
        blocked::blocked(rounds);
    }
}

/// Prints the middle and the end of what was measured.
fn print(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let (half, most) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!("{what:<34} median {half:>9.2?}   99 of 100 {most:>9.2?}");
}
