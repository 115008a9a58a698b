//! The twin in memory: same rules, no disk, and failures on demand.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::head::Head;
use crate::import::{ImportError, import};
use crate::stored::{encode_body, encode_record};
use crate::{
    Append, Audit, Change, Done, Fault, Ledger, ReadError, Replay, Seq, Snapshot, Stats, StreamId,
    WriteError,
};

/// A ledger that forgets when it is dropped.
///
/// It answers before [`submit`](Ledger::submit) returns, on the caller's thread.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    streams: BTreeMap<StreamId, Replay>,
    stats: Stats,
    /// Appends that still work before those that fail.
    passing_appends: usize,
    failing_appends: usize,
}

impl MemoryLedger {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what an export holds.
    ///
    /// # Errors
    /// An export that is not as it was written, or of a newer schema.
    pub fn import(reader: &mut dyn BufRead) -> Result<Self, ImportError> {
        let mut state = State::default();
        import(reader, &mut |stream, replay| {
            state.streams.insert(stream, replay);
            Ok(())
        })?;
        Ok(Self { state: Mutex::new(state) })
    }

    /// Makes the next `count` appends answer [`WriteError::Io`] and store nothing; those after them work again.
    pub fn fail_next_appends(&self, count: usize) {
        self.fail_appends_after(0, count);
    }

    /// Lets the next `passing` appends pass, and makes `count` after them fail as
    /// [`fail_next_appends`](Self::fail_next_appends) does.
    pub fn fail_appends_after(&self, passing: usize, count: usize) {
        let mut state = self.lock();
        (state.passing_appends, state.failing_appends) = (passing, count);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger for MemoryLedger {
    fn submit(&self, change: Change, done: Done) {
        let answer = self.lock().change(change);
        // The lock is free again: the callback may well write the next thing.
        done(answer);
    }

    fn read(&self, stream: &StreamId) -> Result<Replay, ReadError> {
        Ok(self.lock().streams.get(stream).cloned().unwrap_or_default())
    }

    fn streams(&self, prefix: &str) -> Result<Vec<StreamId>, ReadError> {
        let state = self.lock();
        let names = state.streams.keys().filter(|stream| stream.as_str().starts_with(prefix));
        Ok(names.cloned().collect())
    }

    fn check(&self) -> Result<Audit, ReadError> {
        let mut audit = Audit::default();
        for replay in self.lock().streams.values() {
            audit.count(replay);
        }
        Ok(audit)
    }

    fn stats(&self) -> Stats {
        self.lock().stats
    }
}

impl State {
    fn change(&mut self, change: Change) -> Result<Seq, WriteError> {
        let answer = match change {
            Change::Append(append) => self.append(append),
            Change::Snapshot { stream, upto, body } => self.snapshot(stream, upto, body),
            Change::Drop { stream } => {
                Ok(self.streams.remove(&stream).map_or(Seq::START, |replay| replay.last()))
            }
        };
        match answer {
            Ok(_) => {
                self.stats.changes += 1;
                self.stats.commits += 1;
                self.stats.largest_commit = 1;
            }
            Err(_) => self.stats.refused += 1,
        }
        answer
    }

    fn append(&mut self, append: Append) -> Result<Seq, WriteError> {
        if let Some(left) = self.passing_appends.checked_sub(1) {
            self.passing_appends = left;
        } else if let Some(left) = self.failing_appends.checked_sub(1) {
            self.failing_appends = left;
            let cause = "the test asked for it".to_owned();
            return Err(WriteError::Io(Fault { during: "append", cause }));
        }
        let head = self.head(&append.stream).append(&append)?;
        for record in &append.records {
            storable(&append.stream, encode_record(record))?;
        }
        if append.records.is_empty() {
            return Ok(head.last);
        }
        let replay = self.streams.entry(append.stream).or_default();
        for record in append.records {
            replay.records.push((replay.last().after(1), record));
        }
        Ok(head.last)
    }

    fn snapshot(&mut self, stream: StreamId, upto: Seq, body: Value) -> Result<Seq, WriteError> {
        let head = self.head(&stream).fold(&stream, upto)?;
        storable(&stream, encode_body(&body))?;
        let replay = self.streams.entry(stream).or_default();
        replay.records.retain(|(seq, _)| *seq > upto);
        replay.snapshot = Some(Snapshot { seq: upto, body });
        Ok(head.last)
    }

    fn head(&self, stream: &StreamId) -> Head {
        self.streams.get(stream).map(Head::of).unwrap_or_default()
    }
}

fn storable(stream: &StreamId, stored: Result<Vec<u8>, String>) -> Result<(), WriteError> {
    match stored {
        Ok(_) => Ok(()),
        Err(reason) => Err(WriteError::Unstorable { stream: stream.clone(), reason }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fails_as_many_appends_as_it_was_told_to() {
        let ledger = MemoryLedger::new();
        let stream = StreamId::new("s").expect("a plain name");
        let nothing = || ledger.append(Append::new(stream.clone(), Vec::new())).wait();
        ledger.fail_next_appends(2);
        assert!(matches!(nothing(), Err(WriteError::Io(_))));
        assert!(matches!(nothing(), Err(WriteError::Io(_))));
        assert_eq!(nothing(), Ok(Seq::START));
        ledger.fail_appends_after(1, 1);
        assert_eq!(nothing(), Ok(Seq::START));
        assert!(matches!(nothing(), Err(WriteError::Io(_))));
        assert_eq!(nothing(), Ok(Seq::START));
    }
}
