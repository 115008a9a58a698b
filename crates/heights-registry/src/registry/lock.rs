//! Locks by key: what happens under the same key happens one after the other.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Registry;

/// The keys that are locked or waited for; a key that nobody wants takes no room.
pub(super) struct Locks<K>(Mutex<HashMap<K, Turn>>);

/// First come, first served.
type Turn = Arc<tokio::sync::Mutex<()>>;

/// One who holds or waits for a key.
struct Visit<'a, K: Eq + Hash> {
    locks: &'a Locks<K>,
    key: K,
    /// Taken out when the visit ends.
    turn: Option<Turn>,
}

impl<K, V> Registry<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Runs `work` while nobody else runs under the same key; other keys are not held up.
    ///
    /// This is a lock of its own, apart from the entries: made for doing several steps as one, such
    /// as looking up and starting what is missing. It is given back when the work ends, panics, or is
    /// dropped because the process that does it is killed; whoever waits in line and is dropped leaves
    /// the line. Locking a key again from within waits for ever.
    pub async fn lock<F: Future>(&self, key: K, work: impl FnOnce() -> F) -> F::Output {
        let visit = Visit::begin(&self.0.locks, key);
        let _held = visit.turn().lock().await;
        work().await
    }
}

impl<'a, K: Clone + Eq + Hash> Visit<'a, K> {
    fn begin(locks: &'a Locks<K>, key: K) -> Self {
        let turn = Arc::clone(locks.turns().entry(key.clone()).or_default());
        Self { locks, key, turn: Some(turn) }
    }
}

impl<K: Eq + Hash> Visit<'_, K> {
    fn turn(&self) -> &Turn {
        self.turn.as_ref().expect("it is there until the visit ends")
    }
}

impl<K: Eq + Hash> Drop for Visit<'_, K> {
    fn drop(&mut self) {
        let mut turns = self.locks.turns();
        self.turn = None;
        // Visits begin and end with the turns locked, so nobody else can be about to enter.
        if turns.get(&self.key).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            turns.remove(&self.key);
        }
    }
}

impl<K> Locks<K> {
    fn turns(&self) -> MutexGuard<'_, HashMap<K, Turn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells how many keys take room.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.turns().len()
    }
}

impl<K> Default for Locks<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}
