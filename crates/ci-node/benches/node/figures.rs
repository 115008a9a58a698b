//! Figures and how they are printed.

use std::time::Duration;

/// Prints a line.
pub fn say(line: &str) {
    println!("{line}");
}

/// Times of the same thing, done many times.
#[derive(Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// These times; there is at least one.
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
        self.0.sort_unstable();
    }

    /// The time that `percent` of all were no longer than.
    pub fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0[rank - 1]
    }

    pub fn median(&self) -> Duration {
        self.percentile(50)
    }

    /// Prints `what`, the spread, and how it compares with `yardstick`.
    pub fn print(&self, what: &str, yardstick: Option<&Self>) {
        let [p50, p90, p99] = [50, 90, 99].map(|percent| millis(self.percentile(percent)));
        let ratio = yardstick.map(|other| ratio(self.median(), other.median()));
        let ratio = ratio.map(|ratio| format!("  x{ratio:.2}")).unwrap_or_default();
        println!("  {what:<28} p50 {p50:>7.1}  p90 {p90:>7.1}  p99 {p99:>7.1} ms{ratio}");
    }
}

pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

pub fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}
