//! How the inspector says no.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::target::Miss;
use crate::wire::ErrorBody;

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

    pub(crate) fn missed(reference: &str, miss: Miss) -> Self {
        match miss {
            Miss::Unknown => Self::not_found(format!("no actor is called {reference}")),
            Miss::Ambiguous(matches) => {
                let message = format!("{} actors are called {reference}", matches.len());
                let mut refusal = Self::new(StatusCode::CONFLICT, "ambiguous", message);
                refusal.body.matches = matches;
                refusal
            }
            Miss::Gone(heir) => {
                let now = heir
                    .now
                    .as_ref()
                    .map_or("nobody is there now".to_owned(), |now| format!("now it is {now}"));
                let message = format!("{} was {} and is gone; {now}", heir.gone, heir.path);
                let mut refusal = Self::new(StatusCode::GONE, "gone", message);
                refusal.body.heir = Some(heir);
                refusal
            }
        }
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
