//! Why nothing can be fetched, for people who look at the repository: the forge may answer every poll while git
//! is refused.

use std::sync::{Arc, PoisonError, RwLock};

use crate::mirror::prepare::PrepareFault;
use crate::mirror::wish::Wish;

/// How the last fetch went, as far as that is trouble; clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct FetchTrouble(Arc<RwLock<Option<String>>>);

impl FetchTrouble {
    /// Notes how a fetch went: one that brought something to anybody has worked.
    pub(super) fn note(&self, wishes: &[(Wish, Result<(), PrepareFault>)]) {
        let reasons: Result<Vec<_>, ()> =
            wishes.iter().map(|(_, result)| result.as_ref().err().ok_or(())).collect();
        let trouble = reasons.ok().and_then(|faults| faults.first().map(ToString::to_string));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// What is wrong, in words.
    pub(super) fn words(&self) -> Option<String> {
        let trouble = self.0.read().unwrap_or_else(PoisonError::into_inner);
        trouble.as_ref().map(|reason| format!("failed to fetch: {reason}"))
    }
}
