//! `/login`: a token is entered once and kept in a cookie.

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::html::{Html, html};
use super::layout::Failure;
use crate::access::{Session, find};
use crate::problem::Problem;
use crate::site::Site;

/// Where to go after.
#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Fields {
    token: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn show(State(site): State<Site>, Query(next): Query<Next>) -> Failure {
    page(&site, StatusCode::OK, &next.next, None)
}

/// The form, in place of a page that is not for everyone.
pub(super) fn demand(site: &Site, next: &str) -> Failure {
    page(site, StatusCode::UNAUTHORIZED, next, None)
}

/// Takes the token of the form, if it is valid.
pub(super) async fn enter(
    State(site): State<Site>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Result<Response, Failure> {
    expect_own_form(&headers)?;
    let session = Session::new(fields.token.trim());
    let is_valid = match &session {
        Some(session) => find(&site, session.token()).await?.is_some(),
        None => false,
    };
    match session.filter(|_| is_valid) {
        Some(session) => {
            let cookie = session.set_cookie(site.is_secure());
            let target = Redirect::to(own_path(&fields.next));
            Ok(([(header::SET_COOKIE, cookie)], target).into_response())
        }
        None => {
            let trouble = "This token is not valid.";
            Err(page(&site, StatusCode::UNAUTHORIZED, &fields.next, Some(trouble)))
        }
    }
}

/// Forgets the token.
pub(super) async fn leave(
    State(site): State<Site>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Failure> {
    expect_own_form(&headers)?;
    let cookie = Session::clear_cookie(site.is_secure());
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/")))
}

fn page(site: &Site, status: StatusCode, next: &str, trouble: Option<&str>) -> Failure {
    let trouble =
        trouble.map(|trouble| html!(r#"<p class="trouble" role="alert">{}</p>"#, trouble));
    let body: Html = html!(
        r#"<h1>{}</h1>{}<form method="post" action="/login" class="login">
<input type="hidden" name="next" value="{}">
<label for="token">Access token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Log in</button></form>
<p class="quiet">An administrator makes tokens with <code>ci-node token create --role build</code>.</p>"#,
        site.node().voice().node,
        trouble.unwrap_or_default(),
        own_path(next)
    );
    Failure::new(status, "Log in", body)
}

/// A path of ours; anything that could lead elsewhere becomes the first page.
fn own_path(next: &str) -> &str {
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if next.starts_with('/') && !next.starts_with("//") && is_plain { next } else { "/" }
}

/// Refuses what a browser says was sent by another site.
fn expect_own_form(headers: &HeaderMap) -> Result<(), Problem> {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    match site {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) => Err(Problem::new(StatusCode::FORBIDDEN, "the form is another site's")),
    }
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn one_never_leaves_the_site() {
        for own in ["/", "/acme/shop/pull/7?x=1"] {
            assert_eq!(own_path(own), own);
        }
        for other in ["", "//evil", "/\\evil", "https://evil", "/a\r\nb", "javascript:x", "/ä"] {
            assert_eq!(own_path(other), "/", "{other:?}");
        }
    }
}
