//! What is printed while one looks, as events.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use ci_exec::LogReader;
use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::super::layout::Failure;
use super::super::visitor::Visitor;
use super::{Look, draw};
use crate::api::Named;
use crate::log::{self, Chunk, CommandLog, Follow, Lines, Mark, News};
use crate::problem::Problem;
use crate::site::Site;
use crate::stopping::Stopping;
use crate::wire::CommandRef;

/// How often a stream says that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Where to begin.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::page) struct Asked {
    next: String,
}

/// Whole lines, or what there is of one.
#[derive(Serialize)]
struct Told<'a> {
    from: u64,
    html: &'a str,
}

/// The lines of a log as they are printed. The id of an event is where to go on: `<offset>.<line>`.
pub(in crate::page) async fn follow(
    State(site): State<Site>,
    _: Visitor,
    Named(command): Named<CommandRef>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let resumed = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let place = resumed.unwrap_or(&asked.next);
    let place = mark(place).ok_or_else(|| Problem::bad_request("`next` is `<offset>.<line>`"))?;
    let runs = site.node().runs();
    let log = CommandLog::find(runs, command.clone(), place.offset, site.stopping()).await?;
    let reader = log.reader().clone();
    let follow = site.logs().follow(&command, || Follow::new(log, place, drawn));
    let viewer = Viewer {
        follow,
        reader,
        place,
        rest: Arc::from(""),
        stopping: site.stopping(),
        is_over: false,
    };
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    let mut response = Sse::new(told(viewer)).keep_alive(keep_alive).into_response();
    // Proxies that gather an answer before they pass it on would make it late.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

fn drawn(lines: &Lines) -> String {
    draw(lines, &Look::default()).into_string()
}

fn mark(text: &str) -> Option<Mark> {
    let (offset, line) = text.split_once('.')?;
    let mark = Mark { offset: offset.parse().ok()?, line: line.parse().ok()? };
    (mark.line > 0).then_some(mark)
}

/// Somebody who follows a log.
struct Viewer {
    follow: Arc<Follow>,
    reader: LogReader,
    /// Up to where they have been told.
    place: Mark,
    /// What they were told of the line that is not whole yet.
    rest: Arc<str>,
    stopping: Stopping,
    is_over: bool,
}

fn told(viewer: Viewer) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    stream::unfold(viewer, |mut viewer| async move {
        match viewer.next_event().await {
            Ok(event) => Some((Ok(event?), viewer)),
            Err(error) => {
                warn!(%error, "failed to read a log");
                None
            }
        }
    })
}

impl Viewer {
    /// Waits for something new; `None` at the end.
    async fn next_event(&mut self) -> io::Result<Option<Event>> {
        while !self.is_over {
            match self.follow.next(self.place).await? {
                News::Lines(chunk) => return Ok(self.tell(&chunk)),
                News::Behind(to) => {
                    let chunk = self.catch_up(to).await?;
                    return Ok(self.tell(&chunk));
                }
                News::End => {
                    self.is_over = true;
                    return Ok(Some(Event::default().event("end").data("complete")));
                }
                News::Rest(rest) if rest != self.rest => {
                    self.rest = rest.clone();
                    return Ok(self.event("rest", self.place.line, &rest));
                }
                News::Rest(_) => {}
            }
            tokio::select! {
                () = self.stopping.told() => return Ok(None),
                () = tokio::time::sleep(log::LOOK) => {}
            }
        }
        Ok(None)
    }

    fn tell(&mut self, chunk: &Chunk) -> Option<Event> {
        self.place = chunk.to;
        self.rest = Arc::from("");
        let id = format!("{}.{}", chunk.to.offset, chunk.to.line);
        Some(self.event("lines", chunk.from.line, &chunk.drawn)?.id(id))
    }

    fn event(&self, kind: &'static str, from: u64, html: &str) -> Option<Event> {
        Event::default().event(kind).json_data(Told { from, html }).ok()
    }

    /// Reads on alone, up to where the others are.
    async fn catch_up(&self, to: Mark) -> io::Result<Chunk> {
        let (reader, from) = (self.reader.clone(), self.place);
        let read = move || log::piece(&reader, from, to);
        let (lines, to) = tokio::task::spawn_blocking(read).await??;
        Ok(Chunk { from, to, drawn: drawn(&lines).into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_offset_and_a_line() {
        assert_eq!(mark("120.7"), Some(Mark { offset: 120, line: 7 }));
        for bad in ["", "7", "1.0", "a.1", "1.-1", "1.2.3"] {
            assert_eq!(mark(bad), None, "{bad}");
        }
    }
}
