//! The surface: paths, and what they answer.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use futures_util::stream;
use heights_supervisor::Hub;
use serde::Deserialize;

use super::control;
use super::events::Events;
use super::peer::{self, Peer};
use super::pulse::Pulse;
use super::refusal::Refusal;
use crate::condition::Condition;
use crate::foresee::Action;
use crate::target::{self, Shown};
use crate::view;
use crate::why::why;
use crate::wire::{
    Actor, ActorDetail, ControlOutcome, ControlRequest, Crashes, Hello, Judgement, Picture, Sort,
    Tier, Tree, Why,
};

/// The largest request body: a reason, not a novel.
const BODY_LIMIT: usize = 16 * 1024;

/// What all requests share.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Inner>);

struct Inner {
    hub: Hub,
    hello: Hello,
    shown: Mutex<Shown>,
    events: Arc<Events>,
    pulse: Option<Pulse>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    #[serde(default)]
    sort: Sort,
    limit: Option<usize>,
    /// Part of the path.
    filter: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JudgeQuery {
    condition: String,
}

pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/v1/hello", get(hello))
        .route("/v1/tree", get(tree))
        .route("/v1/picture", get(picture))
        .route("/v1/judge", get(judge))
        .route("/v1/watch", get(watch))
        .route("/v1/metrics", get(metrics))
        .route("/v1/actors", get(actors))
        .route("/v1/crashes", get(crashes))
        .route("/v1/actors/{ref}", get(actor))
        .route("/v1/actors/{ref}/why", get(explain))
        .route("/v1/actors/{ref}/{action}", post(act))
        .fallback(async || Refusal::not_found("there is no such path"))
        .layer(middleware::from_fn(peer::admit))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(shared)
}

async fn hello(State(shared): State<Shared>) -> Json<Hello> {
    Json(shared.0.hello.clone())
}

async fn tree(State(shared): State<Shared>) -> Json<Tree> {
    Json(shared.look().tree)
}

async fn picture(State(shared): State<Shared>) -> Json<Picture> {
    Json(shared.look())
}

async fn actors(
    State(shared): State<Shared>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Tree>, Refusal> {
    let Query(query) = query.map_err(|rejection| Refusal::bad_request(rejection.body_text()))?;
    let limit = query.limit.unwrap_or(usize::MAX);
    Ok(Json(shared.look().top(query.sort, limit, query.filter.as_deref())))
}

async fn judge(
    State(shared): State<Shared>,
    query: Result<Query<JudgeQuery>, QueryRejection>,
) -> Result<Json<Judgement>, Refusal> {
    let Query(query) = query.map_err(|rejection| Refusal::bad_request(rejection.body_text()))?;
    let condition = query.condition.parse::<Condition>();
    let condition = condition.map_err(|error| Refusal::bad_request(error.to_string()))?;
    Ok(Json(condition.judge(&shared.look())))
}

/// Tells events as they happen, those after `Last-Event-ID` first.
async fn watch(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let events = Arc::clone(&shared.0.events);
    let seen = seen.unwrap_or_else(|| events.latest());
    let told = stream::unfold((events, seen), async |(events, seen)| {
        let event = events.after(seen).await;
        let seen = event.id;
        let frame = SseEvent::default().id(seen.to_string()).json_data(event);
        Some((frame, (events, seen)))
    });
    Sse::new(told).keep_alive(KeepAlive::default()).into_response()
}

async fn metrics(State(shared): State<Shared>) -> Response {
    let text = crate::metrics::expose(&shared.look());
    ([(CONTENT_TYPE, crate::metrics::CONTENT_TYPE)], text).into_response()
}

async fn crashes(State(shared): State<Shared>) -> Json<Crashes> {
    let Picture { tree, crashes, .. } = shared.look();
    Json(Crashes { taken_ms: tree.taken_ms, crashes })
}

async fn actor(
    State(shared): State<Shared>,
    Path(reference): Path<String>,
) -> Result<Json<ActorDetail>, Refusal> {
    let picture = shared.look();
    let actor = shared.find(&reference, &picture)?;
    Ok(Json(picture.describe(actor)))
}

async fn explain(
    State(shared): State<Shared>,
    Path(reference): Path<String>,
) -> Result<Json<Why>, Refusal> {
    let picture = shared.look();
    let actor = shared.find(&reference, &picture)?;
    Ok(Json(why(&picture, actor)))
}

async fn act(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path((reference, action)): Path<(String, String)>,
    request: Result<Json<ControlRequest>, JsonRejection>,
) -> Result<Json<ControlOutcome>, Refusal> {
    let action = Action::named(&action)
        .ok_or_else(|| Refusal::not_found(format!("there is no action {action}")))?;
    let Json(request) = request.map_err(|rejection| Refusal::bad_request(rejection.body_text()))?;
    // Looking ahead is looking: it needs no more than the right to read.
    if !request.dry_run && shared.0.hello.tier < Tier::Control {
        control::note_refusal(action, &reference, peer, request.reason.as_deref());
        return Err(Refusal::forbidden(
            "this process lets nobody act on its actors: its tier is below control",
        ));
    }
    let picture = shared.look();
    let target = shared.find(&reference, &picture)?;
    let outcome = picture.foresee(action, target, request.dry_run).map_err(Refusal::impossible)?;
    if !request.dry_run {
        control::perform(action, &shared.0.hub, target, peer, request.reason.as_deref())?;
    }
    Ok(Json(outcome))
}

impl Shared {
    pub(crate) fn new(hub: Hub, hello: Hello, pulse: Option<Pulse>) -> Self {
        let events = Events::of(&hub);
        Self(Arc::new(Inner { hub, hello, shown: Mutex::default(), events, pulse }))
    }

    /// Takes a picture and remembers whom it shows.
    fn look(&self) -> Picture {
        let snapshot = self.0.hub.snapshot();
        let picture = Picture {
            hello: self.0.hello.clone(),
            tree: view::tree(&snapshot),
            crashes: view::crashes(&snapshot),
            runtime: self.0.pulse.as_ref().map(Pulse::read),
        };
        picture.note(&mut self.0.shown.lock().unwrap_or_else(PoisonError::into_inner));
        picture
    }

    fn find<'a>(&self, reference: &str, picture: &'a Picture) -> Result<&'a Actor, Refusal> {
        let shown = self.0.shown.lock().unwrap_or_else(PoisonError::into_inner);
        target::find(reference, &picture.tree.actors, &shown)
            .map_err(|miss| Refusal::missed(reference, miss))
    }
}
