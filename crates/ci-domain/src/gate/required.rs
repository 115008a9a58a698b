//! The required jobs, sorted by what people must be told of them.

use std::collections::BTreeMap;

use crate::forge::StatusState;
use crate::ids::{ComponentName, JobId};
use crate::outcome::{JobResult, Outcome};
use crate::outline::Outline;
use crate::pipeline::When;
use crate::wording;

/// The required jobs, by what keeps each from counting as passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Required<'a> {
    /// Their commands failed.
    pub failed: Vec<&'a JobId>,
    /// The policy wants them and the merge does not have them.
    pub missing: Vec<&'a JobId>,
    /// The machinery broke under them.
    pub crashed: Vec<&'a JobId>,
    /// Somebody stopped them.
    pub cancelled: Vec<&'a JobId>,
    /// They have not ended. Left out are those that one of the above blocks, and those that wait for
    /// approval, near or far: what they wait for is said already.
    pub unfinished: Vec<&'a JobId>,
}

impl Outline {
    /// Sorts the required jobs by what keeps them from counting as passed.
    #[must_use]
    pub fn sort_required<'a>(
        &'a self,
        outcomes: &BTreeMap<JobId, Outcome>,
        is_approved: bool,
    ) -> Required<'a> {
        let mut required =
            Required { missing: self.missing.iter().collect(), ..Required::default() };
        let ended_badly = |id: &JobId| outcomes.get(id).is_some_and(|o| !o.result.is_passed());
        let gates = |id: &JobId| self.jobs.get(id).is_some_and(|job| !job.optional);
        let shadowed =
            self.behind(outcomes, |id| ended_badly(id) && gates(id) && self.is_affected(id));
        let waits = |id: &JobId| {
            let when = self.jobs.get(id).map(|job| job.when);
            when == Some(When::Approved) && !is_approved && !outcomes.contains_key(id)
        };
        let waiting = self.behind(outcomes, waits);
        for (id, _) in self.required() {
            let is_shadowed = shadowed.contains(id);
            match outcomes.get(id).map(|outcome| &outcome.result) {
                Some(JobResult::Passed) => {}
                Some(JobResult::Failed) => required.failed.push(id),
                Some(JobResult::Crashed { .. } | JobResult::Cancelled) if is_shadowed => {}
                Some(JobResult::Crashed { .. }) => required.crashed.push(id),
                Some(JobResult::Cancelled) => required.cancelled.push(id),
                None if is_shadowed || waits(id) || waiting.contains(id) => {}
                None => required.unfinished.push(id),
            }
        }
        required
    }
}

impl<'a> Required<'a> {
    /// Those of each component that has any.
    #[must_use]
    pub fn by_component(&self) -> BTreeMap<&'a ComponentName, Self> {
        let mut all: BTreeMap<&'a ComponentName, Self> = BTreeMap::new();
        let mut sort = |jobs: &[&'a JobId], kind: fn(&mut Self) -> &mut Vec<&'a JobId>| {
            for id in jobs {
                kind(all.entry(&id.component).or_default()).push(id);
            }
        };
        sort(&self.failed, |own| &mut own.failed);
        sort(&self.missing, |own| &mut own.missing);
        sort(&self.crashed, |own| &mut own.crashed);
        sort(&self.cancelled, |own| &mut own.cancelled);
        sort(&self.unfinished, |own| &mut own.unfinished);
        all
    }

    /// The first row that applies, in its own words.
    #[must_use]
    pub fn worst(&self) -> Option<(StatusState, String)> {
        self.rows().into_iter().find_map(|(state, words)| Some((state, words?)))
    }

    /// One row for each kind, in the order of the umbrella's table.
    pub(super) fn rows(&self) -> [(StatusState, Option<String>); 5] {
        [
            (StatusState::Failure, wording::jobs_are(&self.failed, "failed")),
            (StatusState::Failure, wording::jobs_are(&self.missing, "missing")),
            (StatusState::Error, wording::jobs_are(&self.crashed, "crashed")),
            (StatusState::Error, wording::jobs_are(&self.cancelled, "cancelled")),
            (StatusState::Pending, wording::awaiting_jobs(&self.unfinished)),
        ]
    }
}
