//! Bodies of requests: of a bounded length, in a bounded time, before anybody looks at them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;

/// How long a body may take. GitHub itself gives up after ten seconds.
const TIME: Duration = Duration::from_secs(10);
/// The most that a form or a few fields in JSON have.
const MOST: usize = 64 * 1024;

/// How many bodies above [`MOST`] are in memory at once; others wait, within their time.
const LARGE_AT_ONCE: usize = 8;

/// The most that is read of a body that is too large, so that its sender gets to see the answer.
const DISCARDED: usize = 64 * 1024 * 1024;
/// How long such a sender may pause; one that waits for the answer gets it then.
const PAUSE: Duration = Duration::from_millis(500);

/// Room in memory for large bodies.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<Semaphore>);

/// A whole body, and the room that it takes.
pub(crate) struct Whole {
    pub(crate) bytes: Bytes,
    _place: Option<OwnedSemaphorePermit>,
}

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

impl Room {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(LARGE_AT_ONCE)))
    }

    /// Reads a body of at most `most` bytes. One that says it is larger is not even begun.
    pub(crate) async fn whole(
        &self,
        headers: &HeaderMap,
        mut body: Body,
        most: usize,
    ) -> Result<Whole, BodyError> {
        let result = if is_declared_above(headers, most) {
            Err(BodyError::TooLarge(most))
        } else {
            let read = tokio::time::timeout(TIME, self.collect(&mut body, most)).await;
            read.unwrap_or(Err(BodyError::TooSlow))
        };
        // Who asks before sending gets the answer instead, and sends nothing.
        if matches!(result, Err(BodyError::TooLarge(_))) && !headers.contains_key(header::EXPECT) {
            // Out of time or not, the answer comes now.
            let _out_of_time = tokio::time::timeout(TIME, discard(&mut body)).await;
        }
        result
    }

    async fn collect(&self, body: &mut Body, most: usize) -> Result<Whole, BodyError> {
        let (mut bytes, mut place) = (Vec::new(), None);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(BodyError::Broken)?.into_data() else { continue };
            let length = bytes.len() + data.len();
            if length > most {
                return Err(BodyError::TooLarge(most));
            }
            if length > MOST && place.is_none() {
                let taken = self.0.clone().acquire_owned().await;
                place = Some(taken.expect("the semaphore is never closed"));
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Whole { bytes: bytes.into(), _place: place })
    }
}

fn is_declared_above(headers: &HeaderMap, most: usize) -> bool {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    declared.and_then(|text| text.parse().ok()).is_some_and(|length: usize| length > most)
}

/// Reads on without keeping anything: many clients look for an answer only once they have sent all, and
/// would find the connection reset.
async fn discard(body: &mut Body) {
    let mut left = DISCARDED;
    while let Ok(Some(Ok(frame))) = tokio::time::timeout(PAUSE, body.frame()).await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(length) else { return };
        left = rest;
    }
}

/// Reads the bodies of forms and of few fields before their handlers run.
pub(crate) async fn small(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    // Below the size that takes room.
    match Room::new().whole(&parts.headers, body, MOST).await {
        Ok(whole) => next.run(Request::from_parts(parts, Body::from(whole.bytes))).await,
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

#[cfg(test)]
mod tests;
