//! `/api/v1`: everything that the command line shows and does, as JSON.

mod action;
mod artifact;
mod audit;
mod branch;
mod etag;
mod job;
mod log;
mod paging;
mod place;
mod pull;
mod quarantine;
mod shell;
mod store;
mod token;

use axum::extract::State;
use axum::http::header;
use axum::middleware::from_fn;
use axum::response::IntoResponse;
use axum::routing::{delete, get, post};
use axum::{Json, Router};

pub(crate) use action::{Action, act};
pub(crate) use place::{Asked, BranchPath, Named, PullPath, RepoPath};

use crate::access::{Allowed, Look};
use crate::ask;
use crate::body;
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::NodeStatus;

/// The description of all this for programs.
const OPENAPI: &str = include_str!("api/openapi.json");

/// The routes below `/api/v1`.
pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/openapi.json", get(openapi))
        .route("/status", get(status))
        .route("/repos", get(pull::repos))
        .route("/repos/{owner}/{repo}/pulls", get(pull::list))
        .route("/repos/{owner}/{repo}/pulls/{number}", get(pull::show))
        .route("/repos/{owner}/{repo}/pulls/{number}/tests", get(pull::tests))
        .route("/repos/{owner}/{repo}/pulls/{number}/retry", post(action::retry))
        .route("/repos/{owner}/{repo}/pulls/{number}/force", post(action::force))
        .route("/repos/{owner}/{repo}/pulls/{number}/cancel", post(action::cancel))
        .route("/repos/{owner}/{repo}/pulls/{number}/shell", post(shell::describe))
        .route("/repos/{owner}/{repo}/branches", get(branch::list))
        .route("/repos/{owner}/{repo}/branches/{branch}", get(branch::show))
        .route("/repos/{owner}/{repo}/branches/{branch}/force", post(branch::force))
        .route("/repos/{owner}/{repo}/branches/{branch}/nightly/force", post(branch::force_nightly))
        .route("/repos/{owner}/{repo}/nightly", get(branch::nightly))
        .route("/quarantine", get(quarantine::all))
        .route("/repos/{owner}/{repo}/quarantine", get(quarantine::list))
        .route("/repos/{owner}/{repo}/quarantine/{number}", delete(quarantine::lift))
        .route("/jobs/{attempt}", get(job::show))
        .route("/jobs/{attempt}/log", get(job::log))
        .route("/jobs/{attempt}/artifacts", get(artifact::list))
        .route("/commands/{command}/artifacts/{path}", get(artifact::download))
        .route("/commands/{command}/log", get(log::bytes))
        .route("/commands/{command}/log/events", get(log::events))
        .route("/commands/{command}/log/times", get(log::times))
        .route("/audit", get(audit::list))
        .route("/tokens", get(token::list).post(token::create))
        .route("/tokens/{id}", delete(token::revoke))
        .route("/store/check", post(store::check))
        .route("/store/export", get(store::export))
        .fallback(nothing)
        .method_not_allowed_fallback(not_that)
        .layer(from_fn(etag::name))
        .layer(from_fn(body::small))
}

async fn status(State(site): State<Site>, _: Allowed<Look>) -> Json<NodeStatus> {
    Json(ask::status(&site).await)
}

async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}

async fn nothing() -> Problem {
    Problem::not_found("there is nothing here; see /api/v1/openapi.json")
}

async fn not_that() -> Problem {
    let status = axum::http::StatusCode::METHOD_NOT_ALLOWED;
    Problem::new(status, "this cannot be done here; see /api/v1/openapi.json")
}

#[cfg(test)]
mod tests;
