//! Bodies of requests: of a bounded length, in a bounded time, before anybody looks at them.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;

use crate::problem::Problem;

/// How long a body may take; GitHub itself gives up after ten seconds.
const TIME: Duration = Duration::from_secs(30);
/// The most that a form or a few fields in JSON have.
const MOST: usize = 64 * 1024;

/// A body that is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// It is too large.
    #[error("the body has more than {0} bytes")]
    TooLarge(usize),
    /// It did not come in time.
    #[error("the body did not come within {TIME:?}")]
    TooSlow,
    /// It broke off.
    #[error("the body broke off")]
    Broken(#[source] axum::Error),
}

/// Reads a body of at most `most` bytes. One that says it is larger is not even begun.
pub(crate) async fn whole(
    headers: &HeaderMap,
    body: Body,
    most: usize,
) -> Result<Bytes, BodyError> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if declared.and_then(|text| text.parse().ok()).is_some_and(|length: usize| length > most) {
        return Err(BodyError::TooLarge(most));
    }
    match tokio::time::timeout(TIME, to_bytes(body, most)).await {
        Err(_) => Err(BodyError::TooSlow),
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_length(&error) => Err(BodyError::TooLarge(most)),
        Ok(Err(error)) => Err(BodyError::Broken(error)),
    }
}

/// Reads the bodies of forms and of few fields before their handlers run.
pub(crate) async fn small(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match whole(&parts.headers, body, MOST).await {
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(error) => Problem::new(error.status(), error.to_string()).into_response(),
    }
}

impl BodyError {
    fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken(_) => StatusCode::BAD_REQUEST,
        }
    }
}

fn is_length(error: &axum::Error) -> bool {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.into_iter().any(|cause| cause.is::<LengthLimitError>())
}
