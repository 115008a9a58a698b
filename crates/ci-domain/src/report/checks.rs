//! The check runs that a forge should show for an app: one for each job that runs or has ended.
//!
//! The umbrella has none: GitHub gives up on check runs that have not ended after fourteen days, which a
//! pull request that waits for approval may well need, and whoever requires a name that both a status and
//! a check run have waits for both.

use std::collections::{BTreeMap, BTreeSet};

use crate::branch::Branch;
use crate::forge::CheckState;
use crate::ids::{AttemptId, CommitSha, JobId};
use crate::outcome::{JobResult, Outcome};
use crate::outline::Outline;
use crate::pull::Pull;
use crate::report::{Place, Voice};

/// A check run that should exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckWish {
    /// What it tells of the job.
    pub stands: Standing,
    /// Where people are sent for details, where there is such a place.
    pub url: Option<String>,
}

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its turn has come.
    Running,
    /// It has ended.
    Ended {
        /// How.
        result: JobResult,
        /// The attempt that ended so.
        attempt: Option<AttemptId>,
        /// Whether it never blocks.
        optional: bool,
    },
    /// It was begun, or failed, and is not wanted any more.
    Unwanted,
}

impl Standing {
    /// How far its check run has come.
    #[must_use]
    pub fn state(&self) -> CheckState {
        match self {
            Self::Running => CheckState::Running,
            Self::Unwanted => CheckState::Neutral,
            Self::Ended { result: JobResult::Passed, .. } => CheckState::Success,
            Self::Ended { result: JobResult::Cancelled, .. } => CheckState::Cancelled,
            Self::Ended { optional: true, .. } => CheckState::Neutral,
            Self::Ended { .. } => CheckState::Failure,
        }
    }

    /// The attempt that it tells of.
    #[must_use]
    pub fn attempt(&self) -> Option<&AttemptId> {
        match self {
            Self::Ended { attempt, .. } => attempt.as_ref(),
            Self::Running | Self::Unwanted => None,
        }
    }
}

impl Pull {
    pub(super) fn checks(&self, voice: &Voice) -> Option<BTreeMap<JobId, CheckWish>> {
        let head = &self.facts()?.head.sha;
        let build = self.build().filter(|build| !build.superseded && build.spec.head == *head);
        let under_way = build.map(|build| &build.pending);
        Some(checks(self.outline()?, &self.outcomes(), under_way, &self.place(voice)))
    }
}

impl Branch {
    pub(crate) fn checks(&self, place: &Place<'_>) -> Option<BTreeMap<JobId, CheckWish>> {
        let is_of_tip = |commit: &CommitSha| self.tip().is_some_and(|tip| tip.commit == *commit);
        let build = self.memory().build.as_ref();
        let build = build.filter(|b| !b.superseded && b.night.is_none() && is_of_tip(&b.spec.head));
        let ours = build.map(|build| build.spec.jobs.keys().cloned().collect::<BTreeSet<_>>());
        Some(checks(self.outline()?, self.outcomes(), ours.as_ref(), place))
    }
}

/// One for each job that has ended, and for those `under_way` whose needs have passed.
fn checks(
    outline: &Outline,
    outcomes: &BTreeMap<JobId, Outcome>,
    under_way: Option<&BTreeSet<JobId>>,
    place: &Place<'_>,
) -> BTreeMap<JobId, CheckWish> {
    let has_passed = |id: &JobId| outcomes.get(id).is_some_and(|o| o.result.is_passed());
    let is_on = |id: &JobId| {
        !outcomes.contains_key(id)
            && outline.jobs.get(id).is_some_and(|job| job.needs.iter().all(has_passed))
    };
    let running = under_way.into_iter().flatten().filter(|id| is_on(id)).map(|id| {
        (
            id.clone(),
            CheckWish { stands: Standing::Running, url: Some(format!("{}#{id}", place.url)) },
        )
    });
    let ended = outcomes.iter().filter(|(id, _)| outline.jobs.contains_key(id)).map(|(id, o)| {
        let optional = outline.jobs.get(id).is_some_and(|job| job.optional);
        let (result, attempt) = (o.result.clone(), o.attempt.clone());
        let stands = Standing::Ended { result, attempt, optional };
        (id.clone(), CheckWish { stands, url: Some(place.log_url(id, o.attempt.as_ref())) })
    });
    running.chain(ended).collect()
}
