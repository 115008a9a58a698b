//! What is asked of pull requests: retry, force, cancel.

use std::fmt;

use axum::Json;
use axum::extract::State;
use ci_build::AskError;
use ci_domain::forge::ForceTarget;
use ci_domain::ids::{CommitSha, JobId, Login, PullNumber, RepoName};
use ci_domain::pull::{Refusal, Request};

use super::place::{Given, PullPath};
use crate::access::{Allowed, Build};
use crate::audit;
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{JobAction, Jobs};

/// Something that is asked of a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Run again what did not pass.
    Retry(Option<JobId>),
    /// Run even what passed, on a fresh workspace if need be.
    Force(ForceTarget, Workspace),
    /// Stop what runs.
    Cancel(Option<JobId>),
    /// Let the commands of this head run.
    ApproveRun(CommitSha),
}

/// What the workspace of a forced build is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workspace {
    /// What is there.
    Kept,
    /// Nothing but the tree.
    Fresh,
}

pub(super) async fn retry(
    State(site): State<Site>,
    allowed: Allowed<Build>,
    PullPath(repo, number): PullPath,
    Given(asked): Given<JobAction>,
) -> Result<Json<Jobs>, Problem> {
    let action = Action::Retry(job(asked)?);
    Ok(Json(act(&site, &repo, number, action, allowed.0.login()).await?))
}

pub(super) async fn force(
    State(site): State<Site>,
    allowed: Allowed<Build>,
    PullPath(repo, number): PullPath,
    Given(asked): Given<JobAction>,
) -> Result<Json<Jobs>, Problem> {
    let target = target(asked.job.as_deref())?;
    let workspace = if asked.clean { Workspace::Fresh } else { Workspace::Kept };
    let action = Action::Force(target, workspace);
    Ok(Json(act(&site, &repo, number, action, allowed.0.login()).await?))
}

pub(super) async fn cancel(
    State(site): State<Site>,
    allowed: Allowed<Build>,
    PullPath(repo, number): PullPath,
    Given(asked): Given<JobAction>,
) -> Result<Json<Jobs>, Problem> {
    let action = Action::Cancel(job(asked)?);
    Ok(Json(act(&site, &repo, number, action, allowed.0.login()).await?))
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry(None) => f.write_str("retry"),
            Self::Retry(Some(job)) => write!(f, "retry {job}"),
            Self::Force(ForceTarget::All, _) => f.write_str("force all"),
            Self::Force(ForceTarget::Job(job), _) => write!(f, "force {job}"),
            Self::Cancel(None) => f.write_str("cancel"),
            Self::Cancel(Some(job)) => write!(f, "cancel {job}"),
            Self::ApproveRun(commit) => write!(f, "let {commit} run"),
        }
    }
}

/// Asks a pull request for something.
pub(crate) async fn act(
    site: &Site,
    repo: &RepoName,
    number: PullNumber,
    action: Action,
    by: Login,
) -> Result<Jobs, Problem> {
    audit::say(action.to_string());
    let request = match action {
        Action::Retry(job) => Request::Retry(job),
        Action::Cancel(job) => Request::Cancel(job),
        Action::ApproveRun(commit) => Request::ApproveRun(commit),
        Action::Force(target, workspace) => {
            if workspace == Workspace::Fresh {
                ask(site, repo, number, Request::Reseed, by.clone()).await?;
            }
            Request::Force(target)
        }
    };
    ask(site, repo, number, request, by).await
}

async fn ask(
    site: &Site,
    repo: &RepoName,
    number: PullNumber,
    request: Request,
    by: Login,
) -> Result<Jobs, Problem> {
    match site.node().request(repo, number, request, by).await {
        Ok(Ok(jobs)) => Ok(Jobs { jobs: jobs.iter().map(ToString::to_string).collect() }),
        Ok(Err(refusal @ Refusal::UnknownJob { .. })) => {
            Err(Problem::not_found(refusal.to_string()))
        }
        Ok(Err(refusal)) => Err(Problem::conflict(refusal.to_string())),
        Err(AskError::NoPull(..)) => Err(not_there(site, repo, number).await),
        Err(error) => Err(error.into()),
    }
}

/// A pull request that was given up has no actor, but it is there.
async fn not_there(site: &Site, repo: &RepoName, number: PullNumber) -> Problem {
    let quarantined = match site.node().watcher(repo).await {
        Ok(view) => view.quarantined,
        Err(error) => return error.into(),
    };
    match quarantined.into_iter().find(|(given_up, _)| *given_up == number) {
        Some((_, reason)) => {
            Problem::conflict(format!("the pull request is quarantined: {reason}"))
        }
        None => AskError::NoPull(repo.clone(), number).into(),
    }
}

/// What is to be forced.
pub(super) fn target(job: Option<&str>) -> Result<ForceTarget, Problem> {
    match job {
        None => Err(Problem::bad_request("`job` is missing: a job, or `all`")),
        Some("all") => Ok(ForceTarget::All),
        Some(text) => Ok(ForceTarget::Job(job_id(text)?)),
    }
}

/// One job or all, of which none begins anew.
fn job(asked: JobAction) -> Result<Option<JobId>, Problem> {
    if asked.clean {
        return Err(Problem::bad_request("`clean` is for what is forced"));
    }
    asked.job.as_deref().map(job_id).transpose()
}

fn job_id(text: &str) -> Result<JobId, Problem> {
    text.parse().map_err(|error: ci_domain::ids::InvalidId| Problem::bad_request(error.to_string()))
}
