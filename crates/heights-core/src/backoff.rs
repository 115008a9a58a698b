//! How long to wait before the next attempt.

use std::time::Duration;

/// Spreads small seeds over all bits.
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

/// A growing delay before a restart, an extension that OTP does not have.
///
/// Attempt `n` (from zero) waits `min × 2ⁿ`, at most `max`, shortened by up to the jitter share.
/// A child that ran for `reset_after` starts over at `min`.
///
/// ```
/// use std::time::Duration;
/// use heights_core::{Backoff, Dice};
///
/// let backoff = Backoff::exponential(Duration::from_secs(1), Duration::from_secs(10));
/// let mut dice = Dice::new(0);
/// let delays: Vec<_> = (0..5).map(|attempt| backoff.delay(attempt, &mut dice).as_secs()).collect();
/// assert_eq!(delays, [1, 2, 4, 8, 10]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    jitter: f64,
    reset_after: Duration,
}

impl Backoff {
    /// Doubles from `min` up to `max`; no jitter; resets after a healthy run of `max`.
    pub const fn exponential(min: Duration, max: Duration) -> Self {
        Self { min, max, jitter: 0.0, reset_after: max }
    }

    /// Takes a random share of up to `share` (0 to 1) off each delay.
    #[must_use]
    pub const fn jitter(mut self, share: f64) -> Self {
        // What is no number is no jitter.
        self.jitter = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        self
    }

    /// Starts over at the shortest delay once a child has run for `healthy`.
    #[must_use]
    pub const fn reset_after(mut self, healthy: Duration) -> Self {
        self.reset_after = healthy;
        self
    }

    /// Returns the delay before attempt `attempt`, with `dice` for the jitter.
    pub fn delay(&self, attempt: u32, dice: &mut Dice) -> Duration {
        let factor = 2_u32.saturating_pow(attempt.min(31));
        let full = self.min.saturating_mul(factor).min(self.max);
        let share = 1.0 - self.jitter * dice.roll();
        // The longest durations there are round up to more than there is.
        Duration::try_from_secs_f64(full.as_secs_f64() * share).unwrap_or(full)
    }

    /// Tells whether a run of this length counts as healthy.
    pub fn is_healthy(&self, ran_for: Duration) -> bool {
        ran_for >= self.reset_after
    }
}

/// A small reproducible source of chance (xorshift), good enough to spread restarts.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Seeds the sequence; the same seed rolls the same numbers.
    pub const fn new(seed: u64) -> Self {
        let mixed = seed ^ MIX;
        // Xorshift never leaves zero.
        Self(if mixed == 0 { MIX } else { mixed })
    }

    /// Returns the next number, at least 0 and below 1.
    pub fn roll(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let high = u32::try_from(self.0 >> 32).unwrap_or(u32::MAX);
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn e52_delays_double_up_to_the_longest() {
        let backoff = Backoff::exponential(SECOND, SECOND * 10);
        let mut dice = Dice::new(7);
        let delays: Vec<u64> = (0..6).map(|n| backoff.delay(n, &mut dice).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 8, 10, 10]);
    }

    #[test]
    fn e52_no_delay_is_too_long_and_no_share_too_strange() {
        let longest = Backoff::exponential(SECOND, Duration::MAX).jitter(f64::NAN);
        assert_eq!(longest.delay(9, &mut Dice::new(0)), SECOND * 512);
        let for_ever = Backoff::exponential(Duration::MAX, Duration::MAX);
        for share in [0.0, -1.0, f64::NEG_INFINITY, f64::NAN] {
            assert_eq!(for_ever.jitter(share).delay(99, &mut Dice::new(0)), Duration::MAX);
        }
        let shortest = for_ever.jitter(f64::INFINITY).delay(0, &mut Dice::new(7));
        assert!(shortest < Duration::MAX, "{shortest:?}");
    }

    #[test]
    fn the_same_seed_rolls_the_same_numbers_in_every_build() {
        let mut dice = Dice::new(7);
        let rolls: Vec<u64> = (0..5).map(|_roll| (dice.roll() * 1e6) as u64).collect();
        assert_eq!(rolls, [859_794, 81_804, 728_024, 284_799, 349_409]);
    }

    #[test]
    fn every_seed_rolls_all_over() {
        for seed in [0, 1, u64::MAX, MIX] {
            let mut dice = Dice::new(seed);
            let mut tenths = [0; 10];
            for _roll in 0..10_000 {
                tenths[(dice.roll() * 10.0) as usize] += 1;
            }
            assert!(tenths.iter().all(|count| (800..1200).contains(count)), "{seed}: {tenths:?}");
        }
    }

    proptest! {
        #[test]
        fn e52_jitter_only_shortens_and_stays_in_bounds(seed: u64, attempt in 0_u32..100) {
            let plain = Backoff::exponential(SECOND, SECOND * 60);
            let full = plain.delay(attempt, &mut Dice::new(0));
            let delay = plain.jitter(0.5).delay(attempt, &mut Dice::new(seed));
            prop_assert!(delay <= full && delay >= full / 2);
        }
    }
}
