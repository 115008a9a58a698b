//! Writes that the forge has not taken, and when each is tried again.

use std::collections::BTreeMap;
use std::time::Duration;

use ci_github::ForgeError;
use tokio::time::Instant;

use crate::reporter::write::Write;
use crate::reporter::{Lane, Undelivered};

/// The first wait after a failed write.
const MIN_BACKOFF: Duration = Duration::from_secs(1);
/// The longest wait between two tries.
const MAX_BACKOFF: Duration = Duration::from_secs(60);

/// At most one trouble for each lane.
#[derive(Default)]
pub(super) struct Troubles(BTreeMap<Lane, Trouble>);

/// Why a lane waits.
struct Trouble {
    write: Write,
    reason: String,
    /// When to try again; never where only a change of the wish can help.
    retry_at: Option<Instant>,
    backoff: Duration,
}

impl Troubles {
    /// Whether a write must wait for the lane's next try.
    pub(super) fn hold(&self, write: &Write, now: Instant) -> Option<bool> {
        let is_same = |trouble: &&Trouble| trouble.retry_at.is_some() || trouble.write == *write;
        let trouble = self.0.get(&write.lane()).filter(is_same)?;
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
        let last = self.0.get(&lane).map_or(Duration::ZERO, |trouble| trouble.backoff);
        let asked = match error {
            ForgeError::Transient { retry_after, .. } => retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        let backoff = (last * 2).clamp(MIN_BACKOFF, MAX_BACKOFF).max(asked);
        let again = error.is_passing().then_some(backoff);
        let retry_at = again.map(|wait| now + wait);
        self.0.insert(lane, Trouble { write, reason: error.to_string(), retry_at, backoff });
        again
    }

    /// Notes that a lane works.
    pub(super) fn end(&mut self, lane: &Lane) {
        self.0.remove(lane);
    }

    /// What could not be delivered, in words.
    pub(super) fn undelivered(&self) -> Vec<Undelivered> {
        let entry = |trouble: &Trouble| Undelivered {
            repo: trouble.write.repo.clone(),
            what: trouble.write.to_string(),
            reason: trouble.reason.clone(),
        };
        self.0.values().map(entry).collect()
    }
}
