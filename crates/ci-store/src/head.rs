//! Where a stream stands, and which changes it takes: the rules that both ledgers share.

use crate::{Append, Replay, Seq, StreamId, WriteError};

/// Where a stream stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The last record, folded or not.
    pub(crate) last: Seq,
    /// The last record that the snapshot holds; [`Seq::START`] without one.
    pub(crate) folded: Seq,
}

impl Head {
    pub(crate) fn of(replay: &Replay) -> Self {
        let folded = replay.snapshot.as_ref().map_or(Seq::START, |snapshot| snapshot.seq);
        Self { last: replay.last(), folded }
    }

    /// Where the stream stands after `append`.
    pub(crate) fn append(self, append: &Append) -> Result<Self, WriteError> {
        match append.expected {
            Some(expected) if expected != self.last => Err(WriteError::Conflict {
                stream: append.stream.clone(),
                expected,
                actual: self.last,
            }),
            _ => Ok(Self { last: self.last.after(append.records.len()), ..self }),
        }
    }

    /// Where the stream stands after a snapshot of everything up to `upto`.
    pub(crate) fn fold(self, stream: &StreamId, upto: Seq) -> Result<Self, WriteError> {
        let (first, last) = (self.folded.max(Seq(1)), self.last);
        if (first..=last).contains(&upto) {
            Ok(Self { folded: upto, ..self })
        } else {
            Err(WriteError::OutOfRange { stream: stream.clone(), upto, first, last })
        }
    }
}
