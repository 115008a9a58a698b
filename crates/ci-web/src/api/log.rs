//! The logs of commands: bytes by offset, and events whose id is the next offset.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use serde::Deserialize;
use tracing::warn;

use super::place::{Asked, Named};
use crate::access::{Allowed, Look};
use crate::log::{CommandLog, Until, whole_characters};
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{CommandRef, LogTime};

/// How often a silent stream says that it is alive, so that proxies keep it.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How soon a browser comes back to a stream that broke.
const COME_BACK: Duration = Duration::from_secs(2);

/// From where a log is wanted, and how far.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LogQuery {
    offset: Offset,
    follow: bool,
}

/// The offset of a byte that a file can have.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(try_from = "u64")]
struct Offset(u64);

impl TryFrom<u64> for Offset {
    type Error = std::num::TryFromIntError;

    fn try_from(offset: u64) -> Result<Self, Self::Error> {
        i64::try_from(offset).map(|_| Self(offset))
    }
}

impl LogQuery {
    pub(super) fn until(&self) -> Until {
        if self.follow { Until::Complete } else { Until::Now }
    }
}

/// The bytes of a log from an offset on.
pub(super) async fn bytes(
    State(site): State<Site>,
    _: Allowed<Look>,
    Named(command): Named<CommandSegment>,
    Asked(query): Asked<LogQuery>,
) -> Result<Response, Problem> {
    let log = find(&site, command, query.offset.0).await?;
    Ok(plain(Body::from_stream(raw(log, query.until()))))
}

/// The text of a log from an offset on, as server-sent events. The id of each is the offset of the byte
/// after it; the last one is an `end`. A browser that comes back after that is told to stay away.
pub(super) async fn events(
    State(site): State<Site>,
    _: Allowed<Look>,
    Named(command): Named<CommandSegment>,
    Asked(query): Asked<LogQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last_seen = headers.get("last-event-id");
    let offset =
        match last_seen {
            None => query.offset.0,
            Some(id) => id.to_str().ok().and_then(offset).ok_or_else(|| {
                Problem::bad_request("`Last-Event-ID` is not the offset of a byte")
            })?,
        };
    let mut log = find(&site, command, offset).await?;
    if last_seen.is_some() {
        let piece = log.read().await.map_err(|error| unreadable(error.into()))?;
        if piece.is_last && piece.bytes.is_empty() {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        log.rewind(offset);
    }
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    let mut response = Sse::new(told(log)).keep_alive(keep_alive).into_response();
    // Proxies that gather an answer before they pass it on would make it late.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// When the command printed what.
pub(super) async fn times(
    State(site): State<Site>,
    _: Allowed<Look>,
    Named(command): Named<CommandSegment>,
) -> Result<Json<Vec<LogTime>>, Problem> {
    let log = find(&site, command, 0).await?;
    let times = log.times().await.map_err(|error| unreadable(error.into()))?;
    let times = times.into_iter().map(|(offset, at)| LogTime { offset, at_ms: at.0 });
    Ok(Json(times.collect()))
}

/// The offset that an event's id is.
fn offset(id: &str) -> Option<u64> {
    id.parse()
        .ok()
        .and_then(|offset: u64| Offset::try_from(offset).ok())
        .map(|Offset(offset)| offset)
}

/// The `{command}` of a path.
pub(super) type CommandSegment = CommandRef;

/// An answer of plain text, which no browser takes for anything else.
pub(super) fn plain(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}

async fn find(site: &Site, command: CommandRef, offset: u64) -> Result<CommandLog, Problem> {
    CommandLog::find(site.node().runs(), command, offset, site.stopping()).await
}

fn unreadable(error: heights::Fault) -> Problem {
    Problem::unavailable("read the log", &error)
}

fn raw(log: CommandLog, until: Until) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold(Some(log), move |log| async move {
        let mut log = log?;
        loop {
            match log.read().await {
                Err(error) => return Some((Err(error), None)),
                Ok(piece) if !piece.bytes.is_empty() => {
                    let rest = (!piece.is_last).then_some(log);
                    return Some((Ok(piece.bytes.into()), rest));
                }
                Ok(piece) if piece.is_last || until == Until::Now => return None,
                Ok(_) => match log.wait().await {
                    Ok(true) => {}
                    Ok(false) => return None,
                    Err(error) => return Some((Err(error), None)),
                },
            }
        }
    })
}

/// What is told of a log next.
enum Telling {
    Text(Box<CommandLog>),
    End(u64),
}

fn told(log: CommandLog) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    stream::unfold(Some(Telling::Text(Box::new(log))), |telling| async move {
        let mut log = match telling? {
            Telling::End(offset) => return Some((Ok(end(offset)), None)),
            Telling::Text(log) => log,
        };
        match next_text(&mut log).await {
            Ok(Next::Text(text, is_last)) => {
                let event = text_event(log.offset(), &text);
                let offset = log.offset();
                let rest = if is_last { Telling::End(offset) } else { Telling::Text(log) };
                Some((Ok(event), Some(rest)))
            }
            Ok(Next::End) => Some((Ok(end(log.offset())), None)),
            // The stream breaks off, and whoever reads it comes back.
            Ok(Next::BreakOff) => None,
            Err(error) => {
                warn!(%error, "failed to read a log");
                None
            }
        }
    })
}

/// What comes next in a stream of text.
enum Next {
    /// Text, and whether it is the last.
    Text(Vec<u8>, bool),
    End,
    BreakOff,
}

/// Waits for text that does not end within a character, unless it is the last.
async fn next_text(log: &mut CommandLog) -> io::Result<Next> {
    loop {
        let mut piece = log.read().await?;
        if piece.is_last && piece.bytes.is_empty() {
            return Ok(Next::End);
        }
        if !piece.is_last {
            let whole = whole_characters(&piece.bytes);
            log.rewind(piece.next - (piece.bytes.len() - whole) as u64);
            piece.bytes.truncate(whole);
        }
        if !piece.bytes.is_empty() {
            return Ok(Next::Text(piece.bytes, piece.is_last));
        }
        if !log.wait().await? {
            return Ok(Next::BreakOff);
        }
    }
}

fn text_event(next: u64, text: &[u8]) -> Event {
    let text = String::from_utf8_lossy(text);
    Event::default().id(next.to_string()).retry(COME_BACK).data(text)
}

/// Its data is for browsers, which pass over events without any.
fn end(offset: u64) -> Event {
    Event::default().event("end").id(offset.to_string()).data("complete")
}
