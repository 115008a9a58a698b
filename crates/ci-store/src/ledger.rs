//! The port: what every ledger does, and how it can fail.

use serde_json::Value;

use crate::completion::completion;
use crate::{Append, Audit, Completion, Finding, Replay, Seq, StreamId};

/// Takes the answer to one [`Change`]; runs on the ledger's own thread, so it only hands on.
pub type Done = Box<dyn FnOnce(Result<Seq, WriteError>) + Send>;

/// One write, which happens whole or not at all.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Adds records; answers the seq of the last one.
    Append(Append),
    /// Replaces the records up to and including `upto`, and an older snapshot, by `body`; answers where the stream stands.
    Snapshot {
        /// The stream to fold.
        stream: StreamId,
        /// The last record that is part of the fold.
        upto: Seq,
        /// The folded state.
        body: Value,
    },
    /// Forgets the stream and its numbering; answers where it stood.
    Drop {
        /// The stream to forget.
        stream: StreamId,
    },
}

/// Streams of records that outlive the process.
///
/// Writes to one stream happen in the order in which they were submitted. An acknowledged write survives the death of
/// the process at any instant and the loss of power. Reads may touch the disk: keep them off threads that must not wait.
pub trait Ledger: Send + Sync {
    /// Queues `change`; `done` is called exactly once, after the change is durable or refused.
    fn submit(&self, change: Change, done: Done);

    /// Gives back what a stream holds; a stream that was never written, or was dropped, is empty.
    ///
    /// # Errors
    /// Damage to this stream, or a store that can no longer be read.
    fn read(&self, stream: &StreamId) -> Result<Replay, ReadError>;

    /// Lists the streams whose names begin with `prefix`, in order.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    fn streams(&self, prefix: &str) -> Result<Vec<StreamId>, ReadError>;

    /// Reads everything and reports each thing that is not as it was written.
    ///
    /// # Errors
    /// Damage is a finding, not an error; only a store that can no longer be read is.
    fn check(&self) -> Result<Audit, ReadError>;

    /// Counts what was done since the ledger was opened.
    fn stats(&self) -> Stats;

    /// Appends, and gives a future of the answer.
    fn append(&self, append: Append) -> Completion {
        self.request(Change::Append(append))
    }

    /// Folds a stream, and gives a future of the answer; see [`Change::Snapshot`].
    fn snapshot(&self, stream: StreamId, upto: Seq, body: Value) -> Completion {
        self.request(Change::Snapshot { stream, upto, body })
    }

    /// Forgets a stream, and gives a future of the answer; see [`Change::Drop`].
    fn drop_stream(&self, stream: StreamId) -> Completion {
        self.request(Change::Drop { stream })
    }

    /// Queues `change`, and gives a future of the answer. It is queued even if the future is never polled.
    fn request(&self, change: Change) -> Completion {
        let (done, completion) = completion();
        self.submit(change, done);
        completion
    }
}

/// Why a write did not happen.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WriteError {
    /// Someone else wrote first: read again and decide again.
    #[error("append to {stream}: expected it at {expected}, it is at {actual}")]
    Conflict {
        /// The stream.
        stream: StreamId,
        /// Where the writer believed it to be.
        expected: Seq,
        /// Where it is.
        actual: Seq,
    },
    /// A snapshot of records that are not there, or older than the snapshot that is.
    #[error("fold {stream} up to {upto}: it can be folded from {first} to {last}")]
    OutOfRange {
        /// The stream.
        stream: StreamId,
        /// The last record of the refused snapshot.
        upto: Seq,
        /// The lowest seq that would do.
        first: Seq,
        /// The highest seq that would do.
        last: Seq,
    },
    /// A body that could not be read back.
    #[error("store a record in {stream}: {reason}")]
    Unstorable {
        /// The stream.
        stream: StreamId,
        /// What is wrong with the body.
        reason: String,
    },
    /// What the stream holds is damaged; other streams are not affected.
    #[error("write to a damaged stream")]
    Damaged(#[source] Finding),
    /// The disk failed; nothing more can be written until the process starts anew.
    #[error("make a write durable")]
    Io(#[source] Fault),
    /// The ledger was closed before the write came to its turn.
    #[error("write: the ledger is closed")]
    Closed,
}

/// Why a read did not happen.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ReadError {
    /// What the stream holds is damaged; other streams are not affected.
    #[error("read a damaged stream")]
    Damaged(#[source] Finding),
    /// The disk failed.
    #[error("read the ledger")]
    Io(#[source] Fault),
}

/// A failure of the engine below the ledger, after which it is not to be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{during}: {cause}")]
pub struct Fault {
    /// What was being done.
    pub during: &'static str,
    /// What the engine said.
    pub cause: String,
}

/// What a ledger did since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Changes that were made.
    pub changes: u64,
    /// Changes that were refused.
    pub refused: u64,
    /// Groups of changes that were made durable together: one sync each.
    pub commits: u64,
    /// The most changes that shared a sync.
    pub largest_commit: u64,
    /// Changes that wait.
    pub queued: u64,
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// Whether the engine failed; see [`WriteError::Io`].
    pub failed: bool,
}
