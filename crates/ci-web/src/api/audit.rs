//! The record of what was done.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::place::Asked;
use crate::access::{Administer, Allowed};
use crate::problem::Problem;
use crate::site::Site;

/// How many are told where nobody says how many.
const USUAL: usize = 100;
/// How many are told at most.
const MOST: usize = 1000;

/// Which part of the record is wanted.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    before: Option<u64>,
    limit: Option<usize>,
}

pub(super) async fn list(
    State(site): State<Site>,
    _: Allowed<Administer>,
    Asked(Wanted { before, limit }): Asked<Wanted>,
) -> Result<Response, Problem> {
    let limit = limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::bad_request(format!("`limit` is from 1 to {MOST}")));
    }
    let found = site.audit().list(before, limit).await;
    let (entries, has_more) =
        found.map_err(|error| Problem::unavailable("read what was done", &error))?;
    let last = entries.last().map(|entry| entry.id).filter(|_| has_more);
    let mut response = Json(entries).into_response();
    if let Some(last) = last {
        let link = format!("</api/v1/audit?before={last}&limit={limit}>; rel=\"next\"");
        let link = HeaderValue::from_str(&link).expect("a path and numbers are a value");
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}
