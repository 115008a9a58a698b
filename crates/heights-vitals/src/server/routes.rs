//! The surface: paths, and what they answer.

use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use futures_util::stream;
use serde::Deserialize;
use serde_json::Value;

use super::gate::{self, Gate};
use super::refusal::Refusal;
use super::shared::Shared;
use super::{control, names, peer, state, trace};
use crate::condition::Condition;
use crate::why::why;
use crate::wire::{self, ActorDetail, Crashes, Hello, Judgement, Picture, Sort, Tree, Why};

/// The largest request body: a reason, not a novel.
const BODY_LIMIT: usize = 16 * 1024;

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
    let gate = Gate::new(shared.meter());
    // These are made at once, and may be large.
    let pictures = Router::new()
        .route("/v1/tree", get(tree))
        .route("/v1/picture", get(picture))
        .route("/v1/judge", get(judge))
        .route("/v1/metrics", get(metrics))
        .route("/v1/actors", get(actors))
        .route("/v1/crashes", get(crashes))
        .route("/v1/registry", get(names::registry))
        .route("/v1/groups", get(names::groups))
        .route("/v1/actors/{ref}", get(actor))
        .route("/v1/actors/{ref}/why", get(explain))
        .layer(middleware::from_fn_with_state(gate.clone(), gate::make_room));
    // These wait for something, or go on for as long as somebody reads them.
    Router::new()
        .route("/v1/watch", get(watch))
        .route("/v1/traces", post(trace::trace))
        .route("/v1/actors/{ref}/state", get(state::state))
        .route("/v1/actors/{ref}/{action}", post(control::act))
        .route("/v1/hello", get(hello))
        .route("/v1/schema", get(schema))
        .merge(pictures)
        .fallback(async || Refusal::not_found("there is no such path"))
        .layer(middleware::from_fn_with_state(gate, gate::afford))
        .layer(middleware::from_fn(peer::admit))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(shared)
}

async fn hello(State(shared): State<Shared>) -> Json<Hello> {
    Json(shared.hello().clone())
}

async fn schema() -> Json<Value> {
    Json(wire::schema())
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
    let filter = query.filter.as_deref();
    Ok(Json(match query.limit {
        Some(limit) if query.sort != Sort::Tree => shared.top(query.sort, limit, filter),
        limit => shared.look().top(query.sort, limit.unwrap_or(usize::MAX), filter),
    }))
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
async fn watch(State(shared): State<Shared>, headers: HeaderMap) -> Result<Response, Refusal> {
    let permit = shared.stream()?;
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let events = shared.events();
    let seen = seen.unwrap_or_else(|| events.latest());
    let told = stream::unfold((events, seen, permit), async |(events, seen, permit)| {
        let event = events.after(seen).await;
        let seen = event.id;
        let frame = SseEvent::default().id(seen.to_string()).json_data(event);
        Some((frame, (events, seen, permit)))
    });
    Ok(Sse::new(told).keep_alive(KeepAlive::default()).into_response())
}

async fn metrics(State(shared): State<Shared>) -> Response {
    let text = shared.look().metrics();
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
    Ok(Json(picture.describe(&actor)))
}

async fn explain(
    State(shared): State<Shared>,
    Path(reference): Path<String>,
) -> Result<Json<Why>, Refusal> {
    let picture = shared.look();
    let actor = shared.find(&reference, &picture)?;
    Ok(Json(why(&picture, &actor)))
}
