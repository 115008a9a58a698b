//! A part of the record of deliveries: some hundreds that came one after the other, and which of them
//! have not had their effect.

use std::collections::BTreeMap;
use std::sync::Arc;

use ci_domain::forge::Timestamp;
use ci_store::{Replay, Seq};
use heights::Fault;
use serde_json::Value;

use crate::intake::store::{self, Entry, Line, Remembered};

/// Records after which a segment is folded: so many are deleted in one commit, for which all wait who have
/// something to write.
const RECORDS_PER_FOLD: usize = 256;

/// One segment, as its stream says.
#[derive(Debug, Default)]
pub(super) struct Segment {
    pending: BTreeMap<String, Entry>,
    ids: Vec<Arc<str>>,
    /// When the last of them came.
    latest: Timestamp,
    /// Deliveries that are on their way to the disk.
    pub(super) coming: usize,
    /// Where the stream stands.
    end: Seq,
    since_fold: usize,
}

impl Segment {
    /// Folds what is on record. What does not say when it came is taken to have come `now`.
    pub(super) fn replay(replay: &Replay, now: Timestamp) -> Result<Self, Fault> {
        let since_fold = replay.records.len();
        let mut segment = Self { end: replay.last(), since_fold, ..Self::default() };
        if let Some(snapshot) = &replay.snapshot {
            let Remembered { pending, seen } = store::recall(&snapshot.body, now)?;
            seen.into_iter().for_each(|(id, at)| segment.remember(id.into(), at));
            for entry in pending {
                segment.latest = segment.latest.max(entry.at);
                segment.pending.insert(entry.delivery.clone(), entry);
            }
        }
        for (_, record) in &replay.records {
            match store::line(record, now)? {
                Line::Received(entry) => segment.receive(entry.delivery.as_str().into(), *entry),
                Line::Finished(all) => all.iter().for_each(|id| segment.finish(id)),
            }
        }
        Ok(segment)
    }

    pub(super) fn receive(&mut self, id: Arc<str>, entry: Entry) {
        self.remember(id, entry.at);
        self.pending.insert(entry.delivery.clone(), entry);
    }

    pub(super) fn finish(&mut self, delivery: &str) {
        self.pending.remove(delivery);
    }

    /// The deliveries that have not had their effect.
    pub(super) fn pending(&self) -> &BTreeMap<String, Entry> {
        &self.pending
    }

    /// The ids that are remembered.
    pub(super) fn ids(&self) -> &[Arc<str>] {
        &self.ids
    }

    /// When the last of them came.
    pub(super) fn latest(&self) -> Timestamp {
        self.latest
    }

    /// Whether nothing in it is worth keeping.
    pub(super) fn is_over(&self) -> bool {
        self.ids.is_empty() && self.pending.is_empty() && self.coming == 0
    }

    /// Forgets all ids; what is pending stays.
    pub(super) fn forget_ids(&mut self) {
        self.ids.clear();
    }

    /// Takes note of a record that made the stream stand at `end`; answers whether it is to be folded now.
    /// What is on its way does not matter: the ledger answers in the order of its records, so this is what
    /// those up to `end` say, and all others come after.
    pub(super) fn stand(&mut self, end: Seq) -> bool {
        self.end = end;
        self.since_fold += 1;
        self.since_fold >= RECORDS_PER_FOLD
    }

    /// The whole of it for a snapshot, and up to where.
    pub(super) fn fold(&mut self) -> Result<(Seq, Value), serde_json::Error> {
        self.since_fold = 0;
        Ok((self.end, store::snapshot(self.pending.values(), &self.ids, self.latest)?))
    }

    fn remember(&mut self, id: Arc<str>, at: Timestamp) {
        self.latest = self.latest.max(at);
        self.ids.push(id);
    }
}
