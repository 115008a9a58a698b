//! `POST /webhooks/github`: believed, understood, and on record before it is acknowledged.
//!
//! | answer | when |
//! |---|---|
//! | 202 | it is on record: it survives whatever happens to the node |
//! | 200 | a ping, a duplicate, or nothing for us |
//! | 400 | it is no JSON, is compressed, or a header is missing or there twice |
//! | 401 | its signature is missing, wrong, or there twice |
//! | 408 | its body did not come in time |
//! | 413 | its body is above 25 MB |
//! | 503 | it could not be put on record |

use std::sync::atomic::{AtomicU64, Ordering};

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ci_build::Receipt;
use ci_github::webhook::{Delivery, Headers, verify};
use serde_json::json;
use tracing::{debug, info, warn};

use crate::body::BodyError;
use crate::problem::{Problem, chain};
use crate::site::Site;

/// GitHub sends no more than this.
const MAX_BODY: usize = 25 * 1024 * 1024;

/// What became of deliveries since the node started.
#[derive(Debug, Default)]
pub(crate) struct DeliveryCounts([AtomicU64; Fate::ALL.len()]);

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Stored,
    Duplicate,
    NotOfInterest,
    Malformed,
    NotBelieved,
    TooSlow,
    TooLarge,
    NotStored,
}

impl Fate {
    pub(crate) const ALL: [Self; 8] = [
        Self::Stored,
        Self::Duplicate,
        Self::NotOfInterest,
        Self::Malformed,
        Self::NotBelieved,
        Self::TooSlow,
        Self::TooLarge,
        Self::NotStored,
    ];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Duplicate => "duplicate",
            Self::NotOfInterest => "not_of_interest",
            Self::Malformed => "malformed",
            Self::NotBelieved => "not_believed",
            Self::TooSlow => "too_slow",
            Self::TooLarge => "too_large",
            Self::NotStored => "not_stored",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Stored => StatusCode::ACCEPTED,
            Self::Duplicate | Self::NotOfInterest => StatusCode::OK,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::NotBelieved => StatusCode::UNAUTHORIZED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotStored => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl DeliveryCounts {
    fn count(&self, fate: Fate) {
        self.0[fate as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many had this fate.
    pub(crate) fn of(&self, fate: Fate) -> u64 {
        self.0[fate as usize].load(Ordering::Relaxed)
    }
}

/// Takes a delivery.
pub(crate) async fn receive(State(site): State<Site>, headers: HeaderMap, body: Body) -> Response {
    let (fate, detail) = match take(&site, &headers, body).await {
        Ok(fate) => (fate, String::new()),
        Err((fate, detail)) => (fate, detail),
    };
    site.deliveries().count(fate);
    let status = fate.status();
    if status.is_success() {
        return (status, Json(json!({ "result": fate.word() }))).into_response();
    }
    match fate {
        Fate::NotStored => warn!(detail, "a delivery was not stored"),
        // Whoever finds the port can cause these.
        _ => info!(result = fate.word(), detail, "a delivery was not taken"),
    }
    Problem::new(status, detail).into_response()
}

async fn take(site: &Site, headers: &HeaderMap, body: Body) -> Result<Fate, (Fate, String)> {
    let body = site.room().whole(headers, body, MAX_BODY).await.map_err(unread)?;
    let secret = site.webhook_secret();
    let secret = secret.ok_or((Fate::NotBelieved, "no webhook secret is configured".to_owned()))?;
    let signature = only(headers, "x-hub-signature-256").map_err(|why| (Fate::NotBelieved, why))?;
    verify(&secret, signature, &body.bytes)
        .map_err(|error| (Fate::NotBelieved, format!("failed to {error}")))?;
    let delivery = read(headers, &body.bytes).map_err(|why| (Fate::Malformed, why))?;
    debug!(event = delivery.name, delivery = delivery.id, "received");
    let not_stored =
        |why: String| (Fate::NotStored, format!("failed to store the delivery: {why}"));
    match site.node().intake().deliver(delivery).await {
        Ok(Receipt::Stored) => Ok(Fate::Stored),
        Ok(Receipt::Duplicate) => Ok(Fate::Duplicate),
        Ok(Receipt::NotOfInterest) => Ok(Fate::NotOfInterest),
        Ok(Receipt::NotStored) => Err(not_stored("the ledger does not take it".to_owned())),
        Err(error) => Err(not_stored(error.to_string())),
    }
}

/// Reads a delivery whose signature is right.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<Delivery, String> {
    // GitHub compresses nothing, so nothing is unpacked here, whatever it would grow to.
    let encoding = only(headers, header::CONTENT_ENCODING.as_str())?;
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err("failed to read the delivery: its body is compressed".to_owned());
    }
    let understood = Headers {
        event: only(headers, "x-github-event")?,
        delivery: only(headers, "x-github-delivery")?,
        content_type: only(headers, header::CONTENT_TYPE.as_str())?,
    };
    Delivery::parse(understood, body).map_err(|error| format!("failed to {}", chain(&error)))
}

/// The value of a header; where it is there twice nobody can say which one the sender means.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, String> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(format!("failed to read the delivery: header {name} is there twice")),
        (value, None) => Ok(value.and_then(|value| value.to_str().ok())),
    }
}

fn unread(error: BodyError) -> (Fate, String) {
    let fate = match error {
        BodyError::TooLarge(_) => Fate::TooLarge,
        BodyError::TooSlow => Fate::TooSlow,
        BodyError::Broken(_) => Fate::Malformed,
    };
    (fate, error.to_string())
}
