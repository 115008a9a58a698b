//! The stylesheet: one file, named by its content, so that browsers may keep it for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::tokens::hex;

const STYLE: &str = include_str!("style.css");

/// The name by which pages refer to the stylesheet.
pub(super) static NAME: LazyLock<String> =
    LazyLock::new(|| format!("{}.css", hex(&Sha256::digest(STYLE)[..8])));

pub(super) async fn style(Path(file): Path<String>) -> Response {
    if file != *NAME {
        return StatusCode::NOT_FOUND.into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, STYLE).into_response()
}
