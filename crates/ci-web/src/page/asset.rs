//! The stylesheet and the script: a file each, named by its content, so that browsers may keep it for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::icon;
use crate::tokens::hex;

/// How all pages look.
pub(super) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("css", "text/css; charset=utf-8", include_str!("style.css")));
/// What makes them live.
pub(super) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("js", "text/javascript; charset=utf-8", include_str!("page.js")));

/// A file that pages refer to.
pub(super) struct Asset {
    path: String,
    content_type: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(ending: &str, content_type: &'static str, text: &'static str) -> Self {
        let name = hex(&Sha256::digest(text)[..8]);
        Self { path: format!("/assets/{name}.{ending}"), content_type, text }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &str {
        &self.path
    }
}

pub(super) async fn serve(Path(file): Path<String>) -> Response {
    let path = format!("/assets/{file}");
    if let Some(asset) = [&STYLE, &SCRIPT].into_iter().find(|asset| asset.path == path) {
        return kept(asset.content_type, "public, max-age=31536000, immutable", asset.text);
    }
    match icon::file(&path) {
        Some(picture) => kept("image/svg+xml", "public, max-age=86400", picture),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn kept(content_type: &'static str, how_long: &'static str, body: impl IntoResponse) -> Response {
    let headers = [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, how_long)];
    (headers, body).into_response()
}
