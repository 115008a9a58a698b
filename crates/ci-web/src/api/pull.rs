//! Repositories and pull requests.

use axum::Json;
use axum::extract::State;

use super::place::{PullPath, RepoPath};
use crate::access::{Allowed, Look};
use crate::ask;
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{PullDetail, PullSummary, Repo};

pub(super) async fn repos(State(site): State<Site>, _: Allowed<Look>) -> Json<Vec<Repo>> {
    Json(ask::repos(&site).await)
}

pub(super) async fn list(
    State(site): State<Site>,
    _: Allowed<Look>,
    RepoPath(repo): RepoPath,
) -> Result<Json<Vec<PullSummary>>, Problem> {
    Ok(Json(ask::pulls(&site, &repo).await?))
}

pub(super) async fn show(
    State(site): State<Site>,
    _: Allowed<Look>,
    PullPath(repo, number): PullPath,
) -> Result<Json<PullDetail>, Problem> {
    Ok(Json(ask::pull(&site, &repo, number).await?))
}
