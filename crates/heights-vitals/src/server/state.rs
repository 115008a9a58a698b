//! Views of the state of an actor.

use std::time::{Duration, SystemTime};

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use heights_supervisor::{Seen, Shown, Sight};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::refusal::Refusal;
use super::shared::Shared;
use crate::view::{millis, since_1970};
use crate::wire::{Actor, Missing, StateView};

/// How many bytes a view has unless more are asked for.
const BYTES: usize = 16 * 1024;

/// How long an actor has to answer; one that cannot by then is told of with its view from before.
const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateQuery {
    bytes: Option<usize>,
}

pub(super) async fn state(
    State(shared): State<Shared>,
    Path(reference): Path<String>,
    query: Result<Query<StateQuery>, QueryRejection>,
) -> Result<Json<StateView>, Refusal> {
    let Query(query) = query.map_err(|rejection| Refusal::bad_request(rejection.body_text()))?;
    let actor = shared.find(&reference, &shared.look())?;
    let pid = actor.pid.as_deref().and_then(|pid| pid.parse().ok());
    let Some(process) = pid.and_then(|pid| shared.hub().process(pid)) else {
        return Ok(Json(without_view(actor, Missing::NoProcess)));
    };
    Ok(Json(match process.look(query.bytes.unwrap_or(BYTES), PATIENCE).await {
        Sight::Fresh(seen) => with_view(actor, &seen, false),
        Sight::Stale(seen) => with_view(shared.again(actor), &seen, true),
        Sight::NotYet => without_view(shared.again(actor), Missing::NotYet),
        Sight::Hidden => without_view(actor, Missing::Unsupported),
    }))
}

fn with_view(actor: Actor, seen: &Seen, stale: bool) -> StateView {
    StateView {
        view: Some(json(&seen.view)),
        missing: None,
        age_ms: Some(millis(seen.at.elapsed())),
        stale,
        cut: seen.cut,
        working: actor.working.clone().filter(|_| stale),
        ..without_view(actor, Missing::NotYet)
    }
}

fn without_view(actor: Actor, missing: Missing) -> StateView {
    StateView {
        taken_ms: since_1970(SystemTime::now()),
        pid: actor.pid.unwrap_or_default(),
        path: actor.path,
        view: None,
        missing: Some(missing),
        age_ms: None,
        stale: false,
        cut: false,
        working: actor.working.filter(|_| missing == Missing::NotYet),
    }
}

fn json(shown: &Shown) -> Value {
    match shown {
        Shown::Nothing => Value::Null,
        Shown::Flag(flag) => (*flag).into(),
        Shown::Count(count) => (*count).into(),
        Shown::Negative(number) => (*number).into(),
        Shown::Fraction(fraction) => (*fraction).into(),
        Shown::Text(text) => text.as_str().into(),
        Shown::List(list) => list.iter().map(json).collect(),
        Shown::Record(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.to_string(), json(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Shown::Cut => "‹cut›".into(),
    }
}
