//! `/login`: a token is entered once, and opens a session.

use std::time::SystemTime;

use axum::extract::{Form, Query, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::html::{Html, html};
use super::layout::Failure;
use super::visitor::sender;
use crate::access::{Caller, SessionKey, count_failure, find};
use crate::audit;
use crate::problem::Problem;
use crate::sessions::Owner;
use crate::site::Site;

/// Where to go after.
#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    pub(super) next: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Fields {
    token: String,
    #[serde(default)]
    next: String,
}

/// What the form to log out sends.
#[derive(Deserialize)]
pub(super) struct Goodbye {
    #[serde(default)]
    proof: String,
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
    (headers, extensions): (HeaderMap, Extensions),
    Form(fields): Form<Fields>,
) -> Result<Response, Failure> {
    audit::say("log in with a token");
    let Some(token) = find(&site, fields.token.trim()).await? else {
        count_failure(&site, &extensions, &headers)?;
        let trouble = "This token is not valid.";
        return Err(page(&site, StatusCode::UNAUTHORIZED, &fields.next, Some(trouble)));
    };
    let owner = Owner::Token(token.id.clone());
    Caller::Holder(token).count(&site)?;
    Ok(begin(&site, &headers, owner, &fields.next).await?)
}

/// Opens a session in place of the one that there is, and goes to where somebody wanted to be.
pub(super) async fn begin(
    site: &Site,
    headers: &HeaderMap,
    owner: Owner,
    next: &str,
) -> Result<Response, Problem> {
    let unavailable = |error| Problem::unavailable("open a session", &error);
    if let Some(old) = SessionKey::of(headers, site.is_secure()) {
        site.sessions().close(&old).await.map_err(unavailable)?;
    }
    let opened = site.sessions().open(owner, SystemTime::now()).await;
    let key = opened.map_err(unavailable)?;
    let cookie = key.set_cookie(site.is_secure());
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(own_path(next))).into_response())
}

/// Ends the session.
pub(super) async fn leave(
    State(site): State<Site>,
    headers: HeaderMap,
    Form(fields): Form<Goodbye>,
) -> Result<Response, Failure> {
    if let Some(key) = SessionKey::of(&headers, site.is_secure()) {
        audit::say("log out");
        sender(&site, &key, &fields.proof).await?;
        let closed = site.sessions().close(&key).await;
        closed.map_err(|error| Problem::unavailable("end the session", &error))?;
    }
    let cookie = SessionKey::clear_cookie(site.is_secure());
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response())
}

/// The form again, and why.
pub(super) fn again(site: &Site, status: StatusCode, next: &str, trouble: &str) -> Failure {
    page(site, status, next, Some(trouble))
}

fn page(site: &Site, status: StatusCode, next: &str, trouble: Option<&str>) -> Failure {
    let trouble =
        trouble.map(|trouble| html!(r#"<p class="trouble" role="alert">{}</p>"#, trouble));
    let next = own_path(next);
    let ways = match site.gate() {
        Some(_) => html!(
            r#"<p><a class="button main" href="/login/github?next={}">Sign in with GitHub</a></p>
<p class="quiet">You can do here what you may do on GitHub: read, run builds again, administer.</p>
<details class="other"><summary>Use an access token</summary>{}</details>"#,
            escaped(next),
            token_form(next, "")
        ),
        None => token_form(next, " autofocus"),
    };
    let node = &site.node().voice().node;
    let body: Html = html!(
        r#"<div class="sheet gate"><h1>{}</h1>{}{}</div>"#,
        node,
        trouble.unwrap_or_default(),
        ways
    );
    Failure::new(status, "Log in", body)
}

fn token_form(next: &str, focus: &'static str) -> Html {
    html!(
        r#"<form method="post" action="/login" class="login">
<input type="hidden" name="next" value="{}">
<label for="token">Access token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required{}>
<button>Log in</button></form>
<p class="quiet">An administrator makes tokens with <code>ci-node token create --role build</code>.</p>"#,
        next,
        focus
    )
}

/// A path as the value of a query.
fn escaped(path: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    path.bytes().map(escape).collect()
}

/// A path of ours; anything that could lead elsewhere becomes the first page.
pub(super) fn own_path(next: &str) -> &str {
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if next.starts_with('/') && !next.starts_with("//") && is_plain { next } else { "/" }
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
