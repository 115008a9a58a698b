//! Attempts at jobs.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use ci_domain::ids::AttemptId;

use super::log::{self, LogQuery};
use super::place::{Asked, Named};
use crate::access::{Allowed, Look};
use crate::ask;
use crate::log::JobLog;
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::JobRun;

pub(super) async fn show(
    State(site): State<Site>,
    _: Allowed<Look>,
    Named(attempt): Named<AttemptId>,
) -> Result<Json<JobRun>, Problem> {
    Ok(Json(ask::job_run(&site, &attempt).await?))
}

/// What all its commands printed. A view: it has no offsets.
pub(super) async fn log(
    State(site): State<Site>,
    _: Allowed<Look>,
    Named(attempt): Named<AttemptId>,
    Asked(query): Asked<LogQuery>,
) -> Result<Response, Problem> {
    let log = JobLog::find(site, attempt, query.until()).await?;
    Ok(log::plain(Body::from_stream(log.into_stream())))
}
