//! What people are shown of pull requests and branches, as plain values: pages and the command line draw from these.

use std::collections::{BTreeMap, BTreeSet};

use ci_domain::branch::{Branch, NightRun, NightStanding};
use ci_domain::forge::{PullFacts, StatusState};
use ci_domain::gate::Verdict;
use ci_domain::ids::{
    AttemptId, BranchName, BuildNumber, CommitSha, ComponentName, JobId, Login, PullNumber,
};
use ci_domain::may_run::{MayRun, Reason};
use ci_domain::outcome::Outcome;
use ci_domain::outline::{Outline, Preparation, Prepared};
use ci_domain::pipeline::When;
use ci_domain::pull::Pull;
use ci_domain::wording;

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
    /// Whether its head waits for somebody with write access to let its commands run.
    pub awaits_leave: bool,
    /// The merge that is built.
    pub merge: Option<CommitSha>,
    /// The build under way.
    pub build: Option<BuildNumber>,
    /// The number of the last build; 0 before the first.
    pub last_build: BuildNumber,
    /// The components that the change affects.
    pub affected: Vec<ComponentName>,
    /// What each of those depends on.
    pub depends: BTreeMap<ComponentName, BTreeSet<ComponentName>>,
    /// Its jobs.
    pub jobs: Vec<JobView>,
    /// What is wrong with its pipeline, or missing for it, in full.
    pub findings: Vec<String>,
    /// Why the policy at the tip of the default branch does not hold, where an earlier one does.
    pub policy_error: Option<String>,
}

/// One branch that is built on push.
#[derive(Clone, Debug)]
pub struct BranchView {
    /// Its name.
    pub name: BranchName,
    /// The commit that it points to; `None` before that was read.
    pub tip: Option<CommitSha>,
    /// How the tip stands.
    pub state: StatusState,
    /// The same in words.
    pub description: String,
    /// The build under way.
    pub build: Option<BuildNumber>,
    /// The number of the last build; 0 before the first.
    pub last_build: BuildNumber,
    /// The last tip that was built to the end.
    pub built: Option<CommitSha>,
    /// The components that were affected since the tip that was built before this one.
    pub affected: Vec<ComponentName>,
    /// What each of those depends on.
    pub depends: BTreeMap<ComponentName, BTreeSet<ComponentName>>,
    /// The jobs of the tip.
    pub jobs: Vec<JobView>,
    /// The nightly jobs of the tip.
    pub nightly: Vec<NightView>,
    /// What is wrong with its pipeline, in full.
    pub findings: Vec<String>,
    /// Why the policy at the tip of the default branch does not hold, where an earlier one does.
    pub policy_error: Option<String>,
}

/// One nightly job of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NightView {
    /// The job, as it is now or ended last.
    pub job: JobView,
    /// What it waits for.
    pub standing: NightStanding,
    /// Who has asked for it, where it has not run since.
    pub asked_by: Option<Login>,
    /// Its runs, the latest last.
    pub runs: Vec<NightRun>,
}

/// One job of a pull request or branch.
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
    /// These needs of it, near or far, did not pass.
    Blocked(Vec<JobId>),
    /// It waits for the approval of the pull request.
    AwaitingApproval,
    /// An attempt is under way.
    UnderWay(AttemptId, JobPhase),
    /// It has ended.
    Ended(Outcome),
}

impl JobView {
    /// Where the job waits for its turn, and for how many, if it does.
    pub(crate) fn waits(&self) -> Option<String> {
        let JobStatus::UnderWay(_, JobPhase::Waiting { queue, ahead, .. }) = &self.status else {
            return None;
        };
        let reason = ahead.map(wording::ahead_in_line);
        Some(wording::waits(&self.job.to_string(), queue, reason.as_deref()))
    }
}

impl PullView {
    /// Describes `pull`; `progress` is what its build told last.
    pub(crate) fn new(pull: &Pull, progress: Option<&Progress>) -> Self {
        let prepared = pull.prepared();
        Self {
            number: pull.config().number,
            facts: pull.facts().cloned(),
            verdict: pull.verdict(),
            awaits_leave: pull.may_run() == MayRun::No(Reason::AwaitingApproval),
            merge: pull.planned().map(|(merge, _)| merge.clone()),
            build: pull.build().map(|build| build.spec.number),
            last_build: BuildNumber(pull.builds()),
            affected: affected(pull.outline()),
            depends: depends(pull.outline()),
            jobs: jobs_of_pull(pull, progress),
            findings: findings(prepared),
            policy_error: prepared.and_then(|prepared| prepared.policy_error.clone()),
        }
    }
}

impl BranchView {
    /// Whether an attempt's id is of a build of this branch: `<repository>-t<digest of the name>-b…`.
    #[must_use]
    pub fn owns(&self, attempt: &AttemptId) -> bool {
        let (_, rest) = attempt.as_str().split_once('-').unwrap_or_default();
        rest.starts_with(&format!("t{}-b", crate::repo::key(&self.name)))
    }

    /// Describes `branch`; `progress` is what its build told last.
    pub(crate) fn new(branch: &Branch, progress: Option<&Progress>) -> Self {
        let (state, description) = branch.standing();
        Self {
            name: branch.config().name.clone(),
            tip: branch.tip().map(|tip| tip.commit.clone()),
            state,
            description,
            build: branch.build().map(|build| build.spec.number),
            last_build: BuildNumber(branch.memory().builds),
            built: branch.memory().built.clone(),
            affected: affected(branch.outline()),
            depends: depends(branch.outline()),
            jobs: jobs_of_branch(branch, progress),
            nightly: nights_of(branch, progress),
            findings: findings(branch.prepared()),
            policy_error: branch.prepared().and_then(|prepared| prepared.policy_error.clone()),
        }
    }
}

fn nights_of(branch: &Branch, progress: Option<&Progress>) -> Vec<NightView> {
    let nights = branch.nights();
    let view = |(id, standing): (JobId, NightStanding)| {
        let under_way = progress.and_then(|progress| progress.get(&id)).cloned();
        let status = match (under_way, nights.last(&id)) {
            (Some((attempt, phase)), _) => JobStatus::UnderWay(attempt, phase),
            (None, Some(run)) => JobStatus::Ended(run.outcome.clone()),
            (None, None) => JobStatus::Pending,
        };
        NightView {
            standing,
            asked_by: nights.forced.get(&id).cloned(),
            runs: nights.runs.get(&id).cloned().unwrap_or_default(),
            job: JobView { job: id, status, required: false },
        }
    };
    branch.night_standings().into_iter().map(view).collect()
}

fn affected(outline: Option<&Outline>) -> Vec<ComponentName> {
    outline.map(|outline| outline.affected.iter().cloned().collect()).unwrap_or_default()
}

fn depends(outline: Option<&Outline>) -> BTreeMap<ComponentName, BTreeSet<ComponentName>> {
    outline.map(|outline| outline.depends.clone()).unwrap_or_default()
}

fn findings(prepared: Option<&Prepared>) -> Vec<String> {
    match prepared.map(|prepared| &prepared.result) {
        Some(Preparation::Invalid { findings, .. }) => findings.clone(),
        Some(Preparation::Planned { outline, .. }) => outline.hints.clone(),
        _ => Vec::new(),
    }
}

fn jobs_of_pull(pull: &Pull, progress: Option<&Progress>) -> Vec<JobView> {
    let Some(outline) = pull.outline() else { return Vec::new() };
    let waits = |when: When| when == When::Approved && !pull.is_approved();
    jobs(outline, &pull.outcomes(), progress, |id| pull.is_forced(id), waits)
}

fn jobs_of_branch(branch: &Branch, progress: Option<&Progress>) -> Vec<JobView> {
    let Some(outline) = branch.outline() else { return Vec::new() };
    jobs(outline, branch.outcomes(), progress, |id| branch.is_forced(id), |_| false)
}

/// The jobs that are affected, forced, under way or have ended.
fn jobs(
    outline: &Outline,
    outcomes: &BTreeMap<JobId, Outcome>,
    progress: Option<&Progress>,
    is_forced: impl Fn(&JobId) -> bool,
    waits: impl Fn(When) -> bool,
) -> Vec<JobView> {
    let under_way = |id: &JobId| progress.and_then(|progress| progress.get(id)).cloned();
    let is_of_interest = |id: &JobId| {
        outline.is_affected(id)
            || outcomes.contains_key(id)
            || is_forced(id)
            || under_way(id).is_some()
    };
    let status = |id: &JobId, when: When| match (under_way(id), outcomes.get(id)) {
        (Some((attempt, phase)), _) => JobStatus::UnderWay(attempt, phase),
        (None, Some(outcome)) => JobStatus::Ended(outcome.clone()),
        (None, None) => match outline.blockers(id, outcomes) {
            blockers if !blockers.is_empty() => {
                JobStatus::Blocked(blockers.into_iter().cloned().collect())
            }
            _ if waits(when) => JobStatus::AwaitingApproval,
            _ => JobStatus::Pending,
        },
    };
    let jobs = outline.jobs.iter().filter(|(id, _)| is_of_interest(id));
    jobs.map(|(id, job)| JobView {
        job: id.clone(),
        status: status(id, job.when),
        required: outline.is_affected(id) && !job.optional,
    })
    .collect()
}
