//! Acting on actors, and saying in the log who did.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{ConnectInfo, Path, Query, State};
use heights_supervisor::Hub;
use serde::Deserialize;

use super::peer::Peer;
use super::refusal::Refusal;
use super::shared::Shared;
use crate::foresee::Action;
use crate::wire::{Actor, ControlOutcome, ControlRequest, Tier};

/// The longest that a request waits for an actor to end.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ActQuery {
    /// How long to wait for the actor to end.
    wait_ms: Option<u64>,
}

pub(super) async fn act(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path((reference, action)): Path<(String, String)>,
    query: Result<Query<ActQuery>, QueryRejection>,
    request: Result<Json<ControlRequest>, JsonRejection>,
) -> Result<Json<ControlOutcome>, Refusal> {
    let action = Action::named(&action)
        .ok_or_else(|| Refusal::not_found(format!("there is no action {action}")))?;
    let Query(query) = query.map_err(|rejection| Refusal::bad_request(rejection.body_text()))?;
    let Json(request) = request.map_err(|rejection| Refusal::bad_request(rejection.body_text()))?;
    // Looking ahead is looking: it needs no more than the right to read.
    if !request.dry_run && shared.tier() < Tier::Control {
        note_refusal(action, &reference, peer, request.reason.as_deref());
        return Err(Refusal::forbidden(
            "this process lets nobody act on its actors: its tier is below control",
        ));
    }
    let picture = shared.look();
    let target = shared.find(&reference, &picture)?;
    let foreseen = picture.foresee(action, &target, request.dry_run);
    let mut outcome = foreseen.map_err(|why| Refusal::impossible(why, action, &target))?;
    if !request.dry_run {
        perform(action, shared.hub(), &target, peer, request.reason.as_deref())?;
        let wait = query.wait_ms.filter(|_| action.ends(&target));
        if let Some(wait) = wait {
            outcome.ended = Some(has_ended(shared.hub(), &target, wait).await);
        }
    }
    Ok(Json(outcome))
}

/// Waits for an actor to end; `false` if it has not by then.
async fn has_ended(hub: &Hub, target: &Actor, wait_ms: u64) -> bool {
    let pid = target.pid.as_deref().and_then(|pid| pid.parse().ok());
    let Some(process) = pid.and_then(|pid| hub.process(pid)) else { return true };
    let wait = Duration::from_millis(wait_ms).min(WAIT_MAX);
    tokio::time::timeout(wait, process.gone()).await.is_ok()
}

/// Does what was foreseen, and says so in the log.
fn perform(
    action: Action,
    hub: &Hub,
    target: &Actor,
    peer: Peer,
    reason: Option<&str>,
) -> Result<(), Refusal> {
    let pid = target.pid.as_deref().unwrap_or_default();
    let path = &target.path;
    let process = pid.parse().ok().and_then(|pid| hub.process(pid));
    let done = process.is_some_and(|process| {
        match action {
            Action::Suspend => return process.suspend(),
            Action::Drain => return process.drain(),
            Action::Resume => process.resume(),
            _ if action.kills(target) => process.kill(),
            _ => process.stop(),
        }
        true
    });
    let action = action.as_str();
    let (uid, os_pid) = (peer.uid, peer.os_pid);
    tracing::warn!(target: "heights_vitals::audit", action, %pid, %path, done, ?uid, ?os_pid, ?reason, "control call");
    if done { Ok(()) } else { Err(Refusal::not_found(format!("{path} ended by itself just now"))) }
}

/// Says in the log that someone was not allowed to.
fn note_refusal(action: Action, reference: &str, peer: Peer, reason: Option<&str>) {
    let action = action.as_str();
    let (uid, os_pid) = (peer.uid, peer.os_pid);
    tracing::warn!(target: "heights_vitals::audit", action, reference, ?uid, ?os_pid, ?reason, "control call refused");
}
