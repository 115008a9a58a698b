//! Puts the parts of snapshots and records together again.

use sled::IVec;

use super::codec::{EntryKey, Section, parse_entry_key, stream_prefix, unseal};
use super::store::Store;
use crate::stored::{decode_body, decode_record};
use crate::{Fault, Finding, ReadError, Replay, Seq, Snapshot, StreamId};

/// Everything that is stored of one stream, sound or not.
pub(super) struct Entries {
    pub(super) replay: Replay,
    pub(super) findings: Vec<Finding>,
}

/// Reads the snapshot and the records of `stream`, and finds what is wrong with them.
pub(super) fn entries(store: &Store, stream: &StreamId) -> Result<Entries, Fault> {
    let mut entries = Entries { replay: Replay::default(), findings: Vec::new() };
    for (seq, content) in entries.assemble(store, stream, Section::Snapshot)? {
        match decode_body(&content) {
            Ok(body) => entries.replay.snapshot = Some(Snapshot { seq, body }),
            Err(problem) => entries.findings.push(Finding::at(stream, seq, problem)),
        }
    }
    for (seq, content) in entries.assemble(store, stream, Section::Record)? {
        match decode_record(&content) {
            Ok(record) => entries.replay.records.push((seq, record)),
            Err(problem) => entries.findings.push(Finding::at(stream, seq, problem)),
        }
    }
    entries.findings.extend(entries.replay.gap().map(|gap| Finding::gap(stream, gap)));
    Ok(entries)
}

/// What a replay of `stream` needs, which is sound or not at all.
pub(super) fn replay(store: &Store, stream: &StreamId) -> Result<Replay, ReadError> {
    let head = store.head(stream)?.unwrap_or_default();
    let mut entries = entries(store, stream).map_err(ReadError::Io)?;
    entries.compare(stream, head.last);
    match entries.findings.into_iter().next() {
        Some(finding) => Err(ReadError::Damaged(finding)),
        None => Ok(entries.replay),
    }
}

impl Entries {
    /// Whether nothing at all is stored.
    pub(super) fn is_empty(&self) -> bool {
        self.replay.is_empty() && self.findings.is_empty()
    }

    /// Compares where the stream stands by its head with where it stands by what is there.
    pub(super) fn compare(&mut self, stream: &StreamId, head: Seq) {
        let last = self.replay.last();
        if last != head {
            let problem = format!("stands at {head} by its head, at {last} by its records");
            self.findings.push(Finding::in_stream(stream, problem));
        }
    }

    fn assemble(
        &mut self,
        store: &Store,
        stream: &StreamId,
        section: Section,
    ) -> Result<Vec<(Seq, Vec<u8>)>, Fault> {
        let cells = store.scan(&stream_prefix(section, stream))?;
        let mut whole = Vec::new();
        let seqs = cells.chunk_by(|(left, _), (right, _)| seq_of(left) == seq_of(right));
        for parts in seqs {
            let Some(seq) = parts.first().and_then(|(key, _)| seq_of(key)) else {
                self.findings.push(Finding::in_stream(stream, "a key that names no record"));
                continue;
            };
            match join(parts) {
                Ok(content) => whole.push((seq, content)),
                Err(problem) => self.findings.push(Finding::at(stream, seq, problem)),
            }
        }
        Ok(whole)
    }
}

fn seq_of(key: &[u8]) -> Option<Seq> {
    parse_entry_key(key).map(|key| key.seq)
}

/// Joins the parts of one entry, all of them and in order.
fn join(parts: &[(IVec, IVec)]) -> Result<Vec<u8>, String> {
    let mut joined = Vec::new();
    let mut follows = true;
    for (expected, (key, cell)) in (0..).zip(parts) {
        let (more, content) = unseal(key, cell)?;
        if !follows || parse_entry_key(key).is_none_or(|EntryKey { part, .. }| part != expected) {
            return Err(format!("part {expected} is missing"));
        }
        joined.extend_from_slice(content);
        follows = more;
    }
    if follows { Err("its last part is missing".to_owned()) } else { Ok(joined) }
}
