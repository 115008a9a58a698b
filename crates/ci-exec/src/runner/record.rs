//! The runner's journal, and the bell that tells followers of each new fact.

use std::cell::RefCell;
use std::io;

use tokio::sync::watch;

use crate::fact::{Fact, FailedCommand, Outcome};
use crate::journal::Journal;
use crate::mask::Mask;

/// Appends facts, without the secrets of the run, and rings for those who wait for them.
pub(super) struct Recorder {
    journal: RefCell<Journal>,
    mask: Mask,
    bell: watch::Sender<()>,
}

impl Recorder {
    pub(super) fn new(journal: Journal, mask: Mask) -> Self {
        Self { journal: RefCell::new(journal), mask, bell: watch::Sender::new(()) }
    }

    /// Appends `fact`, then rings.
    pub(super) fn append(&self, fact: Fact) -> io::Result<()> {
        let fact = match fact {
            Fact::CommandStarted { command, title, at } => {
                Fact::CommandStarted { command, title: self.mask.text(&title), at }
            }
            Fact::JobEnded { outcome, at } => Fact::JobEnded { outcome: self.masked(outcome), at },
            Fact::RunnerStarted { .. } | Fact::CommandExited { .. } => fact,
        };
        self.journal.borrow_mut().append(&fact)?;
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

    /// What keeps the secrets of the run out of all that is written.
    pub(super) fn mask(&self) -> &Mask {
        &self.mask
    }

    /// An outcome that names no secret.
    pub(super) fn masked(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Failed { reason, commands } => {
                let masked = |failed: FailedCommand| FailedCommand {
                    title: self.mask.text(&failed.title),
                    ..failed
                };
                Outcome::Failed { reason, commands: commands.into_iter().map(masked).collect() }
            }
            Outcome::Crashed { reason } => Outcome::Crashed { reason: self.mask.text(&reason) },
            Outcome::Passed | Outcome::Cancelled | Outcome::Orphaned => outcome,
        }
    }
}
