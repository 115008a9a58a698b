//! Branches, and running their jobs again.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use ci_domain::branch::BranchRefusal;
use ci_domain::forge::ForceTarget;
use ci_domain::ids::JobId;
use ci_domain::subject::escaped;

use super::action::target;
use super::paging::WantedPart;
use super::place::{Asked, BranchPath, Given, RepoPath};
use crate::access::{Allowed, Build, Look};
use crate::ask;
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{BranchDetail, JobAction, Jobs, Nightly};

pub(super) async fn list(
    State(site): State<Site>,
    _: Allowed<Look>,
    RepoPath(repo): RepoPath,
    Asked(wanted): WantedPart<String>,
) -> Result<Response, Problem> {
    let mut built = site.watcher(&repo).await?.branches.clone();
    let names: Vec<String> = built.iter().map(ToString::to_string).collect();
    let list = format!("/api/v1/repos/{repo}/branches");
    let part = wanted.part(&names)?;
    built.retain(|name| part.keys.binary_search_by(|key| key.as_str().cmp(name.as_str())).is_ok());
    let last = built.last().map(escaped);
    let branches = ask::branch_summaries(&site, &repo, built).await;
    Ok(part.answer(&list, last.as_deref(), &branches))
}

pub(super) async fn show(
    State(site): State<Site>,
    _: Allowed<Look>,
    BranchPath(repo, name): BranchPath,
) -> Result<Json<BranchDetail>, Problem> {
    let view = ask::branch(&site, &repo, &name).await?;
    Ok(Json(ask::branch_detail(&repo, &view)))
}

pub(super) async fn force(
    State(site): State<Site>,
    allowed: Allowed<Build>,
    BranchPath(repo, name): BranchPath,
    Given(asked): Given<JobAction>,
) -> Result<Json<Jobs>, Problem> {
    let target = unclean(&asked, "they begin with the workspace of a branch")?;
    answer(site.node().force_branch(&repo, &name, target, allowed.0.login()).await?)
}

pub(super) async fn nightly(
    State(site): State<Site>,
    _: Allowed<Look>,
    RepoPath(repo): RepoPath,
) -> Result<Json<Nightly>, Problem> {
    Ok(Json(ask::nightly(&site, &repo).await?))
}

pub(super) async fn force_nightly(
    State(site): State<Site>,
    allowed: Allowed<Build>,
    BranchPath(repo, name): BranchPath,
    Given(asked): Given<JobAction>,
) -> Result<Json<Jobs>, Problem> {
    let target = unclean(&asked, "nightly jobs use the workspace of their branch")?;
    answer(site.node().force_nightly(&repo, &name, target, allowed.0.login()).await?)
}

/// What is asked for, unless it is to begin with a clean workspace.
fn unclean(asked: &JobAction, why_not: &str) -> Result<ForceTarget, Problem> {
    if asked.clean {
        return Err(Problem::bad_request(format!("`clean` is for pull requests: {why_not}")));
    }
    target(asked.job.as_deref())
}

fn answer(forced: Result<Vec<JobId>, BranchRefusal>) -> Result<Json<Jobs>, Problem> {
    match forced {
        Ok(jobs) => Ok(Json(Jobs { jobs: jobs.iter().map(ToString::to_string).collect() })),
        Err(refusal) => Err(match refusal {
            BranchRefusal::NotBuilt(_)
            | BranchRefusal::UnknownJob { .. }
            | BranchRefusal::UnknownNightly { .. } => Problem::not_found(refusal.to_string()),
            BranchRefusal::NotPlanned(_) | BranchRefusal::Blocked { .. } => {
                Problem::conflict(refusal.to_string())
            }
        }),
    }
}
