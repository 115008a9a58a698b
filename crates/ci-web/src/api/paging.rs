//! Long lists in pages.

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::place::Asked;
use crate::problem::Problem;

/// How many are told where nobody says how many.
const USUAL: usize = 100;
/// How many are told at most.
const MOST: usize = 1000;

/// Which part of a list is wanted.
#[derive(Debug, Deserialize)]
pub(super) struct Paging<K> {
    after: Option<K>,
    limit: Option<usize>,
}

/// A part of a list.
pub(super) struct Part<K> {
    /// What is in it, in order.
    pub(super) keys: Vec<K>,
    /// Whether there are others behind it.
    has_more: bool,
    limit: usize,
}

impl<K: Ord + Clone> Paging<K> {
    /// The part of `all`, which is in order.
    pub(super) fn part(self, all: &[K]) -> Result<Part<K>, Problem> {
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(Problem::bad_request(format!("`limit` is from 1 to {MOST}")));
        }
        let start = self.after.map_or(0, |after| all.partition_point(|key| *key <= after));
        let end = all.len().min(start + limit);
        Ok(Part { keys: all[start..end].to_vec(), has_more: end < all.len(), limit })
    }
}

impl<K> Part<K> {
    /// The answer that tells `items`, and where in `list` those behind `last` are.
    pub(super) fn answer<T: Serialize>(
        &self,
        list: &str,
        last: Option<&str>,
        items: &[T],
    ) -> Response {
        let mut response = Json(items).into_response();
        if let Some(last) = last.filter(|_| self.has_more) {
            let link = format!("<{list}?after={last}&limit={}>; rel=\"next\"", self.limit);
            let link =
                HeaderValue::from_str(&link).expect("a path and an escaped name are a value");
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

/// What a query says of the part that is wanted.
pub(super) type WantedPart<K> = Asked<Paging<K>>;
