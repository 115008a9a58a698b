//! How many restarts are too many: a sliding window over the restarts of one supervisor.

use std::collections::VecDeque;
use std::time::Duration;

use crate::SpecError;

/// A point in time, as the distance from an origin that the caller chose.
pub type Moment = Duration;

/// How many restarts a supervisor takes within a period before it gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intensity {
    /// The most restarts in any period; one more and the supervisor gives up.
    pub restarts: u32,
    /// The length of the sliding period.
    pub period: Duration,
}

impl Intensity {
    /// Allows `restarts` within any `period`; zero restarts means that the first failure escalates.
    pub const fn new(restarts: u32, period: Duration) -> Self {
        Self { restarts, period }
    }

    /// Rejects a period of zero, which would never count anything.
    pub fn validate(self) -> Result<Self, SpecError> {
        if self.period.is_zero() { Err(SpecError::ZeroPeriod) } else { Ok(self) }
    }
}

impl Default for Intensity {
    /// Three restarts in five seconds, as Elixir's `Supervisor` has it (OTP says one).
    fn default() -> Self {
        Self::new(3, Duration::from_secs(5))
    }
}

/// The restarts that still count.
///
/// ```
/// use std::time::Duration;
/// use heights_core::{Intensity, RestartWindow};
///
/// let second = Duration::from_secs(1);
/// let mut window = RestartWindow::new(Intensity::new(2, 10 * second));
/// assert!(window.admit(second) && window.admit(2 * second));
/// assert!(!window.admit(3 * second), "a third within ten seconds is one too many");
/// assert!(window.admit(13 * second), "by then those are forgotten");
/// ```
#[derive(Debug, Clone)]
pub struct RestartWindow {
    intensity: Intensity,
    restarts: VecDeque<Moment>,
    total: u64,
}

impl RestartWindow {
    /// Makes an empty window.
    pub const fn new(intensity: Intensity) -> Self {
        Self { intensity, restarts: VecDeque::new(), total: 0 }
    }

    /// Counts one restart and tells whether it is still allowed.
    ///
    /// A restart that is exactly one period old still counts, as in OTP.
    pub fn admit(&mut self, now: Moment) -> bool {
        let period = self.intensity.period;
        while self.restarts.front().is_some_and(|then| now.saturating_sub(*then) > period) {
            self.restarts.pop_front();
        }
        self.restarts.push_back(now);
        self.total += 1;
        self.restarts.len() <= self.intensity.restarts as usize
    }

    /// Returns how many restarts were ever counted.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Returns when the restarts that still counted at the latest one happened.
    pub fn restarts(&self) -> impl Iterator<Item = Moment> {
        self.restarts.iter().copied()
    }

    /// Returns the limits of this window.
    pub const fn intensity(&self) -> Intensity {
        self.intensity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(restarts: u32, period: u64, at: &[u64]) -> Vec<bool> {
        let intensity = Intensity::new(restarts, Duration::from_secs(period));
        let mut window = RestartWindow::new(intensity);
        at.iter().map(|second| window.admit(Duration::from_secs(*second))).collect()
    }

    #[test]
    fn e43_one_more_than_the_intensity_escalates() {
        assert_eq!(admitted(3, 5, &[0, 1, 2, 3]), [true, true, true, false]);
        assert_eq!(admitted(0, 5, &[0]), [false]);
    }

    #[test]
    fn e44_slower_than_the_period_never_escalates() {
        let seconds: Vec<u64> = (0..1000).map(|n| n * 6).collect();
        assert!(admitted(1, 5, &seconds).into_iter().all(|allowed| allowed));
    }

    #[test]
    fn e45_a_restart_exactly_one_period_old_still_counts() {
        assert_eq!(admitted(1, 5, &[0, 5]), [true, false]);
        assert_eq!(admitted(1, 5, &[0, 6]), [true, true]);
    }

    #[test]
    fn only_those_count_that_are_young_enough() {
        let mut window = RestartWindow::new(Intensity::new(3, Duration::from_secs(5)));
        for second in [0, 1, 6] {
            window.admit(Duration::from_secs(second));
        }
        let counted: Vec<u64> = window.restarts().map(|then| then.as_secs()).collect();
        assert_eq!(counted, [1, 6]);
        assert_eq!(window.total(), 3);
    }
}
