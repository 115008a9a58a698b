//! `vitals ls`: the processes that can be looked into.

use std::time::{SystemTime, UNIX_EPOCH};

use heights_vitals::wire::{Actor, State, Tree};
use heights_vitals::{Client, Presence, known_directories, processes};
use serde::Serialize;

use crate::command::Vitals;
use crate::failure::Failure;
use crate::output::Output;
use crate::text;

/// A message that is handled for longer is worth a look.
const LONG_MS: u64 = 1_000;

#[derive(Debug, Serialize)]
struct Listing {
    taken_ms: u64,
    processes: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    os_pid: u32,
    name: String,
    version: String,
    started_ms: u64,
    socket: String,
    /// Absent if the process did not answer.
    actors: Option<usize>,
    restarts: Option<u32>,
    worst: Option<String>,
}

pub async fn run(vitals: &Vitals, output: Output) -> Result<(), Failure> {
    if let Some(host) = &vitals.host {
        return host.list(vitals.output).await;
    }
    let mut rows = Vec::new();
    for presence in processes(known_directories()) {
        rows.push(look(vitals, presence).await);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let taken_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    output.print("vitals.ls/1", &Listing { taken_ms, processes: rows }, table)
}

/// A process that does not answer is listed too: that is when one wants to see it most.
async fn look(vitals: &Vitals, Presence { announcement, socket }: Presence) -> Row {
    let tree = Client::new(&socket).patience(vitals.patience()).tree().await.ok();
    Row {
        os_pid: announcement.os_pid,
        name: announcement.name,
        version: announcement.version,
        started_ms: announcement.started_ms,
        socket: socket.display().to_string(),
        actors: tree.as_ref().map(|tree| tree.actors.len()),
        restarts: tree
            .as_ref()
            .map(|tree| tree.actors.iter().filter_map(|actor| actor.restarts).sum()),
        worst: tree.as_ref().map(worst),
    }
}

fn worst(tree: &Tree) -> String {
    let restarting = tree.actors.iter().find(|actor| actor.state == State::Restarting);
    let long = |actor: &&Actor| actor.state == State::Busy && working_ms(actor) > LONG_MS;
    let busy = tree.actors.iter().filter(long).max_by_key(|actor| working_ms(actor));
    match restarting.or(busy) {
        Some(actor) => format!("{}  {}", text::state(actor.state), actor.path),
        None => text::state(State::Idle).to_owned(),
    }
}

fn working_ms(actor: &Actor) -> u64 {
    actor.working.as_ref().map_or(0, |working| working.since_ms)
}

fn table(listing: &Listing) -> String {
    let head =
        ["PID", "NAME", "VERSION", "UP", "ACTORS", "RESTARTS", "WORST"].map(str::to_owned).to_vec();
    let rows = listing.processes.iter().map(|row| {
        vec![
            row.os_pid.to_string(),
            row.name.clone(),
            row.version.clone(),
            text::span(listing.taken_ms.saturating_sub(row.started_ms)),
            text::known(row.actors),
            text::known(row.restarts),
            text::known(row.worst.clone()),
        ]
    });
    text::columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}
