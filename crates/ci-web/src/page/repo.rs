//! `/{owner}/{repo}`: the open pull requests, those that were given up, and the branches.

use axum::extract::Query;
use ci_domain::ids::RepoName;
use serde::Deserialize;

use super::branch;
use super::html::{Html, html};
use super::icon::{self, Tone};
use super::layout::{Document, Failure, Pace, Page, foreign};
use super::time::ago;
use super::visitor::Visitor;
use crate::api::RepoPath;
use crate::ask;
use crate::seen::Hasty;
use crate::wire::{BranchSummary, PullSummary, Quarantined, VerdictState};

/// Pull requests of one page.
const PAGE: usize = 100;
/// The kinds that one can look at alone: their name in the address, in words, and the states.
const KINDS: [(&str, &str, VerdictState); 4] = [
    ("mergeable", "Can be merged", VerdictState::Success),
    ("pending", "Pending", VerdictState::Pending),
    ("failing", "Failing", VerdictState::Failure),
    ("error", "In error", VerdictState::Error),
];

/// Which pull requests are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    only: String,
    page: usize,
}

pub(super) async fn show(
    Hasty(site): Hasty,
    visitor: Visitor,
    path: Result<RepoPath, crate::problem::Problem>,
    Query(wanted): Query<Wanted>,
) -> Result<Document, Failure> {
    let RepoPath(repo) = path?;
    let open = ask::open(&site, &repo).await?;
    let mut pulls = ask::summaries(&site, &repo, &open).await;
    pulls.reverse();
    let quarantined = ask::quarantined(&site, &repo).await?;
    let branches = ask::branches(&site, &repo).await?;
    let is_live = pulls.iter().any(|pull| pull.building || pull.state == VerdictState::Pending)
        || branches.iter().any(branch::is_live);
    let body = html!(
        "<h1>{}</h1>{}<div class=\"columns\"><section class=\"work\"><h2>Pull requests</h2>{}{}</section><aside>{}</aside></div>",
        repo,
        given_up(&quarantined),
        tabs(&repo, &pulls, &wanted),
        list(&repo, &pulls, &wanted),
        built(&branches)
    );
    let pace = if is_live { Pace::Live } else { Pace::Still };
    let tone = branches.iter().map(|branch| Tone::from(branch.state)).next();
    let page = Page {
        title: repo.to_string(),
        trail: trail(&repo),
        tone: tone.unwrap_or(Tone::Mute),
        pace,
        body,
    };
    Ok(page.render(&site, &visitor))
}

/// The way to a repository.
pub(super) fn trail(repo: &RepoName) -> Html {
    html!(r#" <span>/</span> <a href="/{}">{}</a>"#, repo, repo)
}

fn given_up(quarantined: &[Quarantined]) -> Html {
    if quarantined.is_empty() {
        return Html::default();
    }
    let one = |pull: &Quarantined| {
        html!(
            r#"<li><a href="/{}/pull/{}">#{}</a> is quarantined: {}</li>"#,
            pull.repo,
            pull.number,
            pull.number,
            pull.reason
        )
    };
    html!(r#"<ul class="trouble">{}</ul>"#, quarantined.iter().map(one).collect::<Html>())
}

/// The ways to those of one kind alone.
fn tabs(repo: &RepoName, pulls: &[PullSummary], wanted: &Wanted) -> Html {
    let tab = |name: &str, words: &str, count: usize| {
        let current =
            if wanted.only == name { html!(r#" aria-current="page""#) } else { Html::default() };
        let query = if name.is_empty() { String::new() } else { format!("?only={name}") };
        html!(
            r#"<li><a href="/{}{}"{}>{} <span class="num">{}</span></a></li>"#,
            repo,
            query,
            current,
            words,
            count
        )
    };
    let count = |state: VerdictState| pulls.iter().filter(|pull| pull.state == state).count();
    let kinds = KINDS.iter().map(|(name, words, state)| (name, words, count(*state)));
    let kinds = kinds.filter(|(name, _, count)| *count > 0 || wanted.only == **name);
    let kinds: Html = kinds.map(|(name, words, count)| tab(name, words, count)).collect();
    html!(r#"<ul class="tabs">{}{}</ul>"#, tab("", "All", pulls.len()), kinds)
}

fn list(repo: &RepoName, pulls: &[PullSummary], wanted: &Wanted) -> Html {
    let kind = KINDS.iter().find(|(name, ..)| wanted.only == *name);
    let is_wanted = |pull: &&PullSummary| kind.is_none_or(|(.., state)| pull.state == *state);
    let wanted_pulls: Vec<&PullSummary> = pulls.iter().filter(is_wanted).collect();
    if wanted_pulls.is_empty() {
        let words = if pulls.is_empty() { "No pull request is open." } else { "There are none." };
        return html!("<p>{}</p>", words);
    }
    let pages = wanted_pulls.len().div_ceil(PAGE);
    let page = wanted.page.clamp(1, pages);
    let shown = wanted_pulls.iter().skip((page - 1) * PAGE).take(PAGE);
    let rows: Html = shown.map(|pull| row(pull)).collect();
    html!(r#"<ul class="rows">{}</ul>{}"#, rows, pager(repo, wanted, page, pages))
}

fn pager(repo: &RepoName, wanted: &Wanted, page: usize, pages: usize) -> Html {
    if pages == 1 {
        return Html::default();
    }
    let link = |to: usize, words: &str| match to {
        to if to == 0 || to > pages => Html::default(),
        to => html!(r#"<a href="/{}?only={}&amp;page={}">{}</a>"#, repo, wanted.only, to, words),
    };
    html!(
        r#"<nav aria-label="Pages">{}<span class="quiet">page {} of {}</span>{}</nav>"#,
        link(page - 1, "Newer"),
        page,
        pages,
        link(page + 1, "Older")
    )
}

fn built(branches: &[BranchSummary]) -> Html {
    if branches.is_empty() {
        return Html::default();
    }
    let rows: Html = branches.iter().map(branch::row).collect();
    html!(r#"<h2>Branches</h2><ul class="rows">{}</ul>"#, rows)
}

fn row(pull: &PullSummary) -> Html {
    let title = pull.title.as_deref().unwrap_or("not read yet");
    let by = pull.author.as_deref().map(|author| html!(" by {}", foreign(author)));
    let base = pull.base.as_deref().map(|base| html!(" into {}", foreign(base)));
    let tone = match (pull.building, pull.state) {
        (true, VerdictState::Pending) => Tone::Live,
        (_, state) => state.into(),
    };
    html!(
        r#"<li class="{}">{}<div><a class="name" href="/{}/pull/{}">{}</a><p class="said">{}</p><p class="quiet">#{}{}{}{}</p></div><p class="end">{}</p></li>"#,
        tone.class(),
        icon::telling(tone, pull.state.words()),
        pull.repo,
        pull.number,
        foreign(title),
        pull.description,
        pull.number,
        by.unwrap_or_default(),
        base.unwrap_or_default(),
        if pull.draft { " · draft" } else { "" },
        pull.opened_ms.map(ago).unwrap_or_default()
    )
}
