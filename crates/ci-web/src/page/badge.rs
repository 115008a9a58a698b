//! `/{owner}/{repo}/badge.svg`: how a branch stands, as a picture for other pages.

use axum::extract::Query;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use ci_domain::ids::BranchName;
use serde::Deserialize;

use super::html::{Html, html};
use crate::access::{Allowed, Look};
use crate::api::RepoPath;
use crate::ask;
use crate::problem::Problem;
use crate::seen::Hasty;
use crate::wire::VerdictState;

/// What the default branch is called most often; the first one that is built is taken.
const USUAL: [&str; 3] = ["main", "master", "trunk"];
/// Roughly how wide a character is.
const CHARACTER: usize = 7;
/// Left and right of a text.
const MARGIN: usize = 6;
/// A name is no longer than this.
const LONGEST: usize = 40;

/// Of which branch.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    branch: Option<String>,
}

pub(super) async fn show(
    Hasty(site): Hasty,
    _: Allowed<Look>,
    path: Result<RepoPath, Problem>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let RepoPath(repo) = path?;
    let watched = site.watcher(&repo).await?;
    let branches = &watched.branches;
    let name = match wanted.branch {
        Some(name) => {
            BranchName::new(name).map_err(|error| Problem::not_found(error.to_string()))?
        }
        None => {
            let is_usual = |name: &&BranchName| USUAL.contains(&name.as_str());
            let name = branches.iter().find(is_usual).or_else(|| branches.first());
            name.cloned().ok_or_else(|| Problem::not_found("no branch is built on push"))?
        }
    };
    let view = ask::branch(&site, &repo, &name).await?;
    let state = ask::branch_detail(&repo, &view).branch.state;
    let headers =
        [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "no-cache, max-age=0")];
    Ok((headers, picture(name.as_str(), state).into_string()).into_response())
}

/// The picture.
fn picture(branch: &str, state: VerdictState) -> Html {
    let (word, color) = match state {
        VerdictState::Success => ("passing", "#1a7f37"),
        VerdictState::Pending => ("pending", "#8a5a00"),
        VerdictState::Failure => ("failing", "#b91c2b"),
        VerdictState::Error => ("error", "#7a2aa3"),
        VerdictState::Unknown => ("unknown", "#596170"),
    };
    let name: String = branch.chars().take(LONGEST).collect();
    let width = |text: &str| text.chars().count() * CHARACTER + 2 * MARGIN;
    let (left, right) = (width(&name), width(word));
    html!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="20" role="img" aria-label="{}: {}"><title>{}: {}</title><clipPath id="r"><rect width="{}" height="20" rx="4"/></clipPath><g clip-path="url(#r)"><rect width="{}" height="20" fill="#3c434d"/><rect x="{}" width="{}" height="20" fill="{}"/></g><g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle"><text x="{}" y="14" textLength="{}">{}</text><text x="{}" y="14" textLength="{}">{}</text></g></svg>"##,
        left + right,
        name,
        word,
        name,
        word,
        left + right,
        left,
        left,
        right,
        color,
        left / 2,
        left - 2 * MARGIN,
        name,
        left + right / 2,
        right - 2 * MARGIN,
        word
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_says_how_the_branch_stands() {
        let shown = picture("main", VerdictState::Success).into_string();
        assert!(
            shown.contains("aria-label=\"main: passing\"") && shown.contains(">passing</text>"),
            "{shown}"
        );
        let hostile = picture("\"/><script>", VerdictState::Failure).into_string();
        assert!(!hostile.contains("<script"), "{hostile}");
        let long = picture(&"x".repeat(200), VerdictState::Error).into_string();
        assert!(long.contains(&format!(">{}</text>", "x".repeat(40))), "{long}");
    }
}
