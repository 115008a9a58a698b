//! What load regulation costs and what it keeps, next to a bare tokio semaphore.
//!
//! `cargo bench -p heights --bench regulator` measures everything, `-- --quick` a part of it,
//! `-- cost` one chapter: cost, stress or overload.
//!
//! A ratio is the median of many, each of two measurements taken one after the other, so that a
//! busy machine is busy for both. The chapter `stress` ends the program with an error if a limit
//! was ever exceeded.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]

#[path = "../../../heights-supervisor/benches/runtime/compare.rs"]
mod compare;
mod cost;
mod overload;
mod stress;

use std::process::ExitCode;

use tokio::runtime::{Builder, Runtime};

use self::compare::Effort;

/// What ours is compared with.
const YARDSTICK: &str = "semaphore";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let effort = if quick { Effort::QUICK } else { Effort::FULL };
    let chapters: Vec<&String> = arguments.iter().filter(|one| !one.starts_with('-')).collect();
    let wanted = |chapter: &str| chapters.is_empty() || chapters.iter().any(|one| *one == chapter);
    if wanted("cost") {
        println!("cost, one thread");
        one_thread().block_on(cost::run(effort));
        println!("cost, two threads");
        two_threads().block_on(cost::run(effort));
    }
    if wanted("stress") {
        println!("stress, two threads");
        let violations = two_threads().block_on(stress::run(effort));
        if violations > 0 {
            println!("  THE LIMIT WAS EXCEEDED {violations} TIMES");
            return ExitCode::FAILURE;
        }
    }
    if wanted("overload") {
        println!("overload, two threads");
        two_threads().block_on(overload::run(effort));
    }
    ExitCode::SUCCESS
}

fn two_threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
