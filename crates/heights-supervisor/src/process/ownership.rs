//! The token of a process, for registries and whoever else asks for it; most processes have none.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use heights_registry::{Owner, OwnerEnd};

#[derive(Default)]
pub(super) struct Ownership {
    owner: OnceLock<Owner>,
    end: Mutex<End>,
}

#[derive(Default)]
enum End {
    #[default]
    NotAskedFor,
    Held(OwnerEnd),
    Over,
}

impl Ownership {
    /// Returns the token; one that has ended if the process has.
    pub(super) fn owner(&self) -> &Owner {
        self.owner.get_or_init(|| {
            let (owner, end) = Owner::new();
            let mut held = self.held();
            match *held {
                End::Over => {
                    drop(held);
                    end.end();
                }
                End::NotAskedFor | End::Held(_) => *held = End::Held(end),
            }
            owner
        })
    }

    /// Returns the token if somebody has asked for it.
    pub(super) fn known(&self) -> Option<&Owner> {
        self.owner.get()
    }

    /// Ends the token, which runs the hooks of others.
    pub(super) fn end(&self) {
        let held = std::mem::replace(&mut *self.held(), End::Over);
        // Not under the lock, as a hook may ask for the owner.
        if let End::Held(end) = held {
            end.end();
        }
    }

    fn held(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_is_asked_for_too_late_has_ended() {
        let early = Ownership::default();
        assert!(early.owner().is_alive());
        early.end();
        assert!(!early.owner().is_alive());
        let late = Ownership::default();
        late.end();
        assert!(!late.owner().is_alive());
    }
}
