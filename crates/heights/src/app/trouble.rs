//! What went wrong last, for whoever is left with an exit code.

use std::sync::{Arc, Mutex, PoisonError};

use heights_supervisor::{Exit, Hub, Recipient, Report};

/// Remembers what went wrong last with a child of any supervisor.
#[derive(Debug, Clone, Default)]
pub(super) struct Trouble(Arc<Mutex<Option<Arc<str>>>>);

impl Trouble {
    /// Listens to the reports of a tree from now on.
    pub(super) fn watch(hub: &Hub) -> Self {
        let trouble = Self::default();
        let notes = trouble.clone();
        hub.subscribe(Recipient::from_fn(move |report| notes.note(&report)));
        trouble
    }

    /// Returns the last of it, in the words of its report.
    pub(super) fn last(&self) -> Option<Arc<str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, report: &Report) {
        // A supervisor that gave up below is only the way on which the trouble came.
        if let Report::Supervisor(news) = report
            && !matches!(news.exit, Exit::Shutdown(_))
        {
            let said = report.to_string().into();
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
        }
    }
}
