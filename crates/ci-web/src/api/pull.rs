//! Repositories and pull requests.

use axum::Json;
use axum::extract::State;

use super::place::{PullPath, RepoPath};
use crate::access::{Allowed, Enter, Look};
use crate::ask;
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{PullDetail, PullSummary, Repo};

pub(super) async fn repos(State(site): State<Site>, allowed: Allowed<Enter>) -> Json<Vec<Repo>> {
    let names = allowed.0.repos(&site).await;
    Json(ask::repos(&site, names).await)
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
