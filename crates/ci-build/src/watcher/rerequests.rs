//! Somebody wants checks again, by a button of the forge.
//!
//! | wanted | a pull request whose head it is | a branch whose tip it is |
//! |---|---|---|
//! | all of a commit | the same as `/ci retry` | what did not pass is forced |
//! | one job | that job is forced | that job is forced |
//! | one job, from scratch | the same in a fresh workspace | the same in a fresh workspace |
//!
//! The button stands below what has ended, so one job runs again whatever came of it; but only if nothing
//! came of it since, so that an event that is heard of twice has its effect once.

use ci_domain::forge::{CheckAgain, ForceTarget};
use ci_domain::ids::{BranchName, CommitSha, JobId, Login, PullNumber};
use ci_domain::outcome::Outcome;
use ci_domain::pull::Request;
use ci_domain::wording;
use ci_github::ForgeError;
use heights::{CallError, Fault, Recipient};
use tracing::{info, warn};

use crate::branch::{BranchHandle, Which};
use crate::errand::errand;
use crate::pull::PullHandle;
use crate::queues::FORGE_READ;
use crate::view::{JobStatus, JobView};
use crate::watcher::Watcher;
use crate::watcher::comments::may_command;
use crate::watcher::reads::{lost, refused};

/// What somebody wants again, and who.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) sha: CommitSha,
    pub(super) by: Login,
    pub(super) check: Option<CheckAgain>,
}

/// Who can have it run again.
struct Subjects {
    pulls: Vec<(PullNumber, PullHandle)>,
    branches: Vec<(BranchName, BranchHandle)>,
}

/// One job, and the run of it that is on show.
struct Shown {
    job: JobId,
    reference: String,
    afresh: bool,
}

impl Watcher {
    /// Asks whether who wants it may command, and has it run again. Where the forge does not answer,
    /// nothing is told: the delivery stays pending and comes again.
    pub(super) async fn rerequest(
        &self,
        wanted: Wanted,
        done: Vec<Recipient<()>>,
    ) -> Result<(), Fault> {
        if self.known.policy_tip().is_none() {
            // Nothing is known before the first poll: it comes again.
            return Ok(());
        }
        let subjects = self.subjects_at(&wanted.sha);
        if subjects.pulls.is_empty() && subjects.branches.is_empty() {
            done.iter().for_each(|done| done.tell(()));
            return Ok(());
        }
        let elders = &self.args.elders;
        let node = &elders.voice.node;
        let shown = wanted.check.and_then(|check| Shown::of(node, check));
        let (forge, repo, by) = (elders.forge.clone(), elders.repo.clone(), wanted.by.clone());
        let queue = elders.queues.required(FORGE_READ).clone();
        let again = async move {
            let permit = queue.acquire().await.map_err(refused)?;
            let may = may_command(&forge, &repo, &by).await?;
            drop(permit);
            if !may {
                info!(%repo, %by, "checks wanted again by someone without write access");
                return Ok(());
            }
            // Whoever does not answer is being restarted.
            let gone = |error: CallError| ForgeError::Transient {
                reason: error.to_string(),
                retry_after: None,
            };
            subjects.run_again(shown.as_ref(), &by).await.map_err(gone)
        };
        let (repo, by) = (elders.repo.clone(), wanted.by);
        let tell = move |result: Result<Result<(), ForgeError>, _>| {
            match result.unwrap_or_else(|error| Err(lost(error))) {
                Err(error) if error.is_passing() => {
                    warn!(%repo, %by, %error, "failed to ask who wants checks again; it is asked again");
                    return;
                }
                Err(error) => warn!(%repo, %by, %error, "failed to ask who wants checks again"),
                Ok(()) => {}
            }
            done.iter().for_each(|done| done.tell(()));
        };
        errand(&elders.errands, "rerequest", again, tell).await
    }

    /// A head of the merge queue is the tip of a branch.
    fn subjects_at(&self, sha: &CommitSha) -> Subjects {
        let facts = self.known.facts_of(|facts| facts.head.sha == *sha);
        let pull = |number| Some((number, self.args.registry.lookup(&number)?));
        let built = self.known.built().filter(|name| self.known.tip(name).as_ref() == Some(sha));
        let branch =
            |name: &BranchName| Some((name.clone(), self.args.branch_registry.lookup(name)?));
        Subjects {
            pulls: facts.iter().filter_map(|facts| pull(facts.number)).collect(),
            branches: built.filter_map(branch).collect(),
        }
    }
}

impl Subjects {
    async fn run_again(&self, shown: Option<&Shown>, by: &Login) -> Result<(), CallError> {
        for (number, pull) in &self.pulls {
            for request in requests(shown, pull).await? {
                match pull.request(request, by.clone(), None).await? {
                    Ok(jobs) => info!(pull = %number, %by, ?jobs, "checks run again"),
                    Err(refusal) => info!(pull = %number, %by, %refusal, "no checks to run again"),
                }
            }
        }
        for (name, branch) in &self.branches {
            let jobs = branch.view().await?.jobs;
            let is_wanted = |job: &&JobView| match shown {
                Some(shown) => shown.is_of(job),
                None => outcome(job).is_some_and(|outcome| !outcome.result.is_passed()),
            };
            for job in jobs.iter().filter(is_wanted) {
                if shown.is_some_and(|shown| shown.afresh) {
                    branch.reseed(by.clone());
                }
                let target = ForceTarget::Job(job.job.clone());
                match branch.force(Which::OnPush, target, by.clone()).await? {
                    Ok(jobs) => info!(branch = %name, %by, ?jobs, "checks run again"),
                    Err(refusal) => info!(branch = %name, %by, %refusal, "no checks to run again"),
                }
            }
        }
        Ok(())
    }
}

/// What is asked of a pull request, in this order.
async fn requests(shown: Option<&Shown>, pull: &PullHandle) -> Result<Vec<Request>, CallError> {
    let Some(shown) = shown else { return Ok(vec![Request::Retry(None)]) };
    if !pull.view().await?.jobs.iter().any(|job| shown.is_of(job)) {
        return Ok(Vec::new());
    }
    let reseed = shown.afresh.then_some(Request::Reseed);
    let force = Request::Force(ForceTarget::Job(shown.job.clone()));
    Ok(reseed.into_iter().chain([force]).collect())
}

impl Shown {
    /// `None` where the check run is not of a job of ours.
    fn of(node: &str, check: CheckAgain) -> Option<Self> {
        let CheckAgain { name, reference, afresh } = check;
        Some(Self { job: wording::job_of_check(node, &name)?, reference, afresh })
    }

    /// Whether this is the job, and nothing came of it since.
    fn is_of(&self, view: &JobView) -> bool {
        let attempt = |outcome: &Outcome| {
            outcome.attempt.as_ref().map(ToString::to_string).unwrap_or_default()
        };
        view.job == self.job && outcome(view).is_some_and(|found| attempt(found) == self.reference)
    }
}

fn outcome(view: &JobView) -> Option<&Outcome> {
    match &view.status {
        JobStatus::Ended(outcome) => Some(outcome),
        _ => None,
    }
}
