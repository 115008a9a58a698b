//! What a check finds.

use std::fmt;

use crate::record::Gap;
use crate::{Replay, Seq, StreamId};

/// The result of reading everything once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Streams that hold something.
    pub streams: u64,
    /// Sound snapshots.
    pub snapshots: u64,
    /// Sound records.
    pub records: u64,
    /// What is not as it was written; empty when all is well.
    pub findings: Vec<Finding>,
}

/// One thing that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Finding {
    /// The stream, as far as its name can be read.
    pub stream: String,
    /// The record or snapshot, where it is one.
    pub seq: Option<Seq>,
    /// What is wrong with it.
    pub problem: String,
}

impl Audit {
    /// Counts a stream.
    pub(crate) fn count(&mut self, replay: &Replay) {
        self.streams += 1;
        self.snapshots += u64::from(replay.snapshot.is_some());
        self.records += replay.records.len() as u64;
    }
}

impl Finding {
    pub(crate) fn in_stream(stream: &StreamId, problem: impl Into<String>) -> Self {
        Self { stream: stream.to_string(), seq: None, problem: problem.into() }
    }

    pub(crate) fn at(stream: &StreamId, seq: Seq, problem: impl Into<String>) -> Self {
        Self { stream: stream.to_string(), seq: Some(seq), problem: problem.into() }
    }

    pub(crate) fn gap(stream: &StreamId, gap: Gap) -> Self {
        Self::at(stream, gap.found, format!("follows a gap: expected seq {}", gap.expected))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seq {
            Some(seq) => write!(f, "{} at {seq}: {}", self.stream, self.problem),
            None => write!(f, "{}: {}", self.stream, self.problem),
        }
    }
}
