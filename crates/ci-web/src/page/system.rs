//! `/system`: queues, writes that are owed, polls, and the supervision tree.

mod tree;

use ci_build::LeftoverTotals;

use super::html::{Html, html};
use super::icon::{Tone, badge};
use super::layout::{Document, Pace, Page};
use super::visitor::Visitor;
use crate::ask;
use crate::moment::{date, words};
use crate::seen::Hasty;
use crate::wire::{NodeStatus, Queue, Quota, Repo, Undelivered};

pub(super) async fn show(Hasty(site): Hasty, visitor: Visitor) -> Document {
    let status = ask::status_but_verdicts(&site).await;
    let snapshot = site.hub().snapshot();
    let body = html!(
        "<h1>System</h1>{}{}{}{}{}{}{}{}{}",
        overview(&status),
        leftovers(site.node().runs().leftovers()),
        queues(&status.queues),
        undelivered(&status.undelivered),
        quotas(&status.quotas),
        polls(&status.repos),
        tree::waiting(&snapshot),
        tree::crashes(&snapshot),
        tree::living(&snapshot)
    );
    let trail = html!(" <span>/</span> System");
    let tone = if status.readiness.is_ready() { Tone::Good } else { Tone::Broken };
    Page { title: "System".to_owned(), trail, tone, pace: Pace::Live, body }.render(&site, &visitor)
}

fn overview(status: &NodeStatus) -> Html {
    let ready = if status.readiness.is_ready() {
        badge(Tone::Good, "ready")
    } else {
        html!("{} {}", badge(Tone::Broken, "not ready"), status.readiness.reasons.join("; "))
    };
    let store = &status.store;
    let health = if store.failed { badge(Tone::Broken, "store failed") } else { Html::default() };
    html!(
        r#"<p>{} {}</p><p>Isolation of jobs: {}</p><p class="quiet">{} {} · serving since {} · store: {} changes in {} syncs, {} waiting, {} bytes</p>"#,
        ready,
        health,
        status.isolation.words(),
        status.name,
        status.version,
        date(status.started_ms),
        store.changes,
        store.commits,
        store.queued,
        store.disk_bytes
    )
}

fn leftovers(totals: LeftoverTotals) -> Html {
    let LeftoverTotals { strays, survivors, swept } = totals;
    let trouble = match survivors {
        0 => Html::default(),
        survivors => html!(
            " {} {} could not be ended; their jobs name them",
            badge(Tone::Broken, "left alive"),
            survivors
        ),
    };
    html!(
        "<p class=\"quiet\">Processes that left their command and were ended with their job: {}; \
         that a killed runner left: {}{}</p>",
        strays,
        swept,
        trouble
    )
}

fn queues(queues: &[Queue]) -> Html {
    let row = |queue: &Queue| {
        let limit = queue.concurrency.map_or_else(|| "–".to_owned(), |limit| limit.to_string());
        let wait = queue.oldest_wait_ms.map(words).unwrap_or_default();
        let hold = if queue.on_hold { badge(Tone::Wait, "on hold") } else { Html::default() };
        html!(
            "<tr><td><code>{}</code> {}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            queue.name,
            hold,
            queue.held,
            limit,
            queue.waiting,
            wait,
            queue.granted
        )
    };
    html!(
        "<h2><a href=\"/queues\">Queues</a></h2><div class=\"wide\" tabindex=\"0\"><table><thead><tr><th>Queue</th><th>Held</th><th>Limit</th>\
         <th>Waiting</th><th>Oldest wait</th><th>Granted</th></tr></thead><tbody>{}</tbody></table></div>",
        queues.iter().map(row).collect::<Html>()
    )
}

fn undelivered(writes: &[Undelivered]) -> Html {
    if writes.is_empty() {
        return html!("<h2>Writes to the forge</h2><p>All were taken.</p>");
    }
    let row = |write: &Undelivered| {
        html!("<li><strong>{}</strong>: {}<br>{}</li>", write.repo, write.what, write.reason)
    };
    let rows: Html = writes.iter().map(row).collect();
    html!(r#"<h2>Writes that the forge has not taken</h2><ul class="trouble">{}</ul>"#, rows)
}

fn quotas(quotas: &[Quota]) -> Html {
    let row = |quota: &Quota| {
        html!(
            "<li>{}: {} of {} left until {}</li>",
            quota.kind,
            quota.remaining,
            quota.limit,
            date(quota.reset_ms)
        )
    };
    match quotas {
        [] => Html::default(),
        all => html!("<h2>Calls of GitHub</h2><ul>{}</ul>", all.iter().map(row).collect::<Html>()),
    }
}

fn polls(repos: &[Repo]) -> Html {
    let row = |repo: &Repo| {
        let trouble = match &repo.trouble {
            Some(trouble) => html!("{} {}", badge(Tone::Broken, "trouble"), trouble),
            None if repo.polls == 0 => badge(Tone::Wait, "not polled yet"),
            None => badge(Tone::Good, "fine"),
        };
        html!(
            "<tr><td><a href=\"/{}\">{}</a></td><td>{}</td><td>{}</td></tr>",
            repo.name,
            repo.name,
            repo.polls,
            trouble
        )
    };
    html!(
        "<h2>Polls</h2><div class=\"wide\" tabindex=\"0\"><table><thead><tr><th>Repository</th><th>Polls</th><th>Last</th>\
         </tr></thead><tbody>{}</tbody></table></div>",
        repos.iter().map(row).collect::<Html>()
    )
}
