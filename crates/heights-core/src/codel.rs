//! Tells a standing queue from a burst: CoDel's question, with an answer made for requests.
//!
//! A burst makes some wait long, and is over soon. Overload makes everybody wait long, for good.
//! What tells them apart is how long the wait has been above the target without a break:
//!
//! ```text
//!   above the target for a whole interval ──► shedding ──► at or below it for a whole interval
//!                                             drops all that waited longer than the target
//! ```
//!
//! CoDel as made for packets drops one at a time, ever faster, because senders slow down when they
//! miss one. Callers don't, so here everyone late is dropped while the overload lasts; then those
//! who are served have waited at most the target.

use std::time::Duration;

use crate::Moment;

/// Decides who has waited too long, and whether that is a reason to drop.
///
/// ```
/// use std::time::Duration;
/// use heights_core::CoDel;
///
/// let millis = Duration::from_millis;
/// let mut codel = CoDel::new(millis(10), millis(100));
/// assert!(!codel.drops(millis(0), millis(40)), "perhaps it is only a burst");
/// assert!(codel.drops(millis(100), millis(40)), "it is not");
/// assert!(!codel.drops(millis(101), millis(10)), "who is in time is served");
/// ```
#[derive(Clone, Debug)]
pub struct CoDel {
    target: Duration,
    interval: Duration,
    /// Since when nobody got through within the target.
    late_since: Option<Moment>,
    /// Since when everybody did.
    calm_since: Option<Moment>,
    shedding: bool,
}

impl CoDel {
    /// Sheds those who waited longer than `target` once that has gone on for `interval`.
    pub fn new(target: Duration, interval: Duration) -> Self {
        Self { target, interval, late_since: None, calm_since: None, shedding: false }
    }

    /// Tells whether one whose turn has come after this wait is to be dropped instead.
    pub fn drops(&mut self, now: Moment, waited: Duration) -> bool {
        if waited <= self.target {
            self.calm(now);
            return false;
        }
        if self.lasts(self.calm_since, now) {
            self.shedding = false;
        }
        self.calm_since = None;
        self.late_since = self.late_since.or(Some(now));
        if self.lasts(self.late_since, now) {
            self.shedding = true;
        }
        self.shedding
    }

    /// Takes note that nobody waits any more.
    pub fn calm(&mut self, now: Moment) {
        self.late_since = None;
        self.calm_since = self.calm_since.or(Some(now));
        if self.lasts(self.calm_since, now) {
            self.shedding = false;
        }
    }

    /// Tells whether the overload lasts.
    pub fn is_shedding(&self) -> bool {
        self.shedding
    }

    fn lasts(&self, since: Option<Moment>, now: Moment) -> bool {
        since.is_some_and(|since| now.saturating_sub(since) >= self.interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TARGET: Duration = Duration::from_millis(10);
    const INTERVAL: Duration = Duration::from_millis(100);

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Asks at these times about those who waited this long, in milliseconds.
    fn dropped(asked: &[(u64, u64)]) -> Vec<bool> {
        let mut codel = CoDel::new(TARGET, INTERVAL);
        asked.iter().map(|&(at, waited)| codel.drops(millis(at), millis(waited))).collect()
    }

    #[test]
    fn m112_a_burst_shorter_than_the_interval_loses_nobody() {
        assert_eq!(dropped(&[(0, 50), (60, 90), (99, 99), (100, 10), (150, 90)]), [false; 5]);
    }

    #[test]
    fn m112_drops_the_late_once_they_have_been_late_for_the_interval() {
        assert_eq!(
            dropped(&[(0, 11), (99, 60), (100, 60), (101, 10), (102, 11)]),
            [false, false, true, false, true]
        );
    }

    #[test]
    fn m112_an_interval_of_calm_ends_the_overload() {
        assert_eq!(
            dropped(&[(0, 11), (100, 60), (110, 1), (210, 1), (211, 60)]),
            [false, true, false, false, false]
        );
    }

    #[test]
    fn m112_an_empty_queue_counts_as_calm() {
        let mut codel = CoDel::new(TARGET, INTERVAL);
        assert!(!codel.drops(millis(0), millis(50)));
        codel.calm(millis(1));
        assert!(!codel.drops(millis(5000), millis(50)), "late since 5000, not since 0");
        assert!(codel.drops(millis(5100), millis(50)));
    }

    proptest! {
        /// The rule by its words, looked up in the whole history at every step.
        #[test]
        fn m112_drops_iff_the_wait_is_above_the_target_for_the_interval(
            steps in prop::collection::vec((0u64..60, 0u64..25), 1..120),
        ) {
            let mut codel = CoDel::new(TARGET, INTERVAL);
            let (mut history, mut at, mut shedding) = (Vec::new(), Duration::ZERO, false);
            for (pause, waited) in steps {
                at += millis(pause);
                let late = millis(waited) > TARGET;
                // A calm spell ends when somebody is late; nobody was until now.
                let calm = spell(&history, at, false);
                history.push((at, late));
                if calm >= INTERVAL || (!late && spell(&history, at, false) >= INTERVAL) {
                    shedding = false;
                }
                if late && spell(&history, at, true) >= INTERVAL {
                    shedding = true;
                }
                prop_assert_eq!(codel.drops(at, millis(waited)), late && shedding);
            }
        }
    }

    /// How long everybody at the end of the history has been late, or in time.
    fn spell(history: &[(Duration, bool)], now: Duration, late: bool) -> Duration {
        let first = history.iter().rev().take_while(|(_, was)| *was == late).last();
        first.map_or(Duration::ZERO, |(since, _)| now - *since)
    }
}
