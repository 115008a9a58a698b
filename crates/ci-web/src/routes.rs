//! What answers to which path.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};

use crate::access::{Origin, Peer, refuse_other_sites};
use crate::problem::Problem;
use crate::site::Site;
use crate::{api, audit, health, metrics, page, webhook};

/// What a browser may do with anything that we send: show it with our stylesheet, run our one script, which
/// makes markup of nothing but what came from us, and send forms to us.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                      img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types ci-node";

/// The most that the head of a request has, in bytes and in fields.
const HEAD: (usize, usize) = (16 * 1024, 100);

/// All routes, for whoever comes by one door.
pub(crate) fn all(site: Site, origin: Origin) -> Router {
    let record = from_fn_with_state(site.clone(), audit::keep);
    let same_site = from_fn_with_state(site.clone(), refuse_other_sites);
    Router::new()
        .route("/webhooks/github", post(webhook::receive))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::expose))
        .method_not_allowed_fallback(not_that)
        .nest("/api/v1", api::routes())
        .merge(page::routes(&site))
        .layer(Extension(origin))
        .layer(same_site)
        .layer(record)
        .layer(from_fn(guard))
        .with_state(site)
}

/// The routes for one connection. They are not made anew: there are many connections.
pub(crate) fn of(routes: Router, peer: Peer) -> Router {
    Router::new().fallback_service(routes).layer(Extension(peer))
}

/// Tells browsers to be careful with every answer, and nobody to keep what is only for its reader.
async fn guard(request: Request, next: Next) -> Response {
    let mut response = if is_large(&request) {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        let detail = format!("a head has at most {} bytes and {} fields", HEAD.0, HEAD.1);
        Problem::new(status, detail).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Nothing for other sites. With `no-referrer` browsers keep from us, too, that a form is our own.
    set(header::REFERRER_POLICY, "same-origin");
    let no_store = HeaderValue::from_static("no-store");
    headers.entry(header::CACHE_CONTROL).or_insert(no_store);
    // Stricter is what is sent to be saved.
    let policy = HeaderValue::from_static(POLICY);
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    response
}

/// Whether the head of a request is larger than anything that is asked here.
fn is_large(request: &Request) -> bool {
    let fields = request.headers();
    let bytes = fields.iter().map(|(name, value)| name.as_str().len() + value.len());
    let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    fields.len() > HEAD.1 || path + bytes.sum::<usize>() > HEAD.0
}

async fn not_that() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this cannot be done here")
}
