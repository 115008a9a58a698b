//! `/queues`: who waits for what, and who has it.

use super::html::{Html, html};
use super::icon::{Tone, badge};
use super::layout::{Document, Pace, Page, foreign};
use super::time::lasting;
use super::visitor::Visitor;
use crate::ask::{self, Claim, Line, WaitingJob};
use crate::moment::words;
use crate::seen::Hasty;

/// Of those who wait, and of those who are served, so many are named.
const MOST: usize = 100;
/// Ages are told to this many milliseconds: they are of interest in their order of magnitude.
const STEP: u64 = 5_000;

pub(super) async fn show(Hasty(site): Hasty, visitor: Visitor) -> Document {
    let lines = ask::lines(&site).await;
    let waiting: usize = lines.iter().map(|line| line.jobs.len()).sum();
    let busy = lines.iter().any(|line| !line.held.is_empty());
    let sections: Html = lines.iter().map(section).collect();
    let page = Page {
        title: "Queues".to_owned(),
        trail: html!(" <span>/</span> Queues"),
        tone: match (waiting, busy) {
            (1.., _) => Tone::Wait,
            (0, true) => Tone::Live,
            (0, false) => Tone::Good,
        },
        pace: Pace::Live,
        body: html!("<h1>Queues</h1>{}{}", summary(&lines), sections),
    };
    page.render(&site, &visitor)
}

/// All queues in a few figures.
fn summary(lines: &[Line]) -> Html {
    let row = |line: &Line| {
        let limit = line.limit.map_or_else(|| "no limit".to_owned(), |limit| limit.to_string());
        let hold = if line.on_hold { badge(Tone::Wait, "on hold") } else { Html::default() };
        html!(
            r##"<tr><td><a href="#queue-{}"><code>{}</code></a> {}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"##,
            line.name,
            line.name,
            hold,
            line.held.len(),
            limit,
            line.waiting.len(),
            line.granted
        )
    };
    html!(
        "<div class=\"wide\" tabindex=\"0\"><table><thead><tr><th>Queue</th><th>At work</th><th>At most</th><th>Waiting</th>\
         <th>Granted since the start</th></tr></thead><tbody>{}</tbody></table></div>",
        lines.iter().map(row).collect::<Html>()
    )
}

/// Who is in one queue; nothing where nobody is.
fn section(line: &Line) -> Html {
    if line.held.is_empty() && line.waiting.is_empty() {
        return html!(r#"<span id="queue-{}"></span>"#, line.name);
    }
    html!(
        r#"<section id="queue-{}"><h2><code>{}</code></h2>{}{}{}</section>"#,
        line.name,
        line.name,
        jobs(&line.jobs),
        claims("Waits", &line.waiting),
        claims("Is at work", &line.held)
    )
}

/// The jobs that wait in it.
fn jobs(jobs: &[WaitingJob]) -> Html {
    if jobs.is_empty() {
        return Html::default();
    }
    let row = |job: &WaitingJob| {
        let ahead = match job.ahead {
            Some(0) => "next".to_owned(),
            Some(1) => "one goes first at most".to_owned(),
            Some(ahead) => format!("{ahead} go first at most"),
            None => String::new(),
        };
        html!(
            r#"<tr><td>{}</td><td><a href="{}">{}</a></td><td>{}</td><td>{}</td></tr>"#,
            job.job,
            job.page,
            job.page.trim_start_matches('/'),
            lasting(job.since_ms),
            ahead
        )
    };
    html!(
        "<div class=\"wide\" tabindex=\"0\"><table><thead><tr><th>Job that waits</th><th>Of</th><th>For</th><th>Place</th></tr></thead><tbody>{}</tbody></table></div>",
        jobs.iter().take(MOST).map(row).collect::<Html>()
    )
}

fn claims(title: &'static str, claims: &[Claim]) -> Html {
    if claims.is_empty() {
        return Html::default();
    }
    let row = |claim: &Claim| {
        let party = match claim.party.as_str() {
            "" => html!("the node itself"),
            party => foreign(party),
        };
        let age = claim.age_ms / STEP * STEP;
        let age = if age == 0 { "a moment".to_owned() } else { words(age) };
        html!("<tr><td>{}</td><td><code>{}</code></td><td>{}</td></tr>", party, claim.queue, age)
    };
    let more = claims.len().saturating_sub(MOST);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    html!(
        "<h3>{} ({})</h3><div class=\"wide\" tabindex=\"0\"><table><thead><tr><th>On behalf of</th><th>Queue</th><th>For</th></tr></thead><tbody>{}</tbody></table></div><p class=\"quiet\">{}</p>",
        title,
        claims.len(),
        claims.iter().take(MOST).map(row).collect::<Html>(),
        more
    )
}
