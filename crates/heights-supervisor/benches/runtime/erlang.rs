//! The same lives under Erlang/OTP's own supervisor, if it is installed.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use heights_supervisor::DynamicSupervisor;

use crate::compare::{Effort, median};
use crate::{life, workers};

const LIVES: u32 = 10_000;
const ROUNDS: usize = 5;

/// Prints two numbers for as many lives as it is told: the microseconds for all starts and
/// stops, and for all crashes until the next life is up.
const SCRIPT: &str = include_str!("lives.escript");

/// What is measured here, and with which of the two numbers it is compared. Who starts children in
/// Erlang is a process, so a task is what compares with it; what a bare actor takes is ractor's share.
const MEASURED: [(&str, usize); 4] = [
    ("start and stop of a child", 0),
    ("– by a task", 0),
    ("– bare ractor, by a task", 0),
    ("from a crash to the next life", 1),
];

pub async fn run(effort: Effort) {
    let lives = LIVES / effort.divisor;
    if Command::new("escript").output().is_err() {
        println!("  SKIPPED (needs erlang-nox: apt-get install erlang-nox)");
        return;
    }
    let script = std::env::temp_dir().join(format!("lives-{}.escript", std::process::id()));
    std::fs::write(&script, SCRIPT).unwrap();
    let dynamic = DynamicSupervisor::builder("root").start().await.unwrap();
    let (root, worker) = life::restarting().await;
    let (parent, task) = workers::bare().await;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let ours = [
            life::our_lives(&dynamic, lives).await,
            life::our_lives_by_a_task(&dynamic, lives).await,
            life::their_lives_by_a_task(&parent, lives).await,
            life::our_crashes(&worker, lives).await,
        ];
        rounds.push((ours.map(|time| time.as_secs_f64()), in_erlang(&script, lives)));
    }
    root.stop().await;
    dynamic.stop().await;
    parent.stop(None);
    task.await.unwrap();
    std::fs::remove_file(&script).unwrap();
    for (which, (what, beside)) in MEASURED.into_iter().enumerate() {
        print(what, rounds.iter().map(|(ours, theirs)| (ours[which], theirs[beside])));
    }
}

/// Runs the script; returns the seconds for each start and stop, and for each crash.
fn in_erlang(script: &Path, lives: u32) -> [f64; 2] {
    let output = Command::new("escript").arg(script).arg(lives.to_string()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut micros = text.split_whitespace().map(|number| number.parse::<f64>().unwrap());
    [(); 2].map(|()| micros.next().unwrap() / f64::from(lives) / 1e6)
}

fn print(what: &str, rounds: impl Iterator<Item = (f64, f64)> + Clone) {
    let ours = Duration::from_secs_f64(median(rounds.clone().map(|(ours, _)| ours)));
    let theirs = Duration::from_secs_f64(median(rounds.clone().map(|(_, theirs)| theirs)));
    let ratio = median(rounds.map(|(ours, theirs)| ours / theirs));
    println!("  {what:<34} {ours:>10.2?}   Erlang/OTP  {theirs:>10.2?}   ratio {ratio:.2}");
}
