//! Writes a ledger as JSON lines: the backup, the way to another engine, and the fixture of a release.
//!
//! ```text
//! {"format":"ci-ledger","schema":1,"created":"20260131T101500Z"}
//! {"snapshot":{"stream":"pull/acme/shop/7","seq":256,"body":…}}
//! {"record":{"stream":"pull/acme/shop/7","seq":257,"kind":"build-finished","version":1,"body":…}}
//! {"end":{"streams":1,"records":1,"crc32":3735928559}}
//! ```
//!
//! Streams come in the order of their names, each with its snapshot first. The last line counts what came before it
//! and sums its bytes up, so that an export that was cut short or changed is recognized.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Ledger, ReadError, Replay, SCHEMA, Stamp, StreamId};

/// What the first line says, so that nothing else is taken for an export.
pub(crate) const FORMAT: &str = "ci-ledger";

/// How much an export holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Streams that hold something.
    pub streams: u64,
    /// Records, without those that snapshots hold.
    pub records: u64,
}

/// Why an export was not written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The ledger could not be read.
    #[error("export the ledger")]
    Read(#[from] ReadError),
    /// The export could not be written.
    #[error("write the export")]
    Write(#[from] io::Error),
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header<'a> {
    pub(crate) format: Cow<'a, str>,
    pub(crate) schema: u32,
    pub(crate) created: Cow<'a, str>,
}

/// Every other line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Line<'a> {
    Snapshot(SnapshotLine<'a>),
    Record(RecordLine<'a>),
    End(EndLine),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SnapshotLine<'a> {
    pub(crate) stream: Cow<'a, str>,
    pub(crate) seq: u64,
    pub(crate) body: Cow<'a, Value>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordLine<'a> {
    pub(crate) stream: Cow<'a, str>,
    pub(crate) seq: u64,
    pub(crate) kind: Cow<'a, str>,
    pub(crate) version: u16,
    pub(crate) body: Cow<'a, Value>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndLine {
    pub(crate) streams: u64,
    pub(crate) records: u64,
    pub(crate) crc32: u32,
}

/// Writes lines, counting and summing up what was written.
struct Lines<'a> {
    out: &'a mut dyn Write,
    sum: crc32fast::Hasher,
    exported: Exported,
}

/// Writes everything that `ledger` holds to `out`, while others go on writing to it.
///
/// Each stream is written as it stood at one instant; different streams may be of different instants.
///
/// # Errors
/// A ledger that cannot be read, or an `out` that cannot be written; `out` then holds a part that no import takes.
pub fn export<L: Ledger + ?Sized>(
    ledger: &L,
    created: &Stamp,
    out: &mut dyn Write,
) -> Result<Exported, ExportError> {
    let mut lines = Lines { out, sum: crc32fast::Hasher::new(), exported: Exported::default() };
    lines.write(&Header {
        format: FORMAT.into(),
        schema: SCHEMA,
        created: created.as_str().into(),
    })?;
    for stream in ledger.streams("")? {
        lines.stream(&stream, &ledger.read(&stream)?)?;
    }
    Ok(lines.end()?)
}

impl Lines<'_> {
    fn stream(&mut self, stream: &StreamId, replay: &Replay) -> io::Result<()> {
        // A stream that was dropped since it was listed is no longer part of the ledger.
        self.exported.streams += u64::from(!replay.is_empty());
        self.exported.records += replay.records.len() as u64;
        let stream = Cow::Borrowed(stream.as_str());
        if let Some(snapshot) = &replay.snapshot {
            self.write(&Line::Snapshot(SnapshotLine {
                stream: stream.clone(),
                seq: snapshot.seq.0,
                body: Cow::Borrowed(&snapshot.body),
            }))?;
        }
        for (seq, record) in &replay.records {
            self.write(&Line::Record(RecordLine {
                stream: stream.clone(),
                seq: seq.0,
                kind: Cow::Borrowed(&record.kind),
                version: record.version,
                body: Cow::Borrowed(&record.body),
            }))?;
        }
        Ok(())
    }

    fn end(mut self) -> io::Result<Exported> {
        let Exported { streams, records } = self.exported;
        let crc32 = self.sum.clone().finalize();
        self.write(&Line::End(EndLine { streams, records, crc32 }))?;
        self.out.flush()?;
        Ok(self.exported)
    }

    fn write(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.sum.update(&text);
        self.out.write_all(&text)
    }
}
