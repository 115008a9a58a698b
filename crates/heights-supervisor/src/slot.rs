//! The place of a child, which outlives its incarnations.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

use crate::keeper::Place;
use crate::process::Process;

/// Holds the reference to the current life of a child, if there is one.
pub(crate) struct Slot<R>(Arc<Inner<R>>);

struct Inner<R> {
    occupant: Mutex<Occupant<R>>,
    /// Made with the first who waits.
    occupied: OnceLock<Box<Notify>>,
}

enum Occupant<R> {
    Nobody { restarting: bool },
    Somebody { process: Process, reference: R },
}

impl<R: Clone> Slot<R> {
    pub(crate) fn new() -> Self {
        let occupant = Mutex::new(Occupant::Nobody { restarting: false });
        Self(Arc::new(Inner { occupant, occupied: OnceLock::new() }))
    }

    pub(crate) fn current(&self) -> Option<R> {
        match &*self.occupant() {
            Occupant::Somebody { reference, .. } => Some(reference.clone()),
            Occupant::Nobody { .. } => None,
        }
    }

    pub(crate) fn process(&self) -> Option<Process> {
        match &*self.occupant() {
            Occupant::Somebody { process, .. } => Some(process.clone()),
            Occupant::Nobody { .. } => None,
        }
    }

    pub(crate) fn is_restarting(&self) -> bool {
        matches!(&*self.occupant(), Occupant::Nobody { restarting: true })
    }

    pub(crate) fn occupy(&self, process: Process, reference: R) {
        let occupant = Occupant::Somebody { process, reference };
        let before = std::mem::replace(&mut *self.occupant(), occupant);
        // Not under the lock: it may be the last reference to a lot.
        drop(before);
        if let Some(occupied) = self.0.occupied.get() {
            occupied.notify_waiters();
        }
    }

    /// Waits until there is a life.
    pub(crate) async fn occupied(&self) -> R {
        let occupied = self.0.occupied.get_or_init(Box::default);
        loop {
            // Made before the slot is looked into, so that nothing in between is missed.
            let occupied = occupied.notified();
            if let Some(reference) = self.current() {
                return reference;
            }
            occupied.await;
        }
    }
}

impl<R> Slot<R> {
    fn occupant(&self) -> MutexGuard<'_, Occupant<R>> {
        self.0.occupant()
    }
}

impl<R> Inner<R> {
    fn occupant(&self) -> MutexGuard<'_, Occupant<R>> {
        self.occupant.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Send + Sync + 'static> Slot<R> {
    /// Returns what the runtime sees of it.
    pub(crate) fn into_place(self) -> Arc<dyn Place> {
        self.0
    }
}

impl<R: Send + Sync + 'static> Place for Inner<R> {
    fn vacate(&self, process: &Process, restarting: bool) {
        let mut occupant = self.occupant();
        if matches!(&*occupant, Occupant::Somebody { process: held, .. } if held == process) {
            let before = std::mem::replace(&mut *occupant, Occupant::Nobody { restarting });
            drop(occupant);
            drop(before);
        }
    }

    fn set_restarting(&self, soon: bool) {
        if let Occupant::Nobody { restarting } = &mut *self.occupant() {
            *restarting = soon;
        }
    }
}

impl<R> Clone for Slot<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R> fmt::Debug for Slot<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.occupant() {
            Occupant::Somebody { process, .. } => write!(f, "Slot({process:?})"),
            Occupant::Nobody { restarting: true } => f.write_str("Slot(restarting)"),
            Occupant::Nobody { restarting: false } => f.write_str("Slot(empty)"),
        }
    }
}
