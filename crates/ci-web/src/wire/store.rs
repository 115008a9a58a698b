//! The store.

use serde::{Deserialize, Serialize};

/// What the store did since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStats {
    /// Changes that were made.
    pub changes: u64,
    /// Changes that were refused.
    pub refused: u64,
    /// Syncs that they took.
    pub commits: u64,
    /// Changes that wait.
    pub queued: u64,
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// Whether it failed for good.
    pub failed: bool,
}

/// What a check of the whole store found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreAudit {
    /// Streams that hold something.
    pub streams: u64,
    /// Sound snapshots.
    pub snapshots: u64,
    /// Sound records.
    pub records: u64,
    /// What is not as it was written.
    pub findings: Vec<StoreFinding>,
}

/// One thing that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreFinding {
    /// The stream.
    pub stream: String,
    /// The record.
    pub seq: Option<u64>,
    /// What is wrong.
    pub problem: String,
}
