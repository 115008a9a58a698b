//! `/{owner}/{repo}`: the open pull requests, those that were given up, and the branches.

use axum::extract::State;
use ci_domain::ids::RepoName;

use super::branch;
use super::html::{Html, html};
use super::layout::{Failure, Pace, Page, foreign, verdict_badge};
use super::visitor::Visitor;
use crate::api::RepoPath;
use crate::ask;
use crate::site::Site;
use crate::wire::{BranchSummary, PullSummary, Quarantined, VerdictState};

pub(super) async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    path: Result<RepoPath, crate::problem::Problem>,
) -> Result<Html, Failure> {
    let RepoPath(repo) = path?;
    let pulls = ask::pulls(&site, &repo).await?;
    let quarantined = ask::quarantined(&site, &repo).await?;
    let branches = ask::branches(&site, &repo).await?;
    let is_live = pulls.iter().any(|pull| pull.building || pull.state == VerdictState::Pending)
        || branches.iter().any(branch::is_live);
    let body = html!(
        "<h1>{}</h1>{}{}{}",
        repo,
        given_up(&quarantined),
        if pulls.is_empty() { html!("<p>No pull request is open.</p>") } else { list(&pulls) },
        built(&branches)
    );
    let pace = if is_live { Pace::Live } else { Pace::Still };
    let page = Page { title: repo.to_string(), trail: trail(&repo), pace, body };
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

fn list(pulls: &[PullSummary]) -> Html {
    html!(r#"<ul class="cards">{}</ul>"#, pulls.iter().map(row).collect::<Html>())
}

fn built(branches: &[BranchSummary]) -> Html {
    if branches.is_empty() {
        return Html::default();
    }
    let cards: Html = branches.iter().map(branch::card).collect();
    html!(r#"<h2>Branches</h2><ul class="cards">{}</ul>"#, cards)
}

fn row(pull: &PullSummary) -> Html {
    let title = pull.title.as_deref().unwrap_or("not read yet");
    let by = pull.author.as_deref().map(|author| html!(" by {}", foreign(author)));
    let base = pull.base.as_deref().map(|base| html!(" into {}", foreign(base)));
    html!(
        r#"<li><p>{} <a class="name" href="/{}/pull/{}">{}</a></p><p>{}</p><p class="quiet">#{}{}{}{}</p></li>"#,
        verdict_badge(pull.state),
        pull.repo,
        pull.number,
        foreign(title),
        pull.description,
        pull.number,
        by.unwrap_or_default(),
        base.unwrap_or_default(),
        if pull.draft { " · draft" } else { "" }
    )
}
