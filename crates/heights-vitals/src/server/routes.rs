//! The surface: paths, and what they answer.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use heights_supervisor::{Hub, TreeSnapshot};
use serde::Deserialize;

use super::control::{self, Action};
use super::peer::{self, Peer};
use super::refusal::Refusal;
use crate::target::{self, Shown};
use crate::view;
use crate::wire::{
    Actor, ActorDetail, ControlOutcome, ControlRequest, Crashes, Hello, Sort, Tier, Tree,
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

pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/v1/hello", get(hello))
        .route("/v1/tree", get(tree))
        .route("/v1/actors", get(actors))
        .route("/v1/crashes", get(crashes))
        .route("/v1/actors/{ref}", get(actor))
        .route("/v1/actors/{ref}/stop", post(stop))
        .route("/v1/actors/{ref}/kill", post(kill))
        .fallback(async || Refusal::not_found("there is no such path"))
        .layer(middleware::from_fn(peer::admit))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(shared)
}

async fn hello(State(shared): State<Shared>) -> Json<Hello> {
    Json(shared.0.hello.clone())
}

async fn tree(State(shared): State<Shared>) -> Json<Tree> {
    Json(shared.look().1)
}

async fn actors(
    State(shared): State<Shared>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Tree>, Refusal> {
    let Query(query) = query.map_err(|rejection| Refusal::bad_request(rejection.body_text()))?;
    let (_, mut tree) = shared.look();
    if let Some(filter) = &query.filter {
        tree.actors.retain(|actor| actor.path.contains(filter));
    }
    sort(&mut tree.actors, query.sort);
    tree.actors.truncate(query.limit.unwrap_or(usize::MAX));
    Ok(Json(tree))
}

async fn crashes(State(shared): State<Shared>) -> Json<Crashes> {
    let (snapshot, tree) = shared.look();
    Json(Crashes { taken_ms: tree.taken_ms, crashes: view::crashes(&snapshot, |_| true) })
}

async fn actor(
    State(shared): State<Shared>,
    Path(reference): Path<String>,
) -> Result<Json<ActorDetail>, Refusal> {
    let (snapshot, tree) = shared.look();
    let actor = shared.find(&reference, &tree)?.clone();
    let children =
        tree.actors.iter().filter(|child| child.parent.is_some() && child.parent == actor.pid);
    let children = children.map(|child| child.path.clone()).collect();
    let crashes = view::crashes(&snapshot, |path| path == actor.path);
    Ok(Json(ActorDetail { actor, children, crashes }))
}

async fn stop(
    shared: State<Shared>,
    peer: ConnectInfo<Peer>,
    reference: Path<String>,
    request: Result<Json<ControlRequest>, JsonRejection>,
) -> Result<Json<ControlOutcome>, Refusal> {
    control(Action::Stop, shared, peer, (reference, request))
}

async fn kill(
    shared: State<Shared>,
    peer: ConnectInfo<Peer>,
    reference: Path<String>,
    request: Result<Json<ControlRequest>, JsonRejection>,
) -> Result<Json<ControlOutcome>, Refusal> {
    control(Action::Kill, shared, peer, (reference, request))
}

fn control(
    action: Action,
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    (Path(reference), request): (Path<String>, Result<Json<ControlRequest>, JsonRejection>),
) -> Result<Json<ControlOutcome>, Refusal> {
    let Json(request) = request.map_err(|rejection| Refusal::bad_request(rejection.body_text()))?;
    let ceiling = shared.0.hello.tier;
    // Looking ahead is looking: it needs no more than the right to read.
    if !request.dry_run && ceiling < Tier::Control {
        control::note_refusal(action, &reference, peer, request.reason.as_deref());
        return Err(Refusal::forbidden(
            "this process lets nobody end its actors: its tier is below control",
        ));
    }
    let (_, tree) = shared.look();
    let target = shared.find(&reference, &tree)?;
    let outcome =
        control::foresee(action, target, &tree.actors, request.dry_run).ok_or_else(|| {
            Refusal::not_found("it waits to be started again, so there is nothing to end")
        })?;
    if !request.dry_run {
        control::perform(action, &shared.0.hub, &outcome, peer, request.reason.as_deref())?;
    }
    Ok(Json(outcome))
}

fn sort(actors: &mut [Actor], sort: Sort) {
    match sort {
        Sort::Tree => {}
        Sort::Mailbox => actors.sort_by_key(|actor| std::cmp::Reverse(actor.mailbox)),
        Sort::Busy => actors.sort_by_key(|actor| {
            std::cmp::Reverse(actor.working.as_ref().map(|work| work.since_ms))
        }),
        Sort::Restarts => actors.sort_by_key(|actor| std::cmp::Reverse(actor.restarts)),
        Sort::Age => actors.sort_by_key(|actor| actor.age_ms.unwrap_or(u64::MAX)),
    }
}

impl Shared {
    pub(crate) fn new(hub: Hub, hello: Hello) -> Self {
        Self(Arc::new(Inner { hub, hello, shown: Mutex::default() }))
    }

    /// Takes a snapshot and remembers what it shows.
    fn look(&self) -> (TreeSnapshot, Tree) {
        let snapshot = self.0.hub.snapshot();
        let mut shown = self.0.shown.lock().unwrap_or_else(PoisonError::into_inner);
        for crash in &snapshot.crashes {
            shown.remember(&crash.pid.to_string(), &crash.path);
        }
        for process in &snapshot.processes {
            shown.remember(&process.pid.to_string(), &process.path);
        }
        let tree = view::tree(&snapshot);
        (snapshot, tree)
    }

    fn find<'a>(&self, reference: &str, tree: &'a Tree) -> Result<&'a Actor, Refusal> {
        let shown = self.0.shown.lock().unwrap_or_else(PoisonError::into_inner);
        target::find(reference, &tree.actors, &shown)
            .map_err(|miss| Refusal::missed(reference, miss))
    }
}
