//! Pull requests as wire types.

use std::collections::{BTreeMap, BTreeSet};

use ci_build::{JobPhase, JobStatus, JobView, PullView};
use ci_domain::forge::{PullState, StatusState};
use ci_domain::ids::{ComponentName, JobId, PullNumber, RepoName};
use ci_domain::outcome::{JobResult, Outcome};
use ci_domain::wording;

use crate::moment::duration_ms;
use crate::seen::Unseen;
use crate::wire::{Job, JobState, PullDetail, PullEnd, PullSummary, Unmet, VerdictState};

pub(super) fn summary(repo: &RepoName, view: &PullView) -> PullSummary {
    let facts = view.facts.as_ref();
    PullSummary {
        repo: repo.to_string(),
        number: view.number.0,
        title: facts.map(|facts| facts.title.clone()),
        author: facts.map(|facts| facts.author.to_string()),
        head: facts.map(|facts| facts.head.sha.to_string()),
        base: facts.map(|facts| facts.base.to_string()),
        draft: facts.is_some_and(|facts| facts.draft),
        opened_ms: facts.map(|facts| facts.created_at.0 * 1000),
        state: state(view.verdict.state),
        description: view.verdict.description.clone(),
        building: view.build.is_some(),
        ended: facts.and_then(|facts| end(facts.state)),
    }
}

fn end(state: PullState) -> Option<PullEnd> {
    match state {
        PullState::Open => None,
        PullState::Closed => Some(PullEnd::Closed),
        PullState::Merged => Some(PullEnd::Merged),
    }
}

/// A pull request whose actor does not answer.
pub(super) fn silent(repo: &RepoName, number: PullNumber, error: &Unseen) -> PullSummary {
    PullSummary {
        repo: repo.to_string(),
        number: number.0,
        title: None,
        author: None,
        head: None,
        base: None,
        draft: false,
        opened_ms: None,
        state: VerdictState::Unknown,
        description: format!("failed to {}", crate::problem::chain(error)),
        building: false,
        ended: None,
    }
}

pub(super) fn detail(repo: &RepoName, view: &PullView) -> PullDetail {
    let unmet = view.verdict.unmet.iter();
    PullDetail {
        pull: summary(repo, view),
        unmet: unmet
            .map(|unmet| Unmet { condition: unmet.condition.clone(), met_by: unmet.met_by.clone() })
            .collect(),
        merge: view.merge.as_ref().map(ToString::to_string),
        build: view.build.map(|build| build.0),
        last_build: view.last_build.0,
        awaits_leave: view.awaits_leave,
        affected: view.affected.iter().map(ToString::to_string).collect(),
        depends: depends(&view.depends),
        jobs: view.jobs.iter().map(job).collect(),
        findings: view.findings.clone(),
        policy_error: view.policy_error.clone(),
    }
}

pub(super) fn depends(
    graph: &BTreeMap<ComponentName, BTreeSet<ComponentName>>,
) -> BTreeMap<String, Vec<String>> {
    let texts = |names: &BTreeSet<ComponentName>| names.iter().map(ToString::to_string).collect();
    graph.iter().map(|(name, on)| (name.to_string(), texts(on))).collect()
}

pub(super) fn state(state: StatusState) -> VerdictState {
    match state {
        StatusState::Pending => VerdictState::Pending,
        StatusState::Success => VerdictState::Success,
        StatusState::Failure => VerdictState::Failure,
        StatusState::Error => VerdictState::Error,
    }
}

pub(super) fn job(view: &JobView) -> Job {
    let blank = Job {
        job: view.job.to_string(),
        state: JobState::Pending,
        required: view.required,
        attempt: None,
        queue: None,
        since_ms: None,
        duration_ms: None,
        reason: None,
    };
    match &view.status {
        JobStatus::Pending => blank,
        JobStatus::Blocked(by) => {
            let by: Vec<&JobId> = by.iter().collect();
            Job { state: JobState::Blocked, reason: Some(wording::needs(&by)), ..blank }
        }
        JobStatus::AwaitingApproval => Job { state: JobState::AwaitingApproval, ..blank },
        JobStatus::UnderWay(attempt, phase) => {
            let blank = Job { attempt: Some(attempt.to_string()), ..blank };
            match phase {
                JobPhase::Waiting { queue, ahead, .. } => Job {
                    state: JobState::Waiting,
                    queue: Some(queue.clone()),
                    reason: ahead.map(wording::ahead_in_line),
                    ..blank
                },
                JobPhase::Running { since } => {
                    Job { state: JobState::Running, since_ms: Some(since.0), ..blank }
                }
                JobPhase::Cancelling => Job { state: JobState::Cancelling, ..blank },
            }
        }
        JobStatus::Ended(outcome) => ended(outcome, blank),
    }
}

fn ended(outcome: &Outcome, blank: Job) -> Job {
    let (state, reason) = match &outcome.result {
        JobResult::Passed => (JobState::Passed, None),
        JobResult::Failed => (JobState::Failed, None),
        JobResult::Crashed { reason } => (JobState::Crashed, Some(reason.clone())),
        JobResult::Cancelled => (JobState::Cancelled, None),
    };
    Job {
        state,
        reason,
        attempt: outcome.attempt.as_ref().map(ToString::to_string),
        duration_ms: Some(duration_ms(outcome.duration)),
        ..blank
    }
}
