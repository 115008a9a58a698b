//! What can be seen of the ledger from outside.

use heights::{Inspect, View};

use super::LedgerWatch;

impl Inspect for LedgerWatch {
    fn inspect(&self, view: View<'_>) {
        let stats = self.0.ledger.0.stats();
        view.record(|shown| {
            shown
                .field("changes", &stats.changes)
                .field("refused", &stats.refused)
                .field("commits", &stats.commits)
                .field("largest_commit", &stats.largest_commit)
                .field("queued", &stats.queued)
                .field("disk_bytes", &stats.disk_bytes)
                .field("has_failed", &stats.failed)
        });
    }
}
