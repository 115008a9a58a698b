//! What a group of changes does to the store, worked out before anything is written.

use std::collections::HashMap;

use serde_json::Value;

use super::codec::{Cell, Section, entry_cells, head_cell, head_key, seq_prefix, stream_prefix};
use super::store::{Batch, Store};
use crate::head::Head;
use crate::stored::{encode_body, encode_record};
use crate::{Append, Change, ReadError, Replay, Seq, StreamId, WriteError};

/// The writes of one commit. Later changes see what earlier ones of the same plan do.
pub(super) struct Plan<'a> {
    store: &'a Store,
    batch: Batch,
    heads: HashMap<StreamId, Head>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store, batch: Batch::new(), heads: HashMap::new() }
    }

    /// Adds `change` whole, or refuses it and stays as it was.
    pub(super) fn add(&mut self, change: &Change) -> Result<Seq, WriteError> {
        match change {
            Change::Append(append) => self.append(append),
            Change::Snapshot { stream, upto, body } => self.snapshot(stream, *upto, body),
            Change::Drop { stream } => self.drop_stream(stream),
        }
    }

    /// Adds a whole stream, which the store does not hold yet.
    pub(super) fn load(&mut self, stream: &StreamId, replay: &Replay) -> Result<(), String> {
        if let Some(snapshot) = &replay.snapshot {
            let content = encode_body(&snapshot.body)?;
            self.write(entry_cells(Section::Snapshot, stream, snapshot.seq, &content));
        }
        for (seq, record) in &replay.records {
            self.write(entry_cells(Section::Record, stream, *seq, &encode_record(record)?));
        }
        self.stand(stream, Head::of(replay));
        Ok(())
    }

    /// The writes, or nothing if there are none.
    pub(super) fn into_batch(self) -> Option<Batch> {
        Some(self.batch).filter(|batch| !batch.is_empty())
    }

    fn append(&mut self, append: &Append) -> Result<Seq, WriteError> {
        let stream = &append.stream;
        let before = self.head(stream)?;
        let head = before.append(append)?;
        let mut cells = Vec::new();
        for (index, record) in append.records.iter().enumerate() {
            let content = encode_record(record).map_err(|reason| unstorable(stream, reason))?;
            let seq = before.last.after(index + 1);
            cells.extend(entry_cells(Section::Record, stream, seq, &content));
        }
        if !append.records.is_empty() {
            self.write(cells);
            self.stand(stream, head);
        }
        Ok(head.last)
    }

    fn snapshot(&mut self, stream: &StreamId, upto: Seq, body: &Value) -> Result<Seq, WriteError> {
        let head = self.head(stream)?.fold(stream, upto)?;
        let content = encode_body(body).map_err(|reason| unstorable(stream, reason))?;
        self.delete(Section::Snapshot, stream, None)?;
        self.delete(Section::Record, stream, Some(upto))?;
        self.write(entry_cells(Section::Snapshot, stream, upto, &content));
        self.stand(stream, head);
        Ok(head.last)
    }

    fn drop_stream(&mut self, stream: &StreamId) -> Result<Seq, WriteError> {
        let head = match self.head(stream) {
            // A damaged stream can be dropped: that is how one gets rid of it.
            Err(WriteError::Damaged(_)) => Head::default(),
            head => head?,
        };
        self.delete(Section::Snapshot, stream, None)?;
        self.delete(Section::Record, stream, None)?;
        self.batch.insert(head_key(stream), None);
        self.heads.insert(stream.clone(), Head::default());
        Ok(head.last)
    }

    fn head(&self, stream: &StreamId) -> Result<Head, WriteError> {
        match self.heads.get(stream) {
            Some(head) => Ok(*head),
            None => Ok(self.store.head(stream)?.unwrap_or_default()),
        }
    }

    fn stand(&mut self, stream: &StreamId, head: Head) {
        self.write([head_cell(stream, head)]);
        self.heads.insert(stream.clone(), head);
    }

    fn write(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.batch.extend(cells.into_iter().map(|(key, value)| (key, Some(value))));
    }

    /// Deletes what `section` holds of `stream`, up to and including `upto` if that is given.
    fn delete(
        &mut self,
        section: Section,
        stream: &StreamId,
        upto: Option<Seq>,
    ) -> Result<(), WriteError> {
        let from = stream_prefix(section, stream);
        let to = match upto {
            Some(upto) => seq_prefix(section, stream, upto.after(1)),
            None => past(&from),
        };
        let stored = self.store.keys(&from, &to).map_err(WriteError::Io)?;
        for (_, value) in self.batch.range_mut(from..to) {
            *value = None;
        }
        self.batch.extend(stored.into_iter().map(|key| (key.to_vec(), None)));
        Ok(())
    }
}

/// The first key that no longer begins with `prefix`, which ends in the zero after a stream's name.
fn past(prefix: &[u8]) -> Vec<u8> {
    let mut past = prefix.to_vec();
    if let Some(last) = past.last_mut() {
        *last += 1;
    }
    past
}

fn unstorable(stream: &StreamId, reason: String) -> WriteError {
    WriteError::Unstorable { stream: stream.clone(), reason }
}

impl From<ReadError> for WriteError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Damaged(finding) => Self::Damaged(finding),
            ReadError::Io(fault) => Self::Io(fault),
        }
    }
}
