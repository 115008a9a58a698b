//! Which threads an actor does not give back, found out by looking at them again and again.
//!
//! A thread counts how often it has begun to run an actor. Where two looks find the same actor and
//! the same count, nothing else has run there between them. So nobody has to read a clock at every
//! turn, and it is seen however blocked the application is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use heights_supervisor::{ProcessId, ThreadInfo, threads};

/// How often the threads are looked at.
pub(crate) const INTERVAL: Duration = Duration::from_millis(100);

/// A turn that takes this long keeps others waiting noticeably.
const LONG: Duration = Duration::from_millis(500);

/// Remembers since when each thread has been in its present turn.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<Arc<str>, Turn>>);

#[derive(Debug)]
struct Turn {
    seen: ThreadInfo,
    since: Instant,
    /// Whether somebody has been told that it is long.
    told: bool,
}

/// A turn that has taken long already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LongTurn {
    pub(crate) thread: Arc<str>,
    pub(crate) pid: ProcessId,
    pub(crate) lasted: Duration,
}

impl Turns {
    /// Looks at the threads; returns the turns that are long since just now.
    pub(crate) fn look(&self) -> Vec<LongTurn> {
        let now = Instant::now();
        self.note(threads(), now);
        let mut turns = self.turns();
        let fresh = turns.values_mut().filter(|turn| !turn.told).filter_map(|turn| {
            let long = turn.if_long(now)?;
            turn.told = true;
            Some(long)
        });
        fresh.collect()
    }

    /// Returns the turns that have taken long, the longest first.
    pub(crate) fn long(&self) -> Vec<LongTurn> {
        let now = Instant::now();
        self.note(threads(), now);
        let mut long: Vec<_> = self.turns().values().filter_map(|turn| turn.if_long(now)).collect();
        long.sort_by_key(|turn| std::cmp::Reverse(turn.lasted));
        long
    }

    fn note(&self, threads: Vec<ThreadInfo>, now: Instant) {
        let mut turns = self.turns();
        let mut before = std::mem::take(&mut *turns);
        turns.extend(threads.into_iter().filter(|thread| thread.running.is_some()).map(|seen| {
            let same = before.remove(&seen.name).filter(|turn| turn.seen == seen);
            let turn = same.unwrap_or_else(|| Turn { seen: seen.clone(), since: now, told: false });
            (seen.name, turn)
        }));
    }

    fn turns(&self) -> MutexGuard<'_, HashMap<Arc<str>, Turn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    fn if_long(&self, now: Instant) -> Option<LongTurn> {
        let lasted = now - self.since;
        let pid = self.seen.running.filter(|_| lasted >= LONG)?;
        Some(LongTurn { thread: Arc::clone(&self.seen.name), pid, lasted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(name: &str, running: Option<&str>, turns: u64) -> ThreadInfo {
        let running = running.map(|pid| pid.parse().unwrap());
        ThreadInfo { name: Arc::from(name), running, turns }
    }

    #[test]
    fn only_a_turn_that_goes_on_and_on_is_long() {
        let (turns, start) = (Turns::default(), Instant::now());
        let busy = |count| thread("busy", Some("1"), count);
        let stuck = || thread("stuck", Some("2"), 40);
        for round in 0..=5 {
            let now = start + INTERVAL * round;
            turns.note(vec![busy(round.into()), stuck(), thread("idle", None, 7)], now);
        }
        let now = start + LONG;
        let long: Vec<_> = turns.turns().values().filter_map(|turn| turn.if_long(now)).collect();
        let expected = LongTurn { thread: "stuck".into(), pid: "2".parse().unwrap(), lasted: LONG };
        assert_eq!(long, [expected]);
        turns.note(vec![busy(9), thread("stuck", Some("2"), 41)], now);
        assert!(turns.turns().values().all(|turn| turn.if_long(now).is_none()));
    }
}
