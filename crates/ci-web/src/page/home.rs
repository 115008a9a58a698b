//! `/`: the repositories.

use axum::extract::State;

use super::html::{Html, html};
use super::layout::{Pace, Page, badge};
use super::visitor::Visitor;
use crate::ask;
use crate::site::Site;
use crate::wire::Repo;

pub(super) async fn show(State(site): State<Site>, visitor: Visitor) -> Html {
    let repos = ask::repos(&site).await;
    let pending = repos.iter().any(|repo| repo.verdicts.pending > 0);
    let body = html!("<h1>Repositories</h1>{}", table(&repos));
    let pace = if pending { Pace::Live } else { Pace::Still };
    Page { title: "Repositories".to_owned(), trail: Html::default(), pace, body }
        .render(&site, &visitor)
}

fn table(repos: &[Repo]) -> Html {
    if repos.is_empty() {
        return html!("<p>No repository is configured.</p>");
    }
    html!(r#"<ul class="cards">{}</ul>"#, repos.iter().map(row).collect::<Html>())
}

fn row(repo: &Repo) -> Html {
    let counts = &repo.verdicts;
    let badges = [
        ("good", "can be merged", counts.success),
        ("wait", "pending", counts.pending),
        ("bad", "failing", counts.failure),
        ("broken", "in error", counts.error),
        ("mute", "silent", counts.unknown),
        ("broken", "quarantined", repo.quarantined.len() as u64),
    ];
    let badges = badges.into_iter().filter(|(.., count)| *count > 0);
    let badges: Html =
        badges.map(|(class, words, count)| badge(class, &format!("{count} {words}"))).collect();
    let trouble = repo.trouble.as_ref();
    let trouble =
        trouble.map(|trouble| html!(r#"<p class="trouble">The last poll failed: {}</p>"#, trouble));
    html!(
        r#"<li><a class="name" href="/{}">{}</a><p>{} open {}</p>{}</li>"#,
        repo.name,
        repo.name,
        repo.open.len(),
        badges,
        trouble.unwrap_or_default()
    )
}
