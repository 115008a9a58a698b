//! `/`: the repositories.

use super::html::{Html, html};
use super::icon::{self, Tone, badge};
use super::layout::{Document, Pace, Page};
use super::visitor::Entrant;
use crate::ask;
use crate::seen::Hasty;
use crate::wire::{Repo, VerdictCounts};

pub(super) async fn show(Hasty(site): Hasty, Entrant(visitor): Entrant) -> Document {
    let repos = ask::repos(&site, visitor.caller.repos(&site).await).await;
    let is_pending = repos.iter().any(|repo| repo.verdicts.pending > 0);
    let tones = repos.iter().map(tone);
    let page = Page {
        title: "Repositories".to_owned(),
        trail: Html::default(),
        tone: tones.max_by_key(|tone| *tone == Tone::Broken).unwrap_or(Tone::Mute),
        pace: if is_pending { Pace::Live } else { Pace::Still },
        body: html!("<h1>Repositories</h1>{}", cards(&repos)),
    };
    page.render(&site, &visitor)
}

fn cards(repos: &[Repo]) -> Html {
    if repos.is_empty() {
        return html!("<p>There is no repository that you can read.</p>");
    }
    html!(r#"<ul class="cards wide-cards">{}</ul>"#, repos.iter().map(card).collect::<Html>())
}

/// How a repository stands: its pull requests are no trouble of its own.
fn tone(repo: &Repo) -> Tone {
    match repo {
        Repo { trouble: Some(_), .. } => Tone::Broken,
        Repo { quarantined, .. } if !quarantined.is_empty() => Tone::Broken,
        Repo { verdicts: VerdictCounts { pending: 1.., .. }, .. } => Tone::Wait,
        _ => Tone::Good,
    }
}

fn card(repo: &Repo) -> Html {
    let counts = &repo.verdicts;
    let badges = [
        (Tone::Good, "can be merged", counts.success),
        (Tone::Wait, "pending", counts.pending),
        (Tone::Bad, "failing", counts.failure),
        (Tone::Broken, "in error", counts.error),
        (Tone::Mute, "silent", counts.unknown),
        (Tone::Broken, "quarantined", repo.quarantined.len() as u64),
    ];
    let badges = badges.into_iter().filter(|(.., count)| *count > 0);
    let badges: Html =
        badges.map(|(tone, words, count)| badge(tone, &format!("{count} {words}"))).collect();
    let trouble = repo.trouble.as_ref();
    let trouble =
        trouble.map(|trouble| html!(r#"<p class="trouble">The last poll failed: {}</p>"#, trouble));
    let pulls = match repo.open.len() {
        1 => "1 open pull request".to_owned(),
        open => format!("{open} open pull requests"),
    };
    html!(
        r#"<li>{} <a class="name" href="/{}">{}</a><p class="quiet">{}</p><p class="actions">{}</p>{}</li>"#,
        icon::shape(tone(repo)),
        repo.name,
        repo.name,
        pulls,
        badges,
        trouble.unwrap_or_default()
    )
}
