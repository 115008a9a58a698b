//! The store: checked and exported while the node runs.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use ci_store::{Finding, Ledger, export as export_ledger};
use futures_util::stream;
use heights::Fault;
use tokio::sync::mpsc;

use crate::access::{Administer, Allowed};
use crate::audit;
use crate::moment;
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{StoreAudit, StoreFinding};

/// Bytes of an export that are sent at once.
const CHUNK: usize = 64 * 1024;
/// Chunks that wait for a slow reader.
const AHEAD: usize = 8;

pub(super) async fn check(
    State(site): State<Site>,
    _: Allowed<Administer>,
) -> Result<Json<StoreAudit>, Problem> {
    let ledger = site.node().ledger().store().clone();
    let audit = tokio::task::spawn_blocking(move || ledger.check()).await;
    let audit = audit.map_err(Fault::from).and_then(|audit| audit.map_err(Fault::from));
    let audit = audit.map_err(|error| Problem::unavailable("check the store", &error))?;
    let finding = |finding: Finding| StoreFinding {
        stream: finding.stream,
        seq: finding.seq.map(|seq| seq.0),
        problem: finding.problem,
    };
    Ok(Json(StoreAudit {
        streams: audit.streams,
        snapshots: audit.snapshots,
        records: audit.records,
        findings: audit.findings.into_iter().map(finding).collect(),
    }))
}

/// Everything as JSON lines, the last of which sums up the others: an export that broke off is known.
pub(super) async fn export(State(site): State<Site>, _: Allowed<Administer>) -> Response {
    audit::say("export the store");
    let ledger = site.node().ledger().store().clone();
    let (sender, mut receiver) = mpsc::channel(AHEAD);
    // It ends by itself: with the export, or at the first chunk that nobody takes any more.
    let _task = tokio::task::spawn_blocking(move || write(&ledger, sender));
    let body = Body::from_stream(stream::poll_fn(move |context| receiver.poll_recv(context)));
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}

fn write(ledger: &Arc<dyn Ledger>, sender: mpsc::Sender<io::Result<Bytes>>) {
    let mut out = BufWriter::with_capacity(CHUNK, Chunks(sender.clone()));
    if let Err(error) = export_ledger(&**ledger, &moment::stamp(), &mut out) {
        tracing::warn!(%error, "an export broke off");
        // The answer must not look whole. A reader that is gone needs no telling.
        let _gone = sender.blocking_send(Err(io::Error::other(error)));
    }
}

/// Sends what is written, and waits for whoever reads it.
struct Chunks(mpsc::Sender<io::Result<Bytes>>);

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let chunk = Bytes::copy_from_slice(bytes);
        let sent = self.0.blocking_send(Ok(chunk));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe)).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
