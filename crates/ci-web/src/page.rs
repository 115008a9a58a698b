//! Pages for people: they work without JavaScript, where they refresh themselves while something is under
//! way, and are live with it.

mod act;
mod ansi;
mod asset;
mod badge;
mod branch;
mod graph;
mod home;
mod html;
mod icon;
mod job;
mod layout;
mod live;
mod log;
mod login;
mod part;
mod pull;
mod queues;
mod repo;
mod sign_in;
mod system;
mod tests;
mod time;
mod visitor;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

use crate::body;
use crate::site::Site;

pub(crate) use live::Drawings;

/// The routes of all pages.
pub(crate) fn routes(site: &Site) -> Router<Site> {
    Router::new()
        .route("/", get(home::show))
        .route("/login", get(login::show).post(login::enter))
        .route("/login/github", get(sign_in::set_out))
        .route("/login/github/back", get(sign_in::come_back))
        .route("/logout", post(login::leave))
        .route("/queues", get(queues::show))
        .route("/system", get(system::show))
        .route("/assets/{file}", get(asset::serve))
        .route("/{owner}/{repo}", get(repo::show))
        .route("/{owner}/{repo}/badge.svg", get(badge::show))
        .route("/{owner}/{repo}/pull/{number}", get(pull::show))
        .route("/{owner}/{repo}/pull/{number}/act", post(act::act))
        .route("/{owner}/{repo}/pull/{number}/jobs/{attempt}", get(job::of_pull))
        .route("/{owner}/{repo}/pull/{number}/jobs/{attempt}/log/{command}", get(log::of_pull))
        .route("/{owner}/{repo}/branch/{branch}", get(branch::show))
        .route("/{owner}/{repo}/branch/{branch}/jobs/{attempt}", get(job::of_branch))
        .route("/{owner}/{repo}/branch/{branch}/jobs/{attempt}/log/{command}", get(log::of_branch))
        .fallback(layout::nothing)
        .method_not_allowed_fallback(layout::not_that)
        .layer(from_fn_with_state(site.clone(), live::stream))
        // These are parts of pages; one of them is a stream of another kind.
        .route("/logs/{command}/lines", get(log::lines))
        .route("/logs/{command}/follow", get(log::follow))
        .layer(from_fn(body::small))
}
