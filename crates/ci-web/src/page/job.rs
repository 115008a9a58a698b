//! `…/pull/{n}/jobs/{attempt}` and `…/branch/{name}/jobs/{attempt}`: the commands of an attempt with the ends
//! of their logs.
//!
//! Statuses and comments link here, so it works for attempts that newer ones have replaced, too.

mod kept;
mod place;
mod steps;
mod tail;

use axum::http::StatusCode;
use ci_domain::ids::AttemptId;

pub(super) use self::place::Place;
use self::tail::Tail;
use super::act;
use super::html::{Html, html};
use super::icon::{self, Tone, badge};
use super::layout::{Document, Failure, Pace, Page};
use super::log::{Look, draw};
use super::part;
use super::tests;
use super::time::ago;
use super::visitor::Visitor;
use crate::api::{BranchPath, Named, PullPath};
use crate::ask;
use crate::log::failures_last;
use crate::moment::words;
use crate::problem::Problem;
use crate::seen::Hasty;
use crate::site::Site;
use crate::wire::{Command, Job, JobRun};

pub(super) async fn of_pull(
    Hasty(site): Hasty,
    visitor: Visitor,
    path: Result<PullPath, Problem>,
    attempt: Result<Named<AttemptId>, Problem>,
) -> Result<Document, Failure> {
    let (path, Named(attempt)) = (path?, attempt?);
    let place = Place::of_pull(&site, path, &attempt).await?;
    show(&site, &visitor, place, &attempt).await
}

pub(super) async fn of_branch(
    Hasty(site): Hasty,
    visitor: Visitor,
    path: Result<BranchPath, Problem>,
    attempt: Result<Named<AttemptId>, Problem>,
) -> Result<Document, Failure> {
    let (path, Named(attempt)) = (path?, attempt?);
    let place = Place::of_branch(&site, path, &attempt).await?;
    show(&site, &visitor, place, &attempt).await
}

async fn show(
    site: &Site,
    visitor: &Visitor,
    place: Place,
    attempt: &AttemptId,
) -> Result<Document, Failure> {
    let job = place.job(attempt);
    let run = match ask::job_run(site, attempt).await {
        Ok(run) => Some(run),
        // It waits for its turn, and has no commands yet.
        Err(problem) if problem.status == StatusCode::NOT_FOUND && job.is_some() => None,
        Err(problem) => return Err(problem.into()),
    };
    let is_live = run.as_ref().is_none_or(|run| !run.ended);
    let name = place.name(attempt);
    let tone = job.map_or(Tone::Mute, |job| job.state.into());
    let form = visitor.proof().and_then(|proof| {
        let button = place.button(job?)?;
        Some(act::form(&place.page, &proof, button))
    });
    let facts = facts(&place, attempt, run.as_ref(), form);
    let content = match run {
        Some(run) => commands(site, &place, (attempt, run)).await?,
        None => html!("<p>It has not started yet.</p>"),
    };
    let page = Page {
        title: format!("{name} of {}", place.title),
        trail: html!("{} <span>/</span> {}", place.trail, name),
        tone,
        pace: if is_live { Pace::Live } else { Pace::Still },
        body: html!("<h1>{}</h1>{}{}", name, facts, content),
    };
    Ok(page.render(site, visitor))
}

fn facts(place: &Place, attempt: &AttemptId, run: Option<&JobRun>, form: Option<Html>) -> Html {
    let job = place.job(attempt);
    let state = job.map(|job: &Job| {
        let usual = place.usual.get(&job.job).copied();
        let why = job.reason.as_deref().map(|why| html!(" {}", why));
        html!(
            "{}{} {}{}",
            badge(job.state.into(), job.state.words()),
            why.unwrap_or_default(),
            part::meter(job, usual),
            part::time(job, usual)
        )
    });
    let started = run.and_then(|run| run.started_ms);
    let started = started.map(|at| html!(" · started {}", ago(at)));
    let log = run.map(|run| {
        html!(r#" · <a href="/api/v1/jobs/{}/log" download>whole log</a>"#, run.attempt)
    });
    html!(
        r#"<div class="actions {}"><p>{}</p>{}</div><p class="quiet">attempt <code>{}</code>{}{}</p>"#,
        job.map_or(Tone::Mute, |job| job.state.into()).class(),
        state.unwrap_or_default(),
        form.unwrap_or_default(),
        attempt,
        started.unwrap_or_default(),
        log.unwrap_or_default()
    )
}

/// The commands in the order they started, and then each with the end of its log, those that failed last.
async fn commands(
    site: &Site,
    place: &Place,
    (attempt, run): (&AttemptId, JobRun),
) -> Result<Html, Problem> {
    let steps = steps::table(&run);
    let tests = place.tests.iter().find(|tests| tests.attempt == attempt.as_str());
    let tests = tests.map(tests::of_attempt).unwrap_or_default();
    let kept = kept::show(&ask::artifacts(site, attempt).await?, &run.commands);
    let logs = format!("{}/jobs/{}/log", place.page, run.attempt);
    let has_ended = run.ended;
    let commands = failures_last(run.commands);
    let tails = tail::read(site, &commands).await?;
    let pairs = commands.iter().zip(&tails);
    let shown: Html =
        pairs.map(|(command, tail)| show_command(&logs, command, tail, has_ended)).collect();
    let choices = html!(
        r#"<p class="tools"><label><input type="checkbox" id="wrap" checked> Wrap lines</label><label><input type="checkbox" id="times"> Times (UTC)</label></p>"#
    );
    Ok(html!("{}{}{}<h2>Logs</h2>{}{}", steps, tests, kept, choices, shown))
}

/// How a command stands, in a shape and in words.
pub(super) fn standing(command: &Command, has_ended: bool) -> (Tone, String) {
    match command.end {
        Some(end) if end.is_success() => (Tone::Good, "passed".to_owned()),
        Some(end) => (Tone::Bad, end.to_string()),
        None if has_ended => (Tone::Broken, "lost".to_owned()),
        None => (Tone::Live, "running".to_owned()),
    }
}

/// The part of a command's id that is its own within its attempt.
pub(super) fn local_id(command: &Command) -> &str {
    command.id.split_once('.').map_or(command.id.as_str(), |(_, id)| id)
}

fn show_command(logs: &str, command: &Command, tail: &Tail, has_ended: bool) -> Html {
    let (tone, state) = standing(command, has_ended);
    let id = local_id(command);
    let page = format!("{logs}/{id}");
    let time = command.duration_ms.map(words).unwrap_or_default();
    let note = match tail {
        Tail::LeftOut => html!(r#"<a href="{}">Open the log</a>"#, page),
        Tail::Shown { lines, total } if lines.from.line > 1 => {
            html!(r#"The end of <a href="{}">the log of {} lines</a>"#, page, total)
        }
        Tail::Shown { total: 0, .. } => html!("It has printed nothing."),
        Tail::Shown { .. } => html!(r#"<a href="{}">Open the log</a>"#, page),
    };
    let text = match tail {
        Tail::LeftOut | Tail::Shown { total: 0, .. } => Html::default(),
        Tail::Shown { lines, .. } => {
            let look = Look { prefix: &format!("{id}-"), page: &page, find: None };
            html!(
                r#"<div class="log" role="region" aria-label="Log of {}" tabindex="0"><div>{}</div></div>"#,
                command.title,
                draw(lines, &look)
            )
        }
    };
    html!(
        r#"<details class="command" id="{}"{}><summary>{} <code>{}</code> <span class="quiet">{} {}</span></summary><p class="quiet">{}</p>{}</details>"#,
        id,
        if tone == Tone::Good { "" } else { " open" },
        icon::telling(tone, &state),
        command.title,
        state,
        time,
        note,
        text
    )
}
