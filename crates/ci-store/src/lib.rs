//! The ledger: streams of records that a crash cannot take back.
//!
//! A [`Ledger`] holds many streams. Each is a numbered sequence of [`Record`]s, of which a prefix may have been
//! folded into one [`Snapshot`]. Writes are queued and acknowledged when they are on disk; reads see whole writes only.
//!
//! ```text
//!  many actors ──submit──► queue ──► one committing thread ──► batch, flush, sync ──► all answers
//!       └────────read────────────────────────────────────────► the same store
//! ```
//!
//! [`SledLedger`] is the one on disk, [`MemoryLedger`] its twin for tests; both pass the same contract tests.
//! An [`export()`] is the way out, the backup that [`SledLedger::open`] restores from, and the fixture of a release.
//!
//! ```
//! use ci_store::{Append, Ledger, MemoryLedger, Record, StreamId};
//!
//! let ledger = MemoryLedger::new();
//! let stream = StreamId::new("pull/acme/shop/7")?;
//! let opened = Record { kind: "opened".into(), version: 1, body: serde_json::json!({ "head": "f00d" }) };
//! let seq = ledger.append(Append::new(stream.clone(), vec![opened.clone()])).wait()?;
//! assert_eq!(ledger.read(&stream)?.records, [(seq, opened)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod audit;
mod backups;
mod completion;
mod export;
mod head;
mod import;
mod ledger;
mod memory;
mod record;
mod sled_ledger;
mod stored;
mod stream;

pub use audit::{Audit, Finding};
pub use backups::{
    Backup, BackupError, InvalidStamp, Stamp, backups, export_to_dir, latest_export,
};
pub use completion::Completion;
pub use export::{ExportError, Exported, export};
pub use import::ImportError;
pub use ledger::{Change, Done, Fault, Ledger, ReadError, Stats, WriteError};
pub use memory::MemoryLedger;
pub use record::{Append, Record, Replay, SCHEMA, Snapshot};
pub use sled_ledger::{
    CompactError, Compacted, LoadError, OpenError, Opened, Options, Pid, Recovery, SledLedger,
};
pub use stream::{InvalidStream, Seq, StreamId};
