//! The place of a child, which outlives its incarnations.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use crate::keeper::Place;
use crate::process::Process;

/// Holds the reference to the current life of a child, if there is one.
pub(crate) struct Slot<R>(Arc<watch::Sender<Occupant<R>>>);

enum Occupant<R> {
    Nobody { restarting: bool },
    Somebody { process: Process, reference: R },
}

impl<R: Clone> Slot<R> {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Occupant::Nobody { restarting: false })))
    }

    pub(crate) fn current(&self) -> Option<R> {
        match &*self.0.borrow() {
            Occupant::Somebody { reference, .. } => Some(reference.clone()),
            Occupant::Nobody { .. } => None,
        }
    }

    pub(crate) fn process(&self) -> Option<Process> {
        match &*self.0.borrow() {
            Occupant::Somebody { process, .. } => Some(process.clone()),
            Occupant::Nobody { .. } => None,
        }
    }

    pub(crate) fn is_restarting(&self) -> bool {
        matches!(&*self.0.borrow(), Occupant::Nobody { restarting: true })
    }

    pub(crate) fn occupy(&self, process: Process, reference: R) {
        self.0.send_replace(Occupant::Somebody { process, reference });
    }

    /// Waits until there is a life.
    pub(crate) async fn occupied(&self) -> R {
        let mut changes = self.0.subscribe();
        loop {
            if let Occupant::Somebody { reference, .. } = &*changes.borrow_and_update() {
                return reference.clone();
            }
            // `self` keeps the sending side alive, so this never fails.
            let _changed = changes.changed().await;
        }
    }
}

impl<R: Send + Sync + 'static> Place for Slot<R> {
    fn vacate(&self, process: &Process, restarting: bool) {
        self.0.send_if_modified(|occupant| {
            let theirs =
                matches!(occupant, Occupant::Somebody { process: held, .. } if held == process);
            if theirs {
                *occupant = Occupant::Nobody { restarting };
            }
            theirs
        });
    }

    fn set_restarting(&self, soon: bool) {
        self.0.send_if_modified(|occupant| match occupant {
            Occupant::Nobody { restarting } if *restarting != soon => {
                *restarting = soon;
                true
            }
            _ => false,
        });
    }
}

impl<R> Clone for Slot<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R> fmt::Debug for Slot<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0.borrow() {
            Occupant::Somebody { process, .. } => write!(f, "Slot({process:?})"),
            Occupant::Nobody { restarting: true } => f.write_str("Slot(restarting)"),
            Occupant::Nobody { restarting: false } => f.write_str("Slot(empty)"),
        }
    }
}
