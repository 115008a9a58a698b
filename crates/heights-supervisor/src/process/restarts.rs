//! When the latest restarts of a supervisor's children happened.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

#[derive(Default)]
pub(super) struct Restarts {
    total: u64,
    latest: VecDeque<Instant>,
}

impl Restarts {
    /// Takes in the running total; what is new happened now.
    pub(super) fn note(&mut self, total: u64, period: Duration) {
        while self.latest.front().is_some_and(|at| at.elapsed() > period) {
            self.latest.pop_front();
        }
        for _ in self.total..total {
            self.latest.push_back(Instant::now());
        }
        self.total = total;
    }

    pub(super) fn within(&self, period: Duration) -> usize {
        self.latest.iter().filter(|at| at.elapsed() <= period).count()
    }
}
