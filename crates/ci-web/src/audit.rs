//! Who did what, when, from where and how it ended: a record that outlives the process.
//!
//! Every request that changes something is put on record by who made it, whatever its route: a handler only
//! says in words what a path does not tell. Strangers who are turned away did nothing and are not on record,
//! but for logging in.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use ci_store::{Append, Ledger, Record, Replay, Seq, StreamId};
use heights::Fault;
use serde::{Deserialize, Serialize};
use tracing::error;

use crate::access::{Caller, Peer};
use crate::moment;
use crate::problem::chain;
use crate::site::Site;
use crate::wire::{ActorKind, AuditEntry};

/// Entries that are kept at least.
const KEPT: usize = 10_000;
/// Entries above that, after which the oldest go.
const SLACK: usize = 1_000;
/// The longest path that is kept, in bytes.
const LONGEST_PATH: usize = 500;
/// What is signed by the forge: the intake has its own record.
const DELIVERIES: &str = "/webhooks/github";

tokio::task_local! {
    /// What is known of the request that is answered.
    static TRAIL: Arc<Mutex<Trail>>;
}

/// What a request leaves behind.
#[derive(Default)]
struct Trail {
    by: Option<Caller>,
    action: Option<String>,
}

/// The record.
#[derive(Clone)]
pub(crate) struct AuditLog {
    ledger: Arc<dyn Ledger>,
    /// How many entries there are, once that is known.
    count: Arc<tokio::sync::Mutex<Option<usize>>>,
}

/// An entry as it is kept.
#[derive(Serialize, Deserialize)]
struct Acted {
    at_ms: u64,
    kind: StoredKind,
    who: String,
    from: String,
    action: String,
    path: String,
    status: u16,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredKind {
    Operator,
    Token,
    Person,
    Nobody,
}

/// Notes who makes the request that is answered.
pub(crate) fn by(caller: &Caller) {
    note(|trail| trail.by = Some(caller.clone()));
}

/// Notes what the request that is answered does, and that it is put on record.
pub(crate) fn say(action: impl Into<String>) {
    note(|trail| trail.action = Some(action.into()));
}

fn note(change: impl FnOnce(&mut Trail)) {
    // There is none where a page is drawn for many.
    let _none = TRAIL.try_with(|trail| {
        change(&mut trail.lock().unwrap_or_else(PoisonError::into_inner));
    });
}

/// Puts requests on record.
pub(crate) async fn keep(State(site): State<Site>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_look = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let is_change = !is_look && path != DELIVERIES;
    let path: String = path.chars().take(LONGEST_PATH).collect();
    let method = request.method().clone();
    let peer = Peer::of(request.extensions(), request.headers(), site.proxies());
    let trail = Arc::new(Mutex::new(Trail::default()));
    let response = TRAIL.scope(trail.clone(), next.run(request)).await;
    let Trail { by, action } =
        std::mem::take(&mut *trail.lock().unwrap_or_else(PoisonError::into_inner));
    let is_known = by.as_ref().is_some_and(|by| *by != Caller::Nobody);
    // A flood is kept out of the record, too.
    let is_flood = response.status() == StatusCode::TOO_MANY_REQUESTS;
    if is_flood || action.is_none() && !(is_change && is_known) {
        return response;
    }
    let (kind, who) = actor(by.unwrap_or(Caller::Nobody));
    let acted = Acted {
        at_ms: moment::millis(SystemTime::now()),
        kind,
        who,
        from: peer.to_string(),
        action: action.unwrap_or_else(|| method.to_string()),
        path,
        status: response.status().as_u16(),
    };
    // What was done is done: that it is not on record is for whoever reads the log.
    if let Err(error) = site.audit().add(&acted).await {
        error!(error = %chain(error.as_ref()), who = acted.who, action = acted.action, "failed to put on record");
    }
    response
}

fn actor(caller: Caller) -> (StoredKind, String) {
    match caller {
        Caller::Operator => (StoredKind::Operator, "operator".to_owned()),
        Caller::Holder(token) => (StoredKind::Token, format!("{} {}", token.id, token.label)),
        Caller::Person(person) => (StoredKind::Person, person.login.to_string()),
        Caller::Nobody => (StoredKind::Nobody, "nobody".to_owned()),
    }
}

impl AuditLog {
    pub(crate) fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self { ledger, count: Arc::default() }
    }

    async fn add(&self, acted: &Acted) -> Result<(), Fault> {
        let mut guard = self.count.lock().await;
        let count = match guard.take() {
            Some(count) => count,
            None => self.read().await?.records.len(),
        };
        let body = serde_json::to_value(acted)?;
        let record = Record { kind: "acted".to_owned(), version: 1, body };
        let last = self.ledger.append(Append::new(stream(), vec![record])).await?;
        let mut count = count + 1;
        if count >= KEPT + SLACK {
            // A fold that holds nothing: the numbers go on, and what they stood for is gone.
            let upto = Seq(last.0 - KEPT as u64);
            self.ledger.snapshot(stream(), upto, serde_json::json!({})).await?;
            count = KEPT;
        }
        *guard = Some(count);
        Ok(())
    }

    /// The newest entries before `before`, no more than `most`; and whether there are others.
    pub(crate) async fn list(
        &self,
        before: Option<u64>,
        most: usize,
    ) -> Result<(Vec<AuditEntry>, bool), Fault> {
        let replay = self.read().await?;
        let is_wanted = |seq: Seq| before.is_none_or(|before| seq.0 < before);
        let wanted = replay.records.into_iter().rev().filter(|(seq, _)| is_wanted(*seq));
        let mut entries = Vec::new();
        for (seq, record) in wanted {
            if entries.len() == most {
                return Ok((entries, true));
            }
            entries.push(entry(seq, record)?);
        }
        Ok((entries, false))
    }

    async fn read(&self) -> Result<Replay, Fault> {
        let ledger = self.ledger.clone();
        Ok(tokio::task::spawn_blocking(move || ledger.read(&stream())).await??)
    }
}

fn entry(Seq(id): Seq, record: Record) -> Result<AuditEntry, Fault> {
    let (kind, version) = (record.kind.as_str(), record.version);
    if (kind, version) != ("acted", 1) {
        return Err(format!("read a record of what was done, {kind} of version {version}").into());
    }
    let Acted { at_ms, kind, who, from, action, path, status } =
        serde_json::from_value(record.body)?;
    let kind = match kind {
        StoredKind::Operator => ActorKind::Operator,
        StoredKind::Token => ActorKind::Token,
        StoredKind::Person => ActorKind::Person,
        StoredKind::Nobody => ActorKind::Nobody,
    };
    Ok(AuditEntry { id, at_ms, kind, who, from, action, path, status })
}

fn stream() -> StreamId {
    StreamId::new("audit").expect("a plain word names a stream")
}

#[cfg(test)]
mod tests {
    use ci_store::MemoryLedger;

    use super::*;

    fn acted(at_ms: u64) -> Acted {
        let text = |text: &str| text.to_owned();
        let (who, from) = (text("ada"), text("127.0.0.1"));
        let (action, path) = (text("retry"), text("/acme/shop/pull/1/act"));
        Acted { at_ms, kind: StoredKind::Person, who, from, action, path, status: 303 }
    }

    #[tokio::test]
    async fn the_record_outlives_the_process_and_has_a_bound() {
        let ledger = Arc::new(MemoryLedger::new());
        let total = (KEPT + SLACK) as u64;
        let before = AuditLog::new(ledger.clone());
        for at in 1..total {
            before.add(&acted(at)).await.unwrap();
        }
        assert_eq!(ledger.read(&stream()).unwrap().records.len(), KEPT + SLACK - 1);
        let log = AuditLog::new(ledger.clone());
        log.add(&acted(total)).await.unwrap();
        assert_eq!(ledger.read(&stream()).unwrap().records.len(), KEPT);
        let (newest, more) = log.list(None, 2).await.unwrap();
        let ids: Vec<u64> = newest.iter().map(|entry| entry.id).collect();
        assert_eq!((ids, more), (vec![total, total - 1], true));
        let (next, _) = log.list(Some(total - 1), 1).await.unwrap();
        assert_eq!((next[0].id, next[0].at_ms), (total - 2, total - 2));
        let (rest, more) = log.list(Some(total - KEPT as u64 + 2), 5).await.unwrap();
        assert_eq!((rest.len(), more), (1, false));
    }
}
