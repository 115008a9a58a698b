//! The runner's journal, and the bell that tells followers of each new fact.

use std::cell::RefCell;
use std::io;

use tokio::sync::watch;

use crate::fact::Fact;
use crate::journal::Journal;

/// Appends facts and rings for those who wait for them.
pub(super) struct Recorder {
    journal: RefCell<Journal>,
    bell: watch::Sender<()>,
}

impl Recorder {
    pub(super) fn new(journal: Journal) -> Self {
        Self { journal: RefCell::new(journal), bell: watch::Sender::new(()) }
    }

    /// Appends `fact`, then rings.
    pub(super) fn append(&self, fact: &Fact) -> io::Result<()> {
        self.journal.borrow_mut().append(fact)?;
        self.bell.send_replace(());
        Ok(())
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.journal.borrow().sync()
    }

    /// Changes whenever a fact was appended.
    pub(super) fn bell(&self) -> watch::Receiver<()> {
        self.bell.subscribe()
    }
}
