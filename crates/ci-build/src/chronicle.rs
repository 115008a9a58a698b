//! What the actors of a pull request and of a branch do alike with what was decided: put it on record,
//! tell the forge's wish to the reporter, and free in the end what they hold.

use std::sync::Arc;
use std::time::Duration;

use ci_domain::report::Report;
use ci_domain::subject::Subject;
use ci_store::{Record, StreamId};
use heights::Fault;
use serde_json::Value;
use tracing::warn;

use crate::elders::Elders;
use crate::errand::errand;

/// How long a preparation that did not work waits before it is tried again.
pub(crate) const PREPARE_RETRY: Duration = Duration::from_secs(10);
/// Records after which a stream is folded into a snapshot.
const RECORDS_PER_SNAPSHOT: usize = 256;

/// The record of a pull request or branch, and what was told of it.
pub(crate) struct Chronicle {
    elders: Arc<Elders>,
    stream: StreamId,
    since_snapshot: usize,
    published: Option<Arc<Report>>,
}

impl Chronicle {
    /// Goes on with `stream`, which has `since_snapshot` records after its snapshot.
    pub(crate) fn new(elders: Arc<Elders>, stream: StreamId, since_snapshot: usize) -> Self {
        Self { elders, stream, since_snapshot, published: None }
    }

    /// Appends `records`, and folds a stream that has grown long into `memory`, so that a replay stays
    /// short.
    ///
    /// # Errors
    /// The stream cannot be written.
    pub(crate) async fn record(
        &mut self,
        records: Vec<Record>,
        memory: impl FnOnce() -> Value,
    ) -> Result<(), Fault> {
        if records.is_empty() {
            return Ok(());
        }
        self.since_snapshot += records.len();
        let seq = self.elders.ledger.append(&self.stream, records).await?;
        if self.since_snapshot >= RECORDS_PER_SNAPSHOT {
            self.since_snapshot = 0;
            self.elders.ledger.snapshot(&self.stream, seq, memory()).await?;
        }
        Ok(())
    }

    /// Tells the reporter what has changed. A reporter that restarts takes us with it, so it never
    /// misses what was told to an earlier life.
    pub(crate) fn publish(&mut self, report: Option<Report>) {
        if report.as_ref() == self.published.as_deref() {
            return;
        }
        self.published = report.map(Arc::new);
        if let Some(report) = &self.published {
            self.elders.reporter.publish(&self.elders.repo, Arc::clone(report));
        }
    }

    /// Frees what `subject` holds on the disk and in the reporter's memory; `freed` is called at the end,
    /// also where the janitor has to finish it.
    ///
    /// # Errors
    /// Errands are not done any more.
    pub(crate) async fn free(
        &self,
        subject: Subject,
        freed: impl FnOnce() + Send + 'static,
    ) -> Result<(), Fault> {
        let elders = &self.elders;
        let (workspaces, mirror) = (elders.workspaces.clone(), elders.mirror.clone());
        elders.reporter.forget(&elders.repo, subject.clone());
        let held = subject.clone();
        errand(
            &elders.errands,
            "free",
            async move {
                mirror.release(&held).await?;
                workspaces.remove(&held).await
            },
            move |result| {
                if let Ok(Err(error)) = &result {
                    warn!(%subject, %error, "failed to free a workspace; the janitor will");
                }
                freed();
            },
        )
        .await
    }
}
