//! Decides when the next permit of a rate limit is due.
//!
//! The bucket spaces permits evenly instead of counting them per window, so no window can be found
//! that holds more than its share: with a burst of one, `n` per `period` means at most `n` in
//! *every* half-open window as long as the period. A burst of `b` lets `b` permits out at once after
//! a quiet spell, so a window then holds at most `n + b - 1`.

use std::time::Duration;

use crate::Moment;

/// Says how many permits a period allows and how many may be taken at once.
///
/// ```
/// use std::time::Duration;
/// use heights_core::{Rate, TokenBucket};
///
/// const SECOND: Duration = Duration::from_secs(1);
///
/// let mut bucket = TokenBucket::new(Rate::new(4, SECOND).burst(2));
/// assert_eq!((0..9).filter(|_| bucket.take(SECOND)).count(), 2);
/// assert_eq!(bucket.ready_at(), SECOND * 5 / 4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    permits: u32,
    period: Duration,
    burst: u32,
}

/// Counts the permits taken under a [`Rate`]; one integer of state, no queue.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    rate: Rate,
    /// When the bucket is full again if nothing more is taken.
    full_at: Moment,
    last_taken: Option<Moment>,
}

impl Rate {
    /// Allows `permits` in each `period`, evenly spaced; zero permits are read as one.
    pub fn new(permits: u32, period: Duration) -> Self {
        Self { permits: permits.max(1), period, burst: 1 }
    }

    /// Lets `burst` permits out at once after a quiet spell; zero is read as one.
    pub fn burst(self, burst: u32) -> Self {
        Self { burst: burst.max(1), ..self }
    }

    /// Returns the time between two permits of a steady stream, rounded up.
    pub fn interval(&self) -> Duration {
        let nanos = self.period.as_nanos().div_ceil(u128::from(self.permits));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Returns how many permits a period allows.
    pub fn permits(&self) -> u32 {
        self.permits
    }

    /// Returns the period.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Returns how many permits may be taken at once.
    pub fn burst_size(&self) -> u32 {
        self.burst
    }

    fn tolerance(&self) -> Duration {
        self.interval().saturating_mul(self.burst - 1)
    }
}

impl TokenBucket {
    /// Makes a full bucket.
    pub fn new(rate: Rate) -> Self {
        Self { rate, full_at: Duration::ZERO, last_taken: None }
    }

    /// Makes a bucket that stands where one permit was taken before, if any was: the next is due
    /// an interval later.
    pub fn after(rate: Rate, last_taken: Option<Moment>) -> Self {
        let spaced = last_taken.map(|last| last.saturating_add(rate.interval()));
        Self {
            rate,
            full_at: spaced.unwrap_or_default().saturating_add(rate.tolerance()),
            last_taken,
        }
    }

    /// Returns the rate in force.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Returns the earliest time at which a permit may be taken.
    pub fn ready_at(&self) -> Moment {
        self.full_at.saturating_sub(self.rate.tolerance())
    }

    /// Tells whether a permit may be taken now.
    pub fn is_ready(&self, now: Moment) -> bool {
        now >= self.ready_at()
    }

    /// Takes a permit if one is due and tells whether it did.
    pub fn take(&mut self, now: Moment) -> bool {
        if !self.is_ready(now) {
            return false;
        }
        self.full_at = self.full_at.max(now).saturating_add(self.rate.interval());
        self.last_taken = Some(now);
        true
    }

    /// Changes the rate and keeps what was taken: a new rate never forgives an old debt.
    pub fn reconfigure(&mut self, rate: Rate, now: Moment) {
        let debt = self.full_at.saturating_sub(now);
        let scaled = scale(debt, rate.interval(), self.rate.interval());
        // Scaling alone forgets how recent the last permit is when the new interval is longer.
        let spaced =
            self.last_taken.map_or(Duration::ZERO, |last| last.saturating_add(rate.interval()));
        self.full_at = now.saturating_add(scaled).max(spaced);
        self.rate = rate;
    }
}

/// Returns `debt * new / old`, rounded up.
fn scale(debt: Duration, new: Duration, old: Duration) -> Duration {
    let old = old.as_nanos().max(1);
    let nanos = debt.as_nanos().saturating_mul(new.as_nanos()).div_ceil(old);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Polls the bucket every millisecond and returns when permits came out.
    fn greedy(bucket: &mut TokenBucket, from: u64, until: u64) -> Vec<u64> {
        (from..until).filter(|&at| bucket.take(Duration::from_millis(at))).collect()
    }

    #[test]
    fn spaces_permits_evenly_without_a_burst() {
        let mut bucket = TokenBucket::new(Rate::new(4, SECOND));
        assert_eq!(greedy(&mut bucket, 0, 1001), [0, 250, 500, 750, 1000]);
    }

    #[test]
    fn lets_a_burst_out_after_a_quiet_spell() {
        let mut bucket = TokenBucket::new(Rate::new(1, SECOND).burst(3));
        let taken = (0..5).filter(|_| bucket.take(10 * SECOND)).count();
        assert_eq!((taken, bucket.ready_at()), (3, 11 * SECOND));
    }

    #[test]
    fn a_slower_rate_waits_its_full_interval_after_the_last_permit() {
        let mut bucket = TokenBucket::new(Rate::new(10, SECOND));
        assert!(bucket.take(SECOND));
        bucket.reconfigure(Rate::new(1, SECOND), SECOND + Duration::from_millis(50));
        assert_eq!(bucket.ready_at(), 2 * SECOND);
    }

    #[test]
    fn a_new_rate_keeps_the_debt_of_a_burst() {
        let mut bucket = TokenBucket::new(Rate::new(1, SECOND).burst(4));
        assert_eq!((0..9).filter(|_| bucket.take(SECOND)).count(), 4);
        bucket.reconfigure(Rate::new(2, SECOND).burst(4), SECOND);
        assert_eq!(bucket.ready_at(), SECOND + SECOND / 2);
    }

    proptest! {
        /// Whatever the attempts and however the rate changes, no window holds more than the
        /// fastest rate and the largest burst seen allow.
        #[test]
        fn no_window_holds_more_than_its_share(
            attempts in prop::collection::vec((0u64..400, prop::option::weighted(0.05, (1u32..9, 1u32..4))), 1..300),
        ) {
            let mut bucket = TokenBucket::new(Rate::new(4, SECOND));
            let (mut steady, mut extra) = (4, 0);
            let (mut at, mut taken) = (Duration::ZERO, Vec::new());
            for (pause, change) in attempts {
                at += Duration::from_millis(pause);
                if let Some((permits, burst)) = change {
                    bucket.reconfigure(Rate::new(permits, SECOND).burst(burst), at);
                    (steady, extra) = (steady.max(permits), extra.max(burst - 1));
                }
                while bucket.take(at) {
                    taken.push(at);
                }
            }
            for (index, start) in taken.iter().enumerate() {
                let held = taken[index..].iter().take_while(|&&at| at < *start + SECOND).count();
                prop_assert!(held <= (steady + extra) as usize, "{held} of {steady} + {extra}");
            }
        }
    }
}
