//! Pages that change while one looks: whoever asks for a page as a stream of events is told what it shows
//! whenever that has changed.
//!
//! The id of an event is a digest of what is shown. A page is a state and not a history, so who comes back
//! with the id of what they saw last is told what is different now, once, and has missed nothing.
//!
//! A page that many look at is drawn once a second for all of them.

mod change;
mod shown;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use self::change::Change;
use self::shown::Glimpse;
pub(super) use self::shown::{Extent, Shown};
use crate::site::Site;

/// How often a page is drawn that somebody looks at.
const LOOK: Duration = Duration::from_secs(1);
/// How often a stream says that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The field of an address in which a script says what is shown already.
const SHOWN: &str = "shown";

/// The pages that somebody looks at, by what was asked and by whom.
#[derive(Default)]
pub(crate) struct Drawings(Mutex<BTreeMap<[u8; 32], Weak<Drawing>>>);

/// One page for all who look at it with the same eyes.
#[derive(Default)]
struct Drawing(tokio::sync::Mutex<Option<Drawn>>);

/// What a page showed, or why it could not, and when.
struct Drawn {
    at: Instant,
    result: Result<Arc<Shown>, StatusCode>,
}

/// Answers with a stream where one was asked for.
pub(super) async fn stream(State(site): State<Site>, request: Request, next: Next) -> Response {
    let accepts = request.headers().get(header::ACCEPT);
    let is_stream = accepts.is_some_and(|accepts| accepts.as_bytes() == b"text/event-stream");
    if !is_stream || request.method() != Method::GET {
        return next.run(request).await;
    }
    let (mut parts, _) = request.into_parts();
    parts.extensions.insert(Glimpse);
    let drawing = site.drawings().find(&parts);
    let known = known(&parts);
    let viewer = Viewer { site, parts, next, drawing, known, base: None, is_over: false };
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    let mut response = Sse::new(told(viewer)).keep_alive(keep_alive).into_response();
    // Proxies that gather an answer before they pass it on would make it late.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// What the browser shows, or showed before the stream broke.
fn known(parts: &Parts) -> Option<String> {
    let resumed = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let query = parts.uri.query().unwrap_or_default();
    let field = |part: &'_ str| Some(part.strip_prefix(SHOWN)?.strip_prefix('=')?.to_owned());
    resumed.map(str::to_owned).or_else(|| query.split('&').find_map(field))
}

impl Drawings {
    fn find(&self, parts: &Parts) -> Arc<Drawing> {
        let key = key(parts);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, drawing| drawing.strong_count() > 0);
        if let Some(drawing) = all.get(&key).and_then(Weak::upgrade) {
            return drawing;
        }
        let drawing = Arc::new(Drawing::default());
        all.insert(key, Arc::downgrade(&drawing));
        drawing
    }
}

/// What is asked, and everything that says who asks.
fn key(parts: &Parts) -> [u8; 32] {
    let query = parts.uri.query().unwrap_or_default();
    let is_asked = |part: &&str| !part.starts_with(SHOWN);
    let mut digest = Sha256::new();
    digest.update(parts.uri.path());
    for part in query.split('&').filter(is_asked) {
        digest.update([b'\n']);
        digest.update(part);
    }
    for name in [header::COOKIE, header::AUTHORIZATION] {
        digest.update([0]);
        for value in parts.headers.get_all(name) {
            digest.update(value);
        }
    }
    // Whoever comes by the admin socket sees with other eyes.
    let origin = parts.extensions.get::<crate::access::Origin>();
    digest.update(format!("{origin:?}"));
    digest.finalize().into()
}

/// Somebody who looks at a page.
struct Viewer {
    site: Site,
    parts: Parts,
    next: Next,
    drawing: Arc<Drawing>,
    /// The id of what is shown.
    known: Option<String>,
    /// What was sent last by this very stream, which the next change is told against.
    base: Option<Arc<Shown>>,
    is_over: bool,
}

fn told(viewer: Viewer) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    stream::unfold(viewer, |mut viewer| async move {
        let event = viewer.next_event().await?;
        Some((Ok(event), viewer))
    })
}

impl Viewer {
    /// Waits for something new; `None` at the end.
    async fn next_event(&mut self) -> Option<Event> {
        let mut stopping = self.site.stopping();
        while !self.is_over {
            match self.draw().await {
                Ok(shown) if self.known.as_ref() != Some(&shown.id) => return self.tell(shown),
                Ok(_) => {}
                // It is tried again: an actor that is being restarted answers soon.
                Err(status) if status.is_server_error() => {}
                Err(status) => {
                    self.is_over = true;
                    return Some(Event::default().event("gone").data(status.as_str()));
                }
            }
            tokio::select! {
                () = stopping.told() => return None,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        None
    }

    fn tell(&mut self, shown: Arc<Shown>) -> Option<Event> {
        let change = Change::between(self.base.as_deref(), &shown);
        let event = Event::default().event("page").id(&shown.id).json_data(change).ok()?;
        self.known = Some(shown.id.clone());
        self.base = Some(shown);
        Some(event)
    }

    /// What the page shows now, or did within the last second.
    async fn draw(&self) -> Result<Arc<Shown>, StatusCode> {
        let mut latest = self.drawing.0.lock().await;
        if let Some(drawn) = latest.as_ref().filter(|drawn| drawn.at.elapsed() < LOOK / 2) {
            return drawn.result.clone();
        }
        let request = Request::from_parts(self.parts.clone(), Body::empty());
        let response = self.next.clone().run(request).await;
        let shown = response.extensions().get::<Arc<Shown>>().cloned();
        let result = match (response.status(), shown) {
            (StatusCode::OK, Some(shown)) => Ok(shown),
            (StatusCode::OK, None) => Err(StatusCode::NOT_ACCEPTABLE),
            (status, _) => Err(status),
        };
        *latest = Some(Drawn { at: Instant::now(), result: result.clone() });
        result
    }
}
