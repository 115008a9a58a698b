//! Repositories and pull requests.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use ci_domain::ids::PullNumber;

use super::paging::WantedPart;
use super::place::{Asked, PullPath, RepoPath};
use crate::access::{Allowed, Enter, Look};
use crate::ask;
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{JobTests, PullDetail, Repo};

pub(super) async fn repos(State(site): State<Site>, allowed: Allowed<Enter>) -> Json<Vec<Repo>> {
    let names = allowed.0.repos(&site).await;
    Json(ask::repos(&site, names).await)
}

pub(super) async fn list(
    State(site): State<Site>,
    _: Allowed<Look>,
    RepoPath(repo): RepoPath,
    Asked(wanted): WantedPart<u64>,
) -> Result<Response, Problem> {
    let open: Vec<u64> = ask::open(&site, &repo).await?.iter().map(|number| number.0).collect();
    let list = format!("/api/v1/repos/{repo}/pulls");
    let part = wanted.part(&open)?;
    let numbers: Vec<PullNumber> = part.keys.iter().copied().map(PullNumber).collect();
    let last = numbers.last().map(ToString::to_string);
    let pulls = ask::summaries(&site, &repo, &numbers).await;
    Ok(part.answer(&list, last.as_deref(), &pulls))
}

pub(super) async fn show(
    State(site): State<Site>,
    _: Allowed<Look>,
    PullPath(repo, number): PullPath,
) -> Result<Json<PullDetail>, Problem> {
    Ok(Json(ask::pull(&site, &repo, number).await?))
}

/// How the tests of its jobs went.
pub(super) async fn tests(
    State(site): State<Site>,
    _: Allowed<Look>,
    PullPath(repo, number): PullPath,
) -> Result<Json<Vec<JobTests>>, Problem> {
    let detail = ask::pull(&site, &repo, number).await?;
    Ok(Json(ask::tests(&site, &repo, &detail).await?))
}
