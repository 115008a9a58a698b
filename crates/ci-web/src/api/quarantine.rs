//! Pull requests that were given up.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use tracing::info;

use super::place::{PullPath, RepoPath};
use crate::access::{Administer, Allowed, Enter, Look};
use crate::ask;
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::Quarantined;

pub(super) async fn all(
    State(site): State<Site>,
    allowed: Allowed<Enter>,
) -> Result<Json<Vec<Quarantined>>, Problem> {
    let mut all = Vec::new();
    for repo in allowed.0.repos(&site).await {
        all.extend(ask::quarantined(&site, &repo).await?);
    }
    Ok(Json(all))
}

pub(super) async fn list(
    State(site): State<Site>,
    _: Allowed<Look>,
    RepoPath(repo): RepoPath,
) -> Result<Json<Vec<Quarantined>>, Problem> {
    Ok(Json(ask::quarantined(&site, &repo).await?))
}

pub(super) async fn lift(
    State(site): State<Site>,
    allowed: Allowed<Administer>,
    PullPath(repo, number): PullPath,
) -> Result<StatusCode, Problem> {
    if site.node().lift(&repo, number).await? {
        info!(%repo, pull = %number, by = %allowed.0.login(), "lifted a quarantine");
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found(format!("pull request {number} of {repo} is not quarantined")))
    }
}
