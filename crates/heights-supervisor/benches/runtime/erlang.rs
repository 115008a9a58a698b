//! The same lives under Erlang/OTP's own supervisor, if it is installed.

use std::process::Command;
use std::time::Duration;

use heights_supervisor::DynamicSupervisor;

use crate::compare::{Effort, median};
use crate::life;

const LIVES: u32 = 10_000;
const ROUNDS: usize = 5;

/// Prints two numbers for as many lives as it is told: the microseconds for all starts and
/// stops, and for all crashes until the next life is up.
const SCRIPT: &str = include_str!("lives.escript");

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
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let ours =
            [life::our_lives(&dynamic, lives).await, life::our_crashes(&worker, lives).await];
        let output = Command::new("escript").arg(&script).arg(lives.to_string()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut theirs = text.split_whitespace().map(|number| number.parse::<f64>().unwrap());
        let theirs = [theirs.next().unwrap(), theirs.next().unwrap()];
        rounds.push((ours, theirs.map(|micros| micros / f64::from(lives) / 1e6)));
    }
    root.stop().await;
    dynamic.stop().await;
    std::fs::remove_file(&script).unwrap();
    for (which, what) in
        ["start and stop of a child", "from a crash to the next life"].into_iter().enumerate()
    {
        let ours = median(rounds.iter().map(|(ours, _)| ours[which].as_secs_f64()));
        let theirs = median(rounds.iter().map(|(_, theirs)| theirs[which]));
        let ratio =
            median(rounds.iter().map(|(ours, theirs)| ours[which].as_secs_f64() / theirs[which]));
        let (ours, theirs) = (Duration::from_secs_f64(ours), Duration::from_secs_f64(theirs));
        println!("  {what:<34} {ours:>10.2?}   Erlang/OTP  {theirs:>10.2?}   ratio {ratio:.2}");
    }
}
