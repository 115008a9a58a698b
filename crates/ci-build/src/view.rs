//! What people are shown of pull requests, as plain values: pages and the command line draw from these.

use std::collections::BTreeMap;

use ci_domain::forge::PullFacts;
use ci_domain::gate::Verdict;
use ci_domain::ids::{AttemptId, BuildNumber, CommitSha, ComponentName, JobId, PullNumber};
use ci_domain::outcome::Outcome;
use ci_domain::outline::Preparation;
use ci_domain::pipeline::When;
use ci_domain::pull::Pull;

use crate::build::Progress;
use crate::job::JobPhase;

/// One pull request.
#[derive(Clone, Debug)]
pub struct PullView {
    /// Its number.
    pub number: PullNumber,
    /// What the forge says of it; `None` before it was read.
    pub facts: Option<PullFacts>,
    /// What the gate says.
    pub verdict: Verdict,
    /// The merge that is built.
    pub merge: Option<CommitSha>,
    /// The build under way.
    pub build: Option<BuildNumber>,
    /// The components that the change affects.
    pub affected: Vec<ComponentName>,
    /// Its jobs.
    pub jobs: Vec<JobView>,
    /// What is wrong with its pipeline, in full.
    pub findings: Vec<String>,
    /// Why the policy at the tip of the default branch does not hold, where an earlier one does.
    pub policy_error: Option<String>,
}

/// One job of a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobView {
    /// The job.
    pub job: JobId,
    /// How far it is.
    pub status: JobStatus,
    /// Whether the gate looks at it.
    pub required: bool,
}

/// How far a job is, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobStatus {
    /// Nothing of it has begun.
    Pending,
    /// A need of it did not pass.
    Blocked,
    /// It waits for the approval of the pull request.
    AwaitingApproval,
    /// An attempt is under way.
    UnderWay(AttemptId, JobPhase),
    /// It has ended.
    Ended(Outcome),
}

impl PullView {
    /// Describes `pull`; `progress` is what its build told last.
    pub(crate) fn new(pull: &Pull, progress: Option<&Progress>) -> Self {
        let prepared = pull.prepared();
        let (merge, findings) = match prepared.map(|prepared| &prepared.result) {
            Some(Preparation::Planned { merge, .. }) => (Some(merge.clone()), Vec::new()),
            Some(Preparation::Invalid { findings, .. }) => (None, findings.clone()),
            Some(Preparation::Conflict { .. }) | None => (None, Vec::new()),
        };
        Self {
            number: pull.config().number,
            facts: pull.facts().cloned(),
            verdict: pull.verdict(),
            merge,
            build: pull.build().map(|build| build.spec.number),
            affected: pull
                .outline()
                .map(|o| o.affected.iter().cloned().collect())
                .unwrap_or_default(),
            jobs: jobs(pull, progress),
            findings,
            policy_error: prepared.and_then(|prepared| prepared.policy_error.clone()),
        }
    }
}

fn jobs(pull: &Pull, progress: Option<&Progress>) -> Vec<JobView> {
    let Some(outline) = pull.outline() else { return Vec::new() };
    let outcomes: BTreeMap<JobId, Outcome> = pull.outcomes();
    let under_way = |id: &JobId| progress.and_then(|progress| progress.get(id)).cloned();
    let is_of_interest = |id: &JobId| {
        outline.is_affected(id)
            || outcomes.contains_key(id)
            || pull.is_forced(id)
            || under_way(id).is_some()
    };
    let status = |id: &JobId, when: When| match (under_way(id), outcomes.get(id)) {
        (Some((attempt, phase)), _) => JobStatus::UnderWay(attempt, phase),
        (None, Some(outcome)) => JobStatus::Ended(outcome.clone()),
        (None, None) if outline.is_blocked(id, &outcomes) => JobStatus::Blocked,
        (None, None) if when == When::Approved && !pull.is_approved() => {
            JobStatus::AwaitingApproval
        }
        (None, None) => JobStatus::Pending,
    };
    let jobs = outline.jobs.iter().filter(|(id, _)| is_of_interest(id));
    jobs.map(|(id, job)| JobView {
        job: id.clone(),
        status: status(id, job.when),
        required: outline.is_affected(id) && !job.optional,
    })
    .collect()
}
