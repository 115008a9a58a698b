//! Errors as answers.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ci_build::AskError;
use heights::Fault;

use crate::wire;

/// In how many seconds it is worth asking again what was not answered: what is killed is back by then.
pub(crate) const RETRY_AFTER: u16 = 2;

/// Why a request is not met, as `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) detail: String,
    /// After how many seconds it may be tried again, where that is known.
    pub(crate) retry_after: Option<u64>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), retry_after: None }
    }

    /// The request itself makes no sense.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// There is no such thing.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// It makes sense, but not now.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// Whoever should say has no time, and nothing is known that could be said instead.
    pub(crate) fn busy() -> Self {
        let detail = "the node is busy, and has not said yet what is asked; ask again soon";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// It was asked too often; another time there is room.
    pub(crate) fn too_many(wait: Duration) -> Self {
        // A whole second at least: who comes back sooner is sent away again.
        let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
        let detail = format!("too many requests: try again in {seconds} s");
        let refused = Self::new(StatusCode::TOO_MANY_REQUESTS, detail);
        Self { retry_after: Some(seconds), ..refused }
    }

    /// Something that is needed does not work. What it was is for the log: it may name paths.
    pub(crate) fn unavailable(what: &str, error: &Fault) -> Self {
        tracing::warn!(error = %chain(error.as_ref()), "failed to {what}");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("failed to {what}"))
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        match error {
            AskError::NoRepo(repo) => Self::not_found(format!("no repository {repo} is served")),
            AskError::NoPull(repo, number) => {
                Self::not_found(format!("there is no open pull request {number} in {repo}"))
            }
            AskError::Call(error) => Self::unavailable("ask the node", &error.into()),
            AskError::Ledger(error) => Self::unavailable("read the ledger", &error),
        }
    }
}

impl From<&Problem> for wire::Problem {
    fn from(problem: &Problem) -> Self {
        Self {
            kind: "about:blank".to_owned(),
            title: problem.status.canonical_reason().unwrap_or("error").to_owned(),
            status: problem.status.as_u16(),
            detail: problem.detail.clone(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = axum::Json(wire::Problem::from(&self));
        let mut response = (self.status, body).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER));
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
