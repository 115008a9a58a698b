//! How the inspector says no.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::foresee::{Action, Impossible};
use crate::target::Miss;
use crate::wire::{Actor, ErrorBody};

/// An error on its way out.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    body: Box<ErrorBody>,
}

impl Refusal {
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message.into())
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message.into())
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message.into())
    }

    pub(crate) fn busy(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message.into())
    }

    pub(crate) fn impossible(impossible: Impossible, action: Action, target: &Actor) -> Self {
        let message = impossible.tell(action, target);
        match impossible {
            Impossible::NoProcess => Self::not_found(message),
            Impossible::NotRestarted | Impossible::NoServer => {
                Self::new(StatusCode::CONFLICT, "impossible", message)
            }
        }
    }

    pub(crate) fn missed(reference: &str, miss: Miss) -> Self {
        let (status, body) = miss.explain(reference);
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_FOUND);
        Self { status, body: Box::new(body) }
    }

    fn new(status: StatusCode, code: &str, message: String) -> Self {
        let body = ErrorBody { code: code.to_owned(), message, matches: Vec::new(), heir: None };
        Self { status, body: Box::new(body) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}
