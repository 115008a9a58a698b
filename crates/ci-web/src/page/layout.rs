//! What all pages have in common.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::asset;
use super::html::{Html, html};
use super::visitor::Visitor;
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{JobState, VerdictState};

/// One page.
pub(super) struct Page {
    /// What the window is called.
    pub(super) title: String,
    /// The way here, from the top.
    pub(super) trail: Html,
    /// Whether it changes by itself.
    pub(super) pace: Pace,
    /// The rest.
    pub(super) body: Html,
}

/// Whether a page changes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// It is loaded again every few seconds.
    Live,
    /// It stays as it is.
    Still,
}

/// A page that could not be made, or a form that was refused.
pub(super) struct Failure {
    status: StatusCode,
    title: String,
    body: Html,
}

impl Page {
    /// The whole document.
    pub(super) fn render(self, site: &Site, visitor: &Visitor) -> Html {
        let entry = if visitor.is_known() {
            html!(
                "<form method=\"post\" action=\"/logout\"><button class=\"link\">Log out</button></form>"
            )
        } else {
            html!("<a href=\"/login\">Log in</a>")
        };
        let nav = html!(r#"<nav><a href="/system">System</a>{}</nav>"#, entry);
        let node = &site.node().voice().node;
        let header = html!(
            r#"<header><p class="trail"><a href="/">{}</a>{}</p>{}</header>"#,
            node,
            self.trail,
            nav
        );
        let footer = html!("<footer>ci-node {}</footer>", site.version());
        let body = html!("{}<main>{}</main>{}", header, self.body, footer);
        document(&format!("{} · {node}", self.title), self.pace, body)
    }
}

impl Failure {
    /// A page with a status of its own.
    pub(super) fn new(status: StatusCode, title: &str, body: Html) -> Self {
        Self { status, title: title.to_owned(), body }
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
        Self::new(problem.status, title, body)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = html!(r#"<main class="narrow">{}</main>"#, self.body);
        (self.status, document(&self.title, Pace::Still, body)).into_response()
    }
}

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        axum::response::Html(self.into_string()).into_response()
    }
}

/// For every path that names nothing.
pub(super) async fn nothing() -> Failure {
    Problem::not_found("there is no such page").into()
}

fn document(title: &str, pace: Pace, body: Html) -> Html {
    let refresh = match pace {
        Pace::Live => html!(r#"<meta http-equiv="refresh" content="5">"#),
        Pace::Still => Html::default(),
    };
    html!(
        r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">{}
<title>{}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/{}">
</head><body>{}</body></html>
"#,
        refresh,
        title,
        *asset::NAME,
        body
    )
}

/// How a pull request stands, as a badge.
pub(super) fn verdict_badge(state: VerdictState) -> Html {
    let class = match state {
        VerdictState::Success => "good",
        VerdictState::Pending => "wait",
        VerdictState::Failure => "bad",
        VerdictState::Error => "broken",
        VerdictState::Unknown => "mute",
    };
    badge(class, state.words())
}

/// How far a job is, as a badge.
pub(super) fn job_badge(state: JobState) -> Html {
    let class = match state {
        JobState::Passed => "good",
        JobState::Failed => "bad",
        JobState::Crashed => "broken",
        JobState::Running | JobState::Cancelling => "live",
        JobState::Waiting | JobState::AwaitingApproval | JobState::Pending => "wait",
        JobState::Blocked | JobState::Cancelled => "mute",
    };
    badge(class, state.words())
}

/// A word on a color.
pub(super) fn badge(class: &'static str, words: &str) -> Html {
    html!(r#"<span class="badge {}">{}</span>"#, class, words)
}

/// A text from outside that may be in a script of another direction.
pub(super) fn foreign(text: &str) -> Html {
    html!("<bdi>{}</bdi>", text)
}
