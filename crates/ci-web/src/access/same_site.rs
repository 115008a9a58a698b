//! Requests that change something are taken from our own pages and from programs, and from no other site.
//!
//! Browsers say by which site a request was made, in `Origin` and `Sec-Fetch-Site`, and no page can have them
//! say otherwise; programs say nothing. This holds for every path there is or will be: it is asked before
//! any route is.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;
use crate::site::Site;

/// Refuses what another site had a browser send.
pub(crate) async fn refuse_other_sites(
    State(site): State<Site>,
    request: Request,
    next: Next,
) -> Response {
    let is_look = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if is_look || is_own(request.headers(), &site.node().voice().public_url) {
        return next.run(request).await;
    }
    let why = "this was sent by a page of another site";
    Problem::new(StatusCode::FORBIDDEN, why).into_response()
}

fn is_own(headers: &HeaderMap, public_url: &str) -> bool {
    let value = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if !matches!(value("sec-fetch-site"), None | Some("same-origin" | "none")) {
        return false;
    }
    let Some(origin) = value(header::ORIGIN.as_str()) else { return true };
    // A proxy may keep the name by which people know us, or have one of its own for us.
    let is_public = origin_of(public_url).is_some_and(|own| own.eq_ignore_ascii_case(origin));
    let host = value(header::HOST.as_str());
    is_public || host.is_some_and(|host| authority_of(origin).is_some_and(|at| at == host))
}

/// The part of an address before its path.
fn origin_of(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let length = scheme.len() + "://".len() + rest.find('/').unwrap_or(rest.len());
    Some(&url[..length])
}

fn authority_of(origin: &str) -> Option<String> {
    Some(origin.parse::<Uri>().ok()?.authority()?.to_string())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_our_own_pages_and_programs_are_heeded() {
        let check = |pairs: &[(&'static str, &str)], expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert("host", HeaderValue::from_static("10.0.0.7:8080"));
            for (name, value) in pairs {
                headers.insert(*name, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(is_own(&headers, "https://ci.example.com/sub"), expected, "{pairs:?}");
        };
        check(&[], true);
        check(&[("origin", "https://ci.example.com")], true);
        check(&[("origin", "http://10.0.0.7:8080")], true);
        check(&[("origin", "https://ci.example.com"), ("sec-fetch-site", "same-origin")], true);
        for other in ["null", "", "https://evil.example", "https://ci.example.com.evil.example"] {
            check(&[("origin", other)], false);
        }
        check(&[("origin", "http://10.0.0.7")], false);
        check(&[("origin", "http://ci.example.com")], false);
        for other in ["cross-site", "same-site", "x"] {
            check(&[("sec-fetch-site", other)], false);
            check(&[("origin", "https://ci.example.com"), ("sec-fetch-site", other)], false);
        }
    }
}
