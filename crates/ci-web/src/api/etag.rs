//! Names what an answer says, so that who asks again is not told the same twice.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use sha2::{Digest, Sha256};

use crate::problem::Problem;
use crate::tokens::hex;

/// Bytes of a digest that are enough to tell answers apart.
const LENGTH: usize = 12;

/// Gives every answer in JSON to a question an `ETag`; one that the asker has already is not sent again.
/// Streams have none: their ends are not known when they begin.
pub(super) async fn name(request: Request, next: Next) -> Response {
    let is_question = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = known(request.headers());
    let response = next.run(request).await;
    if !is_question || response.status() != StatusCode::OK || !is_json(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = match body.collect().await {
        Ok(whole) => whole.to_bytes(),
        Err(error) => {
            return Problem::unavailable("write the answer", &error.into()).into_response();
        }
    };
    let etag = etag(&bytes);
    let is_known = known.iter().any(|one| one == "*" || one == etag.as_str());
    let value = HeaderValue::from_str(&etag).expect("hexadecimal digits in quotes are a value");
    parts.headers.insert(header::ETAG, value);
    // It is for its reader only, who asks each time.
    let private = HeaderValue::from_static("private, no-cache");
    parts.headers.insert(header::CACHE_CONTROL, private);
    if is_known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, bytes.into())
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json")
}

/// The names that the asker has, compared as weak ones.
fn known(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::IF_NONE_MATCH).iter();
    let texts = values.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    texts.map(|text| text.trim().trim_start_matches("W/").to_owned()).collect()
}

fn etag(bytes: &Bytes) -> String {
    format!("\"{}\"", hex(&Sha256::digest(bytes)[..LENGTH]))
}
