//! What supervision costs, next to bare ractor, and next to Erlang/OTP where it is installed.
//!
//! `cargo bench -p heights-supervisor` measures everything, `-- --quick` a part of it,
//! `-- message` one chapter: message, life, crowd, memory or erlang. `-- --repeat=call` does one
//! thing only, for a profiler.
//!
//! A ratio is the median of many, each of two measurements taken one after the other, so that a
//! busy machine is busy for both.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]
#![expect(clippy::disallowed_methods, reason = "bare ractor is the yardstick")]

mod compare;
mod crowd;
mod erlang;
mod life;
mod memory;
mod message;
mod repeat;
mod workers;

use tokio::runtime::{Builder, Runtime};

use self::compare::Effort;

/// What ours is compared with.
const YARDSTICK: &str = "bare ractor";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(which) = arguments.iter().find_map(|argument| argument.strip_prefix("--hold=")) {
        return memory::hold(which);
    }
    if let Some(what) = arguments.iter().find_map(|argument| argument.strip_prefix("--repeat=")) {
        let times = arguments.iter().find_map(|argument| argument.strip_prefix("--times="));
        let times = times.map_or(1_000, |times| times.parse().unwrap());
        return one_thread().block_on(repeat::run(what, times));
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let effort = if quick { Effort::QUICK } else { Effort::FULL };
    let chapters: Vec<&String> = arguments.iter().filter(|one| !one.starts_with('-')).collect();
    let wanted = |chapter: &str| chapters.is_empty() || chapters.iter().any(|one| *one == chapter);
    if wanted("message") {
        println!("message, two threads");
        two_threads().block_on(message::run(effort));
        println!("message, one thread");
        one_thread().block_on(message::run(effort));
    }
    if wanted("life") {
        println!("life, two threads");
        two_threads().block_on(life::run(effort));
        println!("life, one thread");
        one_thread().block_on(life::run(effort));
    }
    if wanted("crowd") {
        println!("crowd");
        two_threads().block_on(crowd::run(effort));
    }
    if wanted("memory") {
        println!("memory");
        memory::run();
    }
    if wanted("erlang") {
        println!("erlang");
        two_threads().block_on(erlang::run(effort));
    }
}

fn two_threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
