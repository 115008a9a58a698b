//! Who answers to which name: the registries that the application shows, and ractor's groups.

use std::collections::HashMap;
use std::fmt::{self, Display};
use std::hash::Hash;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::QueryRejection;
use heights_registry::{Owner, Registry};
use heights_supervisor::{Hub, Process, ProcessId};
use serde::Deserialize;

use super::refusal::Refusal;
use super::shared::Shared;
use crate::view::since_1970;
use crate::wire::{self, Groups, Keys, Member, Registries};

/// How many entries of a registry, or members of a group, are told unless more are asked for.
const LIMIT: usize = 1_000;

/// A registry that can be looked into.
#[derive(Clone)]
pub(crate) struct Names {
    name: String,
    unique: bool,
    read: Arc<dyn Fn() -> Vec<Held> + Send + Sync>,
}

/// An entry, and whose it is.
struct Held {
    key: String,
    value: Option<String>,
    owner: Owner,
}

impl Names {
    /// Shows the keys of a registry, and of the values what `show` says.
    pub(crate) fn of<K, V>(
        name: String,
        registry: &Registry<K, V>,
        show: impl Fn(&V) -> Option<String> + Send + Sync + 'static,
    ) -> Self
    where
        K: Clone + Display + Eq + Hash + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        let (unique, registry) = (registry.is_unique(), registry.clone());
        let read = move || {
            registry.select(|key, value, owner| {
                Some(Held { key: key.to_string(), value: show(value), owner: owner.clone() })
            })
        };
        Self { name, unique, read: Arc::new(read) }
    }

    #[expect(clippy::mutable_key_type, reason = "an owner is told by a number that never changes")]
    fn tell(&self, owners: &HashMap<&Owner, &Process>, limit: usize) -> wire::Registry {
        let mut held = (self.read)();
        held.sort_by(|one, other| one.key.cmp(&other.key));
        let total = held.len();
        let entries = held.into_iter().take(limit).map(|held| {
            let process = owners.get(&held.owner);
            wire::Entry {
                key: held.key,
                value: held.value,
                pid: process.map(|process| process.pid().to_string()),
                path: process.map(|process| process.path().to_owned()),
            }
        });
        let keys = if self.unique { Keys::Unique } else { Keys::Duplicate };
        wire::Registry { name: self.name.clone(), keys, total, entries: entries.collect() }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Names({})", self.name)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitQuery {
    limit: Option<usize>,
}

#[expect(clippy::mutable_key_type, reason = "an owner is told by a number that never changes")]
pub(super) async fn registry(
    State(shared): State<Shared>,
    query: Result<Query<LimitQuery>, QueryRejection>,
) -> Result<Json<Registries>, Refusal> {
    let limit = limit(query)?;
    let processes = shared.hub().processes();
    let owners = processes.iter().filter_map(|process| Some((process.known_owner()?, process)));
    let owners = owners.collect();
    let registries = shared.names().iter().map(|names| names.tell(&owners, limit)).collect();
    Ok(Json(Registries { taken_ms: since_1970(SystemTime::now()), registries }))
}

pub(super) async fn groups(
    State(shared): State<Shared>,
    query: Result<Query<LimitQuery>, QueryRejection>,
) -> Result<Json<Groups>, Refusal> {
    let limit = limit(query)?;
    let paths = paths(shared.hub());
    let groups = shared.hub().groups().into_iter().map(|group| wire::Group {
        scope: group.scope,
        name: group.name,
        total: group.members.len(),
        members: group
            .members
            .into_iter()
            .take(limit)
            .map(|member| Member {
                id: member.id,
                name: member.name,
                pid: member.pid.map(|pid| pid.to_string()),
                path: member.pid.and_then(|pid| paths.get(&pid).cloned()),
            })
            .collect(),
    });
    Ok(Json(Groups { taken_ms: since_1970(SystemTime::now()), groups: groups.collect() }))
}

fn limit(query: Result<Query<LimitQuery>, QueryRejection>) -> Result<usize, Refusal> {
    let Query(query) = query.map_err(|rejection| Refusal::bad_request(rejection.body_text()))?;
    Ok(query.limit.unwrap_or(LIMIT))
}

fn paths(hub: &Hub) -> HashMap<ProcessId, String> {
    let processes = hub.processes();
    processes.iter().map(|process| (process.pid(), process.path().to_owned())).collect()
}
