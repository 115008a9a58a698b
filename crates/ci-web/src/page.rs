//! Pages for people: they work without JavaScript, and refresh themselves while something is under way.

mod act;
mod ansi;
mod asset;
mod branch;
mod home;
mod html;
mod job;
mod layout;
mod login;
mod part;
mod pull;
mod repo;
mod system;
mod visitor;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};

use crate::body;
use crate::site::Site;

/// The routes of all pages.
pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/", get(home::show))
        .route("/login", get(login::show).post(login::enter))
        .route("/logout", post(login::leave))
        .route("/system", get(system::show))
        .route("/assets/{file}", get(asset::style))
        .route("/{owner}/{repo}", get(repo::show))
        .route("/{owner}/{repo}/pull/{number}", get(pull::show))
        .route("/{owner}/{repo}/pull/{number}/act", post(act::act))
        .route("/{owner}/{repo}/pull/{number}/jobs/{attempt}", get(job::of_pull))
        .route("/{owner}/{repo}/branch/{branch}", get(branch::show))
        .route("/{owner}/{repo}/branch/{branch}/jobs/{attempt}", get(job::of_branch))
        .fallback(layout::nothing)
        .layer(from_fn(body::small))
}
