//! Answers that are older than the news for which they were asked: a forge has many machines, and not all
//! hear of a push at once. They are read again, ever more slowly; the next poll has the last word.

use std::time::Duration;

use ci_domain::forge::{PullFacts, Timestamp};
use ci_domain::ids::PullNumber;

use crate::watcher::Watcher;

/// How long it takes most times until all machines have heard; each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// How often something is read again for one piece of news: for 15 seconds altogether.
const TRIES: u32 = 5;

/// News that an answer must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Awaited {
    as_of: Timestamp,
    tries: u32,
}

impl Watcher {
    /// Takes note of when a pull request has changed.
    pub(super) fn await_news(&mut self, number: PullNumber, as_of: Option<Timestamp>) {
        let Some(as_of) = as_of else { return };
        let known = self.awaited.get(&number).map(|awaited| awaited.as_of);
        if known.is_none_or(|known| known < as_of) {
            self.awaited.insert(number, Awaited { as_of, tries: 0 });
        }
    }

    /// How long to wait before the pull request is read again, where this is not the news of it.
    pub(super) fn pause_if_stale(&mut self, facts: &PullFacts) -> Option<Duration> {
        let known = self.known.facts(facts.number).map(|known| known.updated_at);
        let newest = known.map_or(facts.updated_at, |known| known.max(facts.updated_at));
        let pause = self.awaited.get_mut(&facts.number)?.judge(newest);
        if pause.is_none() {
            self.awaited.remove(&facts.number);
        }
        pause
    }
}

impl Awaited {
    /// How long to wait for the news, where what was seen is of `seen`.
    fn judge(&mut self, seen: Timestamp) -> Option<Duration> {
        if seen >= self.as_of {
            return None;
        }
        let pause = pause_after(self.tries)?;
        self.tries += 1;
        Some(pause)
    }
}

/// How long to wait after so many tries; `None` after the last.
pub(super) fn pause_after(tries: u32) -> Option<Duration> {
    (tries < TRIES).then(|| FIRST_PAUSE * 2_u32.pow(tries))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_is_read_again_ever_more_slowly() {
        let mut awaited = Awaited { as_of: Timestamp(7), tries: 0 };
        let pauses: Vec<u128> = std::iter::from_fn(|| awaited.judge(Timestamp(6)))
            .map(|pause| pause.as_millis())
            .collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000]);
        for seen in [7, 8] {
            let mut awaited = Awaited { as_of: Timestamp(7), tries: 0 };
            assert_eq!(awaited.judge(Timestamp(seen)), None);
        }
    }
}
