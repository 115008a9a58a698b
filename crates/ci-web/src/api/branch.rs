//! Branches, and running their jobs again.

use axum::Json;
use axum::extract::State;
use ci_domain::branch::BranchRefusal;

use super::action::target;
use super::place::{BranchPath, Given, RepoPath};
use crate::access::{Allowed, Build, Look};
use crate::ask;
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{BranchDetail, BranchSummary, JobAction, Jobs};

pub(super) async fn list(
    State(site): State<Site>,
    _: Allowed<Look>,
    RepoPath(repo): RepoPath,
) -> Result<Json<Vec<BranchSummary>>, Problem> {
    Ok(Json(ask::branches(&site, &repo).await?))
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
    if asked.clean {
        let detail = "`clean` is for pull requests: they begin with the workspace of a branch";
        return Err(Problem::bad_request(detail));
    }
    let target = target(asked.job.as_deref())?;
    match site.node().force_branch(&repo, &name, target, allowed.0.login()).await? {
        Ok(jobs) => Ok(Json(Jobs { jobs: jobs.iter().map(ToString::to_string).collect() })),
        Err(refusal @ (BranchRefusal::NotBuilt(_) | BranchRefusal::UnknownJob { .. })) => {
            Err(Problem::not_found(refusal.to_string()))
        }
        Err(refusal) => Err(Problem::conflict(refusal.to_string())),
    }
}
