//! Writes that the forge has not taken, and when each is tried again.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use ci_github::ForgeError;
use tokio::time::Instant;

use crate::reporter::write::Write;
use crate::reporter::{Lane, Undelivered};

/// The first wait after a failed write.
const MIN_BACKOFF: Duration = Duration::from_secs(1);
/// The longest wait between two tries.
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// The wait where only a person can help: the token may have been replaced, or the proxy mended.
const UNTIL_MENDED: Duration = Duration::from_secs(300);
/// By how much of it a wait is shortened at most, so that not everything is tried at the same moment.
const JITTER: f64 = 0.25;

/// At most one trouble for each lane.
#[derive(Default)]
pub(super) struct Troubles {
    lanes: BTreeMap<Lane, Trouble>,
    dice: RandomState,
}

/// Why a lane waits.
struct Trouble {
    write: Write,
    reason: String,
    /// Whether others on the lane would meet the same.
    is_passing: bool,
    /// When to try again; never where only a change of the wish can help.
    retry_at: Option<Instant>,
    backoff: Duration,
}

impl Troubles {
    /// Whether a write must wait for the lane's next try.
    pub(super) fn hold(&self, write: &Write, now: Instant) -> Option<bool> {
        let is_same = |trouble: &&Trouble| trouble.is_passing || trouble.write == *write;
        let trouble = self.lanes.get(&write.lane()).filter(is_same)?;
        Some(trouble.retry_at.is_none_or(|at| at > now))
    }

    /// Notes that a write was not taken; returns after how long to try again.
    pub(super) fn note(
        &mut self,
        write: Write,
        error: &ForgeError,
        now: Instant,
    ) -> Option<Duration> {
        let lane = write.lane();
        let last = self.lanes.get(&lane).map_or(Duration::ZERO, |trouble| trouble.backoff);
        let asked = match error {
            ForgeError::Transient { retry_after, .. } => retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        let backoff = (last * 2).clamp(MIN_BACKOFF, MAX_BACKOFF);
        let again = match error {
            ForgeError::Transient { .. } | ForgeError::RateLimited { .. } => {
                Some(self.shortened(backoff, &lane).max(asked))
            }
            ForgeError::Unauthorized { .. } | ForgeError::Malformed { .. } => Some(UNTIL_MENDED),
            // The same write would be refused again.
            ForgeError::NotFound { .. } | ForgeError::Rejected { .. } => None,
        };
        let (reason, is_passing) = (error.to_string(), error.is_passing());
        let retry_at = again.map(|wait| now + wait);
        self.lanes.insert(lane, Trouble { write, reason, is_passing, retry_at, backoff });
        again
    }

    /// Notes that a lane works.
    pub(super) fn end(&mut self, lane: &Lane) {
        self.lanes.remove(lane);
    }

    /// What could not be delivered, in words.
    pub(super) fn undelivered(&self) -> Vec<Undelivered> {
        let entry = |trouble: &Trouble| Undelivered {
            repo: trouble.write.repo.clone(),
            what: trouble.write.to_string(),
            reason: trouble.reason.clone(),
        };
        self.lanes.values().map(entry).collect()
    }

    /// A wait of its own for each lane and each length.
    fn shortened(&self, wait: Duration, lane: &Lane) -> Duration {
        let drawn = self.dice.hash_one((lane, wait)) % 1000;
        wait.mul_f64(1.0 - JITTER * (drawn as f64) / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use ci_domain::forge::Timestamp;
    use ci_domain::ids::{CommitSha, RepoName};

    use super::*;
    use crate::reporter::book::Due;

    fn write(digit: char) -> Write {
        let sha = CommitSha::new(digit.to_string().repeat(40)).unwrap();
        let repo = RepoName::new("acme/shop").unwrap();
        Write { repo, head: sha.clone(), due: Due::Look { sha } }
    }

    fn ill(retry_after: Option<u64>) -> ForgeError {
        let retry_after = retry_after.map(Duration::from_secs);
        ForgeError::Transient { reason: "ill".to_owned(), retry_after }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_up_to_a_minute_and_each_lane_has_its_own() {
        let (mut troubles, now) = (Troubles::default(), Instant::now());
        let mut wait = |digit, error: &ForgeError| {
            troubles.note(write(digit), error, now).map(|wait| wait.as_secs_f64())
        };
        for whole in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0] {
            let waited = wait('a', &ill(None)).unwrap();
            assert!((whole * 0.75..=whole).contains(&waited), "{waited} of {whole}");
        }
        assert_eq!(wait('a', &ill(Some(90))), Some(90.0));
        let all: Vec<_> = "bcdef".chars().map(|digit| wait(digit, &ill(None))).collect();
        assert!(all.iter().any(|one| *one != all[0]), "{all:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_person_must_mend_is_tried_again_and_what_is_refused_is_not() {
        let (mut troubles, now) = (Troubles::default(), Instant::now());
        let mended = Some(UNTIL_MENDED);
        let what = || "x".to_owned();
        for (error, expected) in [
            (ForgeError::Unauthorized { message: what() }, mended),
            (ForgeError::Malformed { reason: what() }, mended),
            (ForgeError::NotFound { what: what() }, None),
            (ForgeError::Rejected { status: 422, message: what() }, None),
        ] {
            assert_eq!(troubles.note(write('a'), &error, now), expected, "{error}");
            assert_eq!(troubles.undelivered()[0].reason, error.to_string());
        }
        assert!(
            troubles
                .note(write('a'), &ForgeError::RateLimited { until: Timestamp(0) }, now)
                .is_some()
        );
        assert_eq!(troubles.hold(&write('a'), now), Some(true));
        troubles.end(&write('a').lane());
        assert_eq!((troubles.hold(&write('a'), now), troubles.undelivered()), (None, Vec::new()));
    }
}
