//! Two things measured in turn: ours, and what the bench's root names as its `YARDSTICK`.

use std::time::Duration;

use crate::YARDSTICK;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// How many ratios the median is of.
    pub rounds: usize,
    /// By how much each measurement is shorter than a full one.
    pub divisor: u32,
}

impl Effort {
    pub const FULL: Self = Self { rounds: 31, divisor: 1 };
    pub const QUICK: Self = Self { rounds: 7, divisor: 10 };
}

/// Measures both in each round, taking turns at going first, and prints the medians of both and
/// of their ratios.
pub async fn compare(
    what: &str,
    rounds: usize,
    ours: impl AsyncFn() -> Duration,
    theirs: impl AsyncFn() -> Duration,
) {
    let mut pairs = Vec::new();
    for round in 0..rounds {
        let first_theirs = if round % 2 == 1 { Some(theirs().await) } else { None };
        let our_time = ours().await;
        let their_time = match first_theirs {
            Some(taken) => taken,
            None => theirs().await,
        };
        pairs.push((our_time.as_secs_f64(), their_time.as_secs_f64()));
    }
    let ratio = median(pairs.iter().map(|(ours, theirs)| ours / theirs));
    let ours = Duration::from_secs_f64(median(pairs.iter().map(|(ours, _)| *ours)));
    let theirs = Duration::from_secs_f64(median(pairs.iter().map(|(_, theirs)| *theirs)));
    println!("  {what:<34} {ours:>10.2?}   {YARDSTICK} {theirs:>10.2?}   ratio {ratio:.2}");
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
