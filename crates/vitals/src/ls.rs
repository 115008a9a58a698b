//! `vitals ls`: the processes that can be looked into.

use std::time::{SystemTime, UNIX_EPOCH};

use heights_vitals::wire::{Actor, Crashes, State, Tree};
use heights_vitals::{Client, Presence, known_directories, processes};
use serde::Serialize;

use crate::command::Vitals;
use crate::failure::Failure;
use crate::output::{List, Output};
use crate::text;

/// A message that is handled for longer is worth a look.
const LONG_MS: u64 = 1_000;

/// A crash is recent for so long.
const RECENT_MS: u64 = 5 * 60 * 1000;

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
    /// Crashes within the last five minutes.
    crashes_5m: Option<usize>,
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
    let listing = Listing { taken_ms, processes: rows };
    let list = List {
        schema: "vitals.ls/1",
        row_schema: "vitals.process/1",
        answer: &listing,
        rows: &listing.processes,
        name: |row| row.os_pid.to_string(),
        text: table(&listing),
    };
    output.list(&list).map(|_reads| ())
}

/// A process that does not answer is listed too: that is when one wants to see it most.
async fn look(vitals: &Vitals, Presence { announcement, socket }: Presence) -> Row {
    let client = Client::new(&socket).patience(vitals.patience());
    let tree = client.tree().await.ok();
    let crashes = client.crashes().await.ok();
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
        crashes_5m: crashes.as_ref().map(recent),
        worst: tree.as_ref().map(worst),
    }
}

fn recent(crashes: &Crashes) -> usize {
    let since = crashes.taken_ms.saturating_sub(RECENT_MS);
    crashes.crashes.iter().filter(|crash| crash.at_ms >= since).count()
}

fn worst(tree: &Tree) -> String {
    let restarting = tree.actors.iter().find(|actor| actor.state == State::Restarting);
    let long = |actor: &&Actor| {
        matches!(actor.state, State::Busy | State::Waiting) && working_ms(actor) > LONG_MS
    };
    let kept = tree.actors.iter().filter(long).max_by_key(|actor| working_ms(actor));
    match restarting.or(kept) {
        Some(actor) => format!("{} {}", text::state(actor.state), actor.path),
        None => text::state(State::Idle).to_owned(),
    }
}

fn working_ms(actor: &Actor) -> u64 {
    actor.working.as_ref().map_or(0, |working| working.since_ms)
}

fn table(listing: &Listing) -> String {
    let head = ["PID", "NAME", "VERSION", "UP", "ACTORS", "CRASHES 5m", "WORST"];
    let rows = listing.processes.iter().map(|row| {
        vec![
            row.os_pid.to_string(),
            row.name.clone(),
            row.version.clone(),
            text::span(listing.taken_ms.saturating_sub(row.started_ms)),
            text::known(row.actors),
            text::known(row.crashes_5m),
            text::known(row.worst.clone()),
        ]
    });
    text::table(&head, rows)
}
