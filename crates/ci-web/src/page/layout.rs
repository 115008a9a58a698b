//! What all pages have in common.

use std::sync::Arc;

use axum::Extension;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::asset;
use super::html::{Html, html};
use super::icon::{self, Tone};
use super::live::Shown;
use super::visitor::Visitor;
use crate::moment::{clock, millis};
use crate::problem::{Problem, RETRY_AFTER};
use crate::seen::Glance;
use crate::site::Site;

/// One page.
pub(super) struct Page {
    /// What the window is called.
    pub(super) title: String,
    /// The way here, from the top.
    pub(super) trail: Html,
    /// How what it is about stands.
    pub(super) tone: Tone,
    /// Whether it changes by itself.
    pub(super) pace: Pace,
    /// The rest.
    pub(super) body: Html,
}

/// Whether a page changes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// It is loaded again every few seconds where there are no scripts.
    Live,
    /// It stays as it is for now.
    Still,
    /// It could not be made, and is asked for again.
    Retried,
}

/// A whole document, and the part of it that may change.
pub(super) struct Document {
    shown: Arc<Shown>,
    html: Html,
}

/// A page that could not be made, or a form that was refused.
pub(super) struct Failure {
    status: StatusCode,
    title: String,
    body: Html,
    /// After how many seconds it may be tried again, where that is known.
    retry_after: Option<u64>,
}

impl Page {
    /// The whole document.
    pub(super) fn render(self, site: &Site, visitor: &Visitor) -> Document {
        self.render_with(site, visitor, &Html::default())
    }

    /// The whole document, in which `kept` stands in the place that the body has left for it and is not part
    /// of what is sent when the page changes.
    pub(super) fn render_with(self, site: &Site, visitor: &Visitor, kept: &Html) -> Document {
        let entry = match visitor.user() {
            Some((name, proof)) => html!(
                r#"<form method="post" action="/logout"><input type="hidden" name="proof" value="{}"><button class="link" title="Signed in as {}">Log out</button></form>"#,
                proof,
                name
            ),
            None => html!("<a href=\"/login\">Log in</a>"),
        };
        let node = &site.node().voice().node;
        let title = format!("{} · {node}", self.title);
        let header = html!(
            r##"<a class="skip" href="#main">To the content</a><header><div class="bar {}"><p class="trail"><a href="/">{}</a>{}</p><nav aria-label="The node"><a href="/queues">Queues</a><a href="/system">System</a>{}</nav></div></header>"##,
            self.tone.class(),
            node,
            self.trail,
            entry
        );
        let footer = html!("<footer>ci-node {}</footer>", site.version());
        let content = html!("{}{}", busy(site), self.body);
        let main = content.with(KEPT, kept);
        let shown = Arc::new(Shown::new(title, self.tone, &content));
        let body = html!(
            r#"{}<main id="main">{}</main>{}<p id="away" role="status"></p>"#,
            header,
            main,
            footer
        );
        let html = document(&shown.title, self.tone, (self.pace, Some(&shown.id)), body);
        Document { shown, html }
    }
}

/// The place of what a page keeps while it changes: no value can contain it, for values are escaped.
pub(super) const KEPT: &str = "<div id=\"kept\" data-kept></div>";

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        (Extension(self.shown), self.html).into_response()
    }
}

impl Failure {
    /// A page with a status of its own.
    pub(super) fn new(status: StatusCode, title: &str, body: Html) -> Self {
        Self { status, title: title.to_owned(), body, retry_after: None }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let title = problem.status.canonical_reason().unwrap_or("Error");
        let body = html!(
            r#"<h1>{}</h1><p>{}</p><p><a href="/">All repositories</a></p>"#,
            title,
            problem.detail
        );
        Self { retry_after: problem.retry_after, ..Self::new(problem.status, title, body) }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = html!(r#"<main class="narrow">{}</main>"#, self.body);
        // There is no script that would ask again.
        let pace = match self.status {
            StatusCode::SERVICE_UNAVAILABLE => Pace::Retried,
            _ => Pace::Still,
        };
        let document = document(&self.title, Tone::Mute, (pace, None), body);
        let mut response = (self.status, document).into_response();
        if pace == Pace::Retried {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER));
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        axum::response::Html(self.into_string()).into_response()
    }
}

/// Says where not all that is shown is of now.
fn busy(site: &Site) -> Html {
    let Some(gaps) = site.glance().and_then(Glance::gaps) else { return Html::default() };
    let as_of = gaps.as_of.map(|at| format!("As of {} UTC: ", clock(millis(at))));
    let unknown = match (&as_of, gaps.is_unknown) {
        (None, _) => "The node is busy, and has not said yet what is missing here.",
        (Some(_), true) => {
            "the node is busy. Some of it is older than the rest, and some is missing."
        }
        (Some(_), false) => "the node is busy. Some of this is older than the rest.",
    };
    html!(r#"<p class="busy" role="status">{}{}</p>"#, as_of.unwrap_or_default(), unknown)
}

/// For every path that names nothing.
pub(super) async fn nothing() -> Failure {
    Problem::not_found("there is no such page").into()
}

/// For a page that is asked for something that no page does.
pub(super) async fn not_that() -> Failure {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this cannot be done here").into()
}

fn document(title: &str, tone: Tone, (pace, id): (Pace, Option<&str>), body: Html) -> Html {
    let refresh = match pace {
        Pace::Live => html!(r#"<noscript><meta http-equiv="refresh" content="5"></noscript>"#),
        Pace::Retried => html!(r#"<meta http-equiv="refresh" content="{}">"#, RETRY_AFTER),
        Pace::Still => Html::default(),
    };
    let script = id.map(|_| html!(r#"<script src="{}" defer></script>"#, asset::SCRIPT.path()));
    let id = id.map(|id| html!(r#" data-shown="{}""#, id));
    html!(
        r#"<!doctype html>
<html lang="en"{}><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">{}
<title>{}</title>
<link rel="icon" href="{}">
<link rel="stylesheet" href="{}">
{}</head><body>{}</body></html>
"#,
        id.unwrap_or_default(),
        refresh,
        title,
        icon::path(tone),
        asset::STYLE.path(),
        script.unwrap_or_default(),
        body
    )
}

/// A text from outside that may be in a script of another direction.
pub(super) fn foreign(text: &str) -> Html {
    html!("<bdi>{}</bdi>", text)
}
