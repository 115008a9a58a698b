//! Check runs: what each should show, what it was told last, and what follows.
//!
//! A check run is added, changed, and given its marks fifty at a time. Marks are added to those that are
//! there, so nothing is written again whose answer was lost before it was looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ci_domain::forge::{CheckId, CheckState, StandingCheck};
use ci_domain::ids::{CommitSha, JobId};
use ci_domain::report::{CheckWish, Report, Standing};
use ci_domain::subject::Subject;
use ci_domain::wording;

use crate::reporter::book::{Book, Due, Told};

/// Commits whose check runs are remembered though nobody speaks of them any more.
const REMEMBERED_CHECKS: usize = 200;

/// A check run by its commit and its name.
pub(in crate::reporter) type CheckKey = (CommitSha, String);

/// What has been told about the check runs of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::reporter) struct ToldChecks {
    /// The newest of each name.
    pub(in crate::reporter) standing: BTreeMap<CommitSha, BTreeMap<String, ToldCheck>>,
    /// Those of which a write has had no answer.
    pub(in crate::reporter) unanswered: BTreeSet<CheckKey>,
}

/// What a check run was told last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reporter) struct ToldCheck {
    pub(in crate::reporter) id: CheckId,
    /// The attempt that it tells of, if that has ended.
    pub(in crate::reporter) reference: String,
    pub(in crate::reporter) state: CheckState,
    /// How many marks it has.
    pub(in crate::reporter) marks: usize,
    /// Whether these are all.
    pub(in crate::reporter) is_complete: bool,
}

/// A check run that is to be written, and upon what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reporter) struct DueCheck {
    pub(in crate::reporter) key: CheckKey,
    pub(in crate::reporter) wish: CheckWish,
    /// What is to be changed; a new one is added where there is none, or where that tells of another run.
    pub(in crate::reporter) upon: Option<ToldCheck>,
}

impl Book {
    /// The check runs that are due about a commit. Where an answer was lost, how the check run stands is
    /// seen first.
    pub(in crate::reporter) fn due_checks(&self, head: &CommitSha, node: &str) -> Vec<Due> {
        let told = self.told.checks.standing.get(head);
        let due = |(job, wish): (JobId, CheckWish)| {
            let key = (head.clone(), wording::check_name(node, &job));
            if self.check_doubts.contains(&key) {
                return Some(Due::LookAtCheck(key));
            }
            let known = told.and_then(|told| told.get(&key.1));
            if known.is_some_and(|known| known.is_told(&wish.stands)) {
                return None;
            }
            let upon = known.filter(|known| known.goes_on_as(&wish.stands)).cloned();
            Some(Due::Check(DueCheck { key, wish, upon }))
        };
        self.wanted_checks(head, node).into_iter().filter_map(due).collect()
    }

    /// The check runs that a commit should have. One whose job is not wanted any more ends, and does not say
    /// any more that it failed; where nobody speaks of the commit, what has ended stays as it is.
    fn wanted_checks(&self, head: &CommitSha, node: &str) -> BTreeMap<JobId, CheckWish> {
        let speaks = |report: &&Arc<Report>| report.open && report.head == *head;
        let (pulls, branches): (Vec<_>, Vec<_>) = self
            .wishes
            .values()
            .filter(speaks)
            .partition(|report| matches!(report.subject, Subject::Pull(_)));
        let mut wanted = BTreeMap::new();
        // As with statuses: pull requests run more jobs than branches, so they speak last.
        for report in branches.iter().chain(&pulls) {
            wanted.extend(report.checks.clone().unwrap_or_default());
        }
        let is_planned = branches.iter().chain(&pulls).all(|report| report.checks.is_some());
        let is_silent = branches.is_empty() && pulls.is_empty();
        let is_left = |told: &ToldCheck| match told.state {
            CheckState::Running => true,
            CheckState::Failure | CheckState::Cancelled => !is_silent,
            CheckState::Success | CheckState::Neutral => false,
        };
        let told = self.told.checks.standing.get(head).into_iter().flatten();
        let left = told.filter(|(_, told)| is_planned && is_left(told));
        for job in left.filter_map(|(name, _)| wording::job_of_check(node, name)) {
            let unwanted = CheckWish { stands: Standing::Unwanted, url: None };
            wanted.entry(job).or_insert(unwanted);
        }
        wanted
    }

    /// Commits of which nobody speaks and whose check runs go on all the same.
    pub(in crate::reporter) fn abandoned(&self) -> Vec<CommitSha> {
        let spoken: BTreeSet<&CommitSha> =
            self.wishes.values().filter(|wish| wish.open).map(|wish| &wish.head).collect();
        let is_on =
            |told: &BTreeMap<String, ToldCheck>| told.values().any(|told| !told.state.has_ended());
        let all = self.told.checks.standing.iter();
        let abandoned = all.filter(|(head, told)| !spoken.contains(head) && is_on(told));
        abandoned.map(|(head, _)| head.clone()).collect()
    }

    /// Notes that nobody knows whether a check run was written.
    pub(in crate::reporter) fn doubt_check(&mut self, key: CheckKey) {
        self.check_doubts.insert(key);
    }

    /// Notes how a check run stands, if it is there.
    pub(in crate::reporter) fn saw_check(&mut self, key: &CheckKey, seen: Option<ToldCheck>) {
        self.check_doubts.remove(key);
        self.told.checks.unanswered.remove(key);
        if let Some(seen) = seen {
            self.told.checks.note(key.clone(), seen);
        }
    }

    /// Forgets check runs of commits that nobody speaks of, those first that were let go of first.
    pub(super) fn let_checks_go(&mut self, spoken: &BTreeSet<CommitSha>) {
        let Told { heads, checks, .. } = &mut self.told;
        let silent = heads.iter().filter(|head| !spoken.contains(head));
        let is_told = |head: &&CommitSha| checks.standing.contains_key(*head);
        let gone: Vec<CommitSha> =
            silent.rev().filter(is_told).skip(REMEMBERED_CHECKS).cloned().collect();
        for head in gone {
            checks.standing.remove(&head);
            checks.unanswered.retain(|(sha, _)| *sha != head);
            self.check_doubts.retain(|(sha, _)| *sha != head);
        }
    }
}

impl ToldChecks {
    pub(in crate::reporter) fn note(&mut self, key: CheckKey, told: ToldCheck) {
        self.unanswered.remove(&key);
        self.standing.entry(key.0).or_default().insert(key.1, told);
    }
}

impl ToldCheck {
    /// Whether it says already all that there is to say of a job that stands so.
    fn is_told(&self, stands: &Standing) -> bool {
        let is_same_run = match stands {
            Standing::Ended { .. } => self.reference == reference(stands) && self.is_complete,
            Standing::Running | Standing::Unwanted => true,
        };
        is_same_run && self.state == stands.state()
    }

    /// Whether it is the same run of the job of which more is to be said.
    fn goes_on_as(&self, stands: &Standing) -> bool {
        match stands {
            Standing::Unwanted => true,
            Standing::Running => !self.state.has_ended(),
            Standing::Ended { .. } => {
                !self.state.has_ended() || self.reference == reference(stands)
            }
        }
    }
}

impl From<StandingCheck> for ToldCheck {
    /// What others made of it is not known to be ours, and is written over.
    fn from(seen: StandingCheck) -> Self {
        let StandingCheck { id, reference, state, annotations } = seen;
        let state = state.unwrap_or(CheckState::Neutral);
        // How many there are to be is only known once they have been read.
        Self { id, reference, state, marks: annotations, is_complete: !state.has_ended() }
    }
}

/// What a check run is known by that tells of a job which stands so.
pub(in crate::reporter) fn reference(stands: &Standing) -> String {
    stands.attempt().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests;
