//! `…/jobs/{attempt}/log/{command}`: one log in full, a thousand lines at a time.
//!
//! ```text
//! …/log/0-1?line=12345#L12345   the page, with the block that the line is in; works without scripts
//! /logs/{id}/lines?from=12001   the lines of one block, for the script
//! /logs/{id}/follow?next=…      what is printed from there on, as events whose ids are where to go on
//! ```

mod draw;
mod excerpt;
mod follow;
mod search;

use std::io;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use ci_domain::ids::AttemptId;
use ci_exec::{CommandId, LogReader};
use serde::Deserialize;

pub(super) use self::draw::{Look, draw};
pub(super) use self::follow::follow;
use super::html::{Html, html};
use super::icon::badge;
use super::job::{Place, standing};
use super::layout::{Document, Failure, KEPT, Pace, Page};
use super::live::Extent;
use super::time::{ago, lasting};
use super::visitor::Visitor;
use crate::api::{self, BranchPath, Named, PullPath};
use crate::ask;
use crate::log::BLOCK;
use crate::moment::words;
use crate::problem::Problem;
use crate::seen::Hasty;
use crate::site::Site;
use crate::wire::{Command, CommandRef, JobRun};

/// The attempt and the command of a path.
#[derive(Deserialize)]
struct Target {
    attempt: String,
    command: String,
}

/// What of a log is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    line: Option<u64>,
    find: String,
}

/// Of which log how much is wanted.
pub(super) struct Asked {
    command: CommandRef,
    wanted: Wanted,
    extent: Extent,
}

/// Which block is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct From {
    from: u64,
    count: Option<u64>,
    find: String,
}

pub(super) async fn of_pull(
    Hasty(site): Hasty,
    visitor: Visitor,
    path: Result<PullPath, Problem>,
    asked: Asked,
) -> Result<Document, Failure> {
    let place = Place::of_pull(&site, path?, &asked.command.attempt).await?;
    show(&site, &visitor, place, asked).await
}

pub(super) async fn of_branch(
    Hasty(site): Hasty,
    visitor: Visitor,
    path: Result<BranchPath, Problem>,
    asked: Asked,
) -> Result<Document, Failure> {
    let place = Place::of_branch(&site, path?, &asked.command.attempt).await?;
    show(&site, &visitor, place, asked).await
}

/// The lines of one block.
pub(super) async fn lines(
    State(site): State<Site>,
    _: Visitor,
    Named(command): Named<CommandRef>,
    Query(asked): Query<From>,
) -> Result<Html, Failure> {
    let reader = reader(&site, &command)?;
    let shelf = site.logs().clone();
    // Who follows a log is told its unfinished line otherwise, and asks for no more than they know of.
    let count = asked.count.unwrap_or(BLOCK).min(BLOCK);
    let read =
        move || shelf.with_index(&command, reader, |index| index.lines_from(asked.from, count));
    let lines = blocking(read).await?;
    let find = Some(asked.find.as_str()).filter(|find| !find.is_empty());
    Ok(draw(&lines, &Look { find, ..Look::default() }))
}

impl FromRequestParts<Site> for Asked {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        let nothing = |error: PathRejection| Problem::not_found(error.body_text());
        let target = Path::<Target>::from_request_parts(parts, site).await.map_err(nothing)?;
        let fields = api::Asked::<Wanted>::from_request_parts(parts, site).await?;
        let Ok(extent) = Extent::from_request_parts(parts, site).await;
        Ok(Self { command: target.command()?, wanted: fields.0, extent })
    }
}

impl Target {
    fn command(&self) -> Result<CommandRef, Problem> {
        let attempt: Result<AttemptId, _> = self.attempt.parse();
        let attempt = attempt.map_err(|error| Problem::not_found(error.to_string()))?;
        let command = CommandId::parse(&self.command);
        let nothing = || Problem::not_found(format!("{:?} is not a command", self.command));
        Ok(CommandRef { attempt, command: command.ok_or_else(nothing)? })
    }
}

async fn show(
    site: &Site,
    visitor: &Visitor,
    place: Place,
    Asked { command: reference, wanted, extent }: Asked,
) -> Result<Document, Failure> {
    let run = ask::job_run(site, &reference.attempt).await?;
    let id = reference.to_string();
    let nothing = || Problem::not_found(format!("there is no command {id}"));
    let command = run.commands.iter().rfind(|command| command.id == id).ok_or_else(nothing)?;
    let is_live = command.end.is_none() && !run.ended;
    let (tone, state) = standing(command, run.ended);
    let job = place.name(&reference.attempt);
    let job_page = format!("{}/jobs/{}", place.page, reference.attempt);
    let excerpt = match extent {
        Extent::Glimpse => None,
        Extent::Whole => Some(excerpt::read(site, &reference, command, (&wanted, is_live)).await?),
    };
    let log = excerpt.as_ref().map(|excerpt| excerpt::draw_all(command, excerpt, &wanted, is_live));
    let page = Page {
        title: format!("{} of {job}", command.title),
        trail: html!(
            r#"{} <span>/</span> <a href="{}">{}</a> <span>/</span> log"#,
            place.trail,
            job_page,
            job
        ),
        tone,
        pace: if is_live { Pace::Live } else { Pace::Still },
        body: html!(
            r#"<h1><code>{}</code></h1>{}{}{}"#,
            command.title,
            facts(&run, command, (tone, &state)),
            tools(command, &wanted, is_live),
            // Its place is where the log itself is put.
            kept()
        ),
    };
    Ok(page.render_with(site, visitor, &log.unwrap_or_default()))
}

/// The place of the log, as [`KEPT`] names it.
fn kept() -> Html {
    let place = html!(r#"<div id="kept" data-kept></div>"#);
    debug_assert_eq!(place.as_str(), KEPT);
    place
}

fn facts(run: &JobRun, command: &Command, (tone, state): (super::icon::Tone, &str)) -> Html {
    let time = match command.duration_ms {
        Some(duration) => html!("{}", words(duration)),
        None if run.ended => Html::default(),
        None => lasting(command.started_ms),
    };
    html!(
        r#"<p>{} {} <span class="quiet">· started {}</span></p>"#,
        badge(tone, state),
        time,
        ago(command.started_ms)
    )
}

fn tools(command: &Command, wanted: &Wanted, is_live: bool) -> Html {
    let follow = html!(
        r#"<label class="script"><input type="checkbox" id="follow" checked> Follow</label>"#
    );
    html!(
        r#"<div class="tools"><form role="search"><input type="search" name="find" value="{}" aria-label="Find in this log" placeholder="Find ( / )"><button>Find</button></form><label><input type="checkbox" id="wrap" checked> Wrap lines</label><label><input type="checkbox" id="times"> Times (UTC)</label>{}<a href="/api/v1/commands/{}/log" download="{}.log">Download</a></div>"#,
        wanted.find,
        if is_live { follow } else { Html::default() },
        command.id,
        command.id
    )
}

fn reader(site: &Site, command: &CommandRef) -> Result<LogReader, Problem> {
    let nothing = || Problem::not_found(format!("there is no command {command}"));
    site.node().runs().log(&command.attempt, &command.command).ok_or_else(nothing)
}

/// Reads from files, away from those who must not wait.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let read = tokio::task::spawn_blocking(read).await.map_err(heights::Fault::from);
    let read = read.and_then(|read| read.map_err(heights::Fault::from));
    read.map_err(|error| Problem::unavailable("read the log", &error))
}
