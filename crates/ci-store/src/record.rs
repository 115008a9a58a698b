//! What is stored: records, the writes that bring them, and the replay that gives them back.

use serde_json::Value;

use crate::{Seq, StreamId};

/// The version of the stored form. A store or an export with a higher one is refused by name.
pub const SCHEMA: u32 = 1;

/// One fact as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Which fact it is, such as `build-finished`.
    pub kind: String,
    /// The version of the body's form.
    pub version: u16,
    /// The fact itself.
    pub body: Value,
}

/// A stream folded up to and including `seq`.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The last record that is part of the fold.
    pub seq: Seq,
    /// The folded state.
    pub body: Value,
}

/// A request to add records to one stream, all or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Append {
    /// The stream to add to; it comes into being with its first record.
    pub stream: StreamId,
    /// Where the stream must stand for the append to happen; `None` adds wherever it stands.
    pub expected: Option<Seq>,
    /// What to add. Nothing at all is fine: the answer is then where the stream stands.
    pub records: Vec<Record>,
}

/// What a stream holds: fold the records over the snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replay {
    /// The fold of what came before the records, if there is one.
    pub snapshot: Option<Snapshot>,
    /// The records after the snapshot, without gaps.
    pub records: Vec<(Seq, Record)>,
}

impl Append {
    /// Adds `records` to `stream` wherever it stands.
    #[must_use]
    pub fn new(stream: StreamId, records: Vec<Record>) -> Self {
        Self { stream, expected: None, records }
    }

    /// Refuses the append unless the stream stands at `seq`.
    #[must_use]
    pub fn expecting(mut self, seq: Seq) -> Self {
        self.expected = Some(seq);
        self
    }
}

impl Replay {
    /// Where the stream stands: its last record, or [`Seq::START`].
    #[must_use]
    pub fn last(&self) -> Seq {
        let folded = self.snapshot.as_ref().map_or(Seq::START, |snapshot| snapshot.seq);
        self.records.last().map_or(folded, |(seq, _)| *seq)
    }

    /// Whether the stream holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.snapshot.is_none() && self.records.is_empty()
    }

    /// The first break in the numbering, if there is one.
    pub(crate) fn gap(&self) -> Option<Gap> {
        let mut last = self.snapshot.as_ref().map_or(Seq::START, |snapshot| snapshot.seq);
        for (seq, _) in &self.records {
            let expected = last.after(1);
            if *seq != expected {
                return Some(Gap { expected, found: *seq });
            }
            last = expected;
        }
        None
    }
}

/// A break in the numbering of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) expected: Seq,
    pub(crate) found: Seq,
}
