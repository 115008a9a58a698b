//! A program that falls ill when it is told to, for finding out what it has.
//!
//! `cargo run --example unwell`, then type an illness and press Enter: `slow`, `block`, `leak`,
//! `crash`, `deadlock`, `flood`, or `well`. In another terminal, ask `vitals`;
//! [the guide](../../docs/vitals.md) shows how.

mod clinic;

use std::io::BufRead;
use std::time::Duration;

use heights::app::AppEnd;
use heights::prelude::*;
use heights::vitals::Tier;

use crate::clinic::{Clerk, Clinic};

/// How long a clerk thinks: long enough for two to ask each other at once.
const THINKS: Duration = Duration::from_millis(500);

/// Passes on what is typed, until nobody takes it any more.
#[expect(clippy::print_stdout, reason = "it is how the program talks")]
fn listen(mut clinic: Clinic) -> Result<(), Fault> {
    for illness in std::io::stdin().lock().lines() {
        let illness = illness?;
        if !clinic.fall_ill(illness.trim())? {
            println!("nobody here knows {illness:?}");
        }
    }
    // Nobody gets well by itself.
    std::mem::forget(clinic);
    Ok(())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> AppEnd {
    let (front, front_ref) = ChildSpec::server::<Clerk>("front", || THINKS);
    let (back, back_ref) = ChildSpec::server::<Clerk>("back", || THINKS);
    let door = ChildSpec::task("door", move |cx| {
        let clinic = Clinic::new(front_ref.clone(), back_ref.clone());
        // It fails when the clerks are gone, and the program with them.
        std::thread::spawn(move || listen(clinic));
        async move {
            cx.shutdown().await;
            Ok(())
        }
    });
    let clinic = Supervisor::builder("clinic").child(back).child(front).child(door);
    App::builder("clinic")
        .supervisor(clinic)
        .vitals(|inspector| inspector.tier(Tier::Control))
        .run()
        .await
}
