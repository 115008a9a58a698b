//! The logs that are being looked at: their indexes, and those who follow them, each once for all readers.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use ci_exec::LogReader;

use super::follow::Follow;
use super::index::LineIndex;
use crate::wire::CommandRef;

/// Indexes that are kept: eight bytes for every thousand lines each.
const KEPT: usize = 256;

/// The logs that are being looked at.
#[derive(Default)]
pub(crate) struct Shelf {
    indexes: Mutex<Indexes>,
    follows: Mutex<BTreeMap<String, Weak<Follow>>>,
}

#[derive(Default)]
struct Indexes {
    /// With the turn in which each was wanted last.
    all: BTreeMap<String, (u64, Arc<Mutex<LineIndex>>)>,
    turn: u64,
}

impl Shelf {
    /// Does something with the index of a log, which is brought up to date before. Blocks for as long as
    /// that takes.
    pub(crate) fn with_index<T>(
        &self,
        command: &CommandRef,
        reader: LogReader,
        look: impl FnOnce(&LineIndex) -> io::Result<T>,
    ) -> io::Result<T> {
        let index = self.index(command, reader);
        let mut index = index.lock().unwrap_or_else(PoisonError::into_inner);
        // A log that is shorter than it was is another one: its attempt was removed and made again.
        if index.reader().length()? < index.read_to() {
            *index = LineIndex::new(index.reader().clone());
        }
        index.catch_up()?;
        look(&index)
    }

    fn index(&self, command: &CommandRef, reader: LogReader) -> Arc<Mutex<LineIndex>> {
        let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
        indexes.turn += 1;
        let turn = indexes.turn;
        let fresh = || (turn, Arc::new(Mutex::new(LineIndex::new(reader))));
        let entry = indexes.all.entry(command.to_string()).or_insert_with(fresh);
        entry.0 = turn;
        let index = entry.1.clone();
        if indexes.all.len() > KEPT {
            let oldest = indexes.all.iter().min_by_key(|(_, (turn, _))| *turn);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                indexes.all.remove(&oldest);
            }
        }
        index
    }

    /// Who reads a log for all that follow it; `make` is called where there is nobody yet.
    pub(crate) fn follow(
        &self,
        command: &CommandRef,
        make: impl FnOnce() -> Follow,
    ) -> Arc<Follow> {
        let mut follows = self.follows.lock().unwrap_or_else(PoisonError::into_inner);
        follows.retain(|_, follow| follow.strong_count() > 0);
        let name = command.to_string();
        if let Some(follow) = follows.get(&name).and_then(Weak::upgrade) {
            return follow;
        }
        let follow = Arc::new(make());
        follows.insert(name, Arc::downgrade(&follow));
        follow
    }
}
