//! Runners that were at work when the node started: they have their permits before anybody else gets one.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use ci_domain::ids::AttemptId;
use heights::Regulator;
use heights::regulator::Hold;

/// The attempts whose runners were at work when the node started.
pub(super) struct Adoption(Mutex<AdoptionState>);

struct AdoptionState {
    waiting: BTreeSet<AttemptId>,
    hold: Option<Hold>,
}

impl Adoption {
    /// Keeps `jobs` from granting anything until all of `waiting` have been adopted.
    pub(super) fn new(waiting: BTreeSet<AttemptId>, jobs: &Regulator) -> Self {
        let hold = (!waiting.is_empty()).then(|| jobs.hold());
        Self(Mutex::new(AdoptionState { waiting, hold }))
    }

    /// Takes note that one has been adopted, or needs no adoption any more.
    pub(super) fn done(&self, attempt: &AttemptId) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting.remove(attempt);
        if state.waiting.is_empty() {
            state.hold = None;
        }
    }

    /// Ends the time of adoption, whoever has not come.
    pub(super) fn end(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting.clear();
        state.hold = None;
    }
}
