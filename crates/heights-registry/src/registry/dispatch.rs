//! Doing something with every entry of a key.

use std::any::Any;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Registry;
use crate::Owner;

/// What came of a dispatch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "the callback may have panicked"]
pub struct Dispatched {
    /// How many entries the callback returned from.
    pub told: usize,
    /// For whom it panicked, in the order of registration.
    pub panics: Vec<DispatchPanic>,
}

/// A callback that panicked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispatchPanic {
    /// The owner of the entry it was called with.
    pub owner: Owner,
    /// What it said.
    pub message: String,
}

type Outcome = Result<(), DispatchPanic>;

impl<K, V> Registry<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Calls `tell` with each entry under a key, in the order of registration.
    ///
    /// The registry is not locked meanwhile: `tell` may call it, and sees entries that were there
    /// when the dispatch began. A panic is reported, and the others are told all the same.
    pub fn dispatch(&self, key: &K, tell: impl Fn(&V, &Owner)) -> Dispatched {
        self.holders(key).iter().map(|holder| call(&tell, holder)).collect()
    }

    /// Calls `tell` as [`dispatch`](Self::dispatch) does, but on this many threads at once.
    ///
    /// Made for callbacks that compute or block; it returns when the last one has. Threads cost more
    /// than sending a message does.
    pub fn dispatch_parallel(
        &self,
        key: &K,
        threads: usize,
        tell: impl Fn(&V, &Owner) + Sync,
    ) -> Dispatched {
        let holders = self.holders(key);
        let share = holders.len().div_ceil(threads.max(1)).max(1);
        let work = |share: &[(V, Owner)]| -> Vec<Outcome> {
            share.iter().map(|holder| call(&tell, holder)).collect()
        };
        let work = &work;
        std::thread::scope(|scope| {
            let shares = holders.chunks(share);
            let threads: Vec<_> = shares.map(|share| scope.spawn(move || work(share))).collect();
            let outcomes = threads
                .into_iter()
                .flat_map(|thread| thread.join().expect("the panics of callbacks are caught"));
            outcomes.collect()
        })
    }

    fn holders(&self, key: &K) -> Vec<(V, Owner)> {
        let entries = self.0.partitions.read(key);
        let living = entries.living(key);
        living.map(|entry| (entry.value.clone(), entry.owner.clone())).collect()
    }
}

fn call<V>(tell: impl Fn(&V, &Owner), (value, owner): &(V, Owner)) -> Outcome {
    let called = catch_unwind(AssertUnwindSafe(|| tell(value, owner)));
    called.map_err(|payload| DispatchPanic {
        owner: owner.clone(),
        message: text_of(payload.as_ref()).to_owned(),
    })
}

fn text_of(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic value that is not text")
}

impl FromIterator<Outcome> for Dispatched {
    fn from_iter<I: IntoIterator<Item = Outcome>>(outcomes: I) -> Self {
        let mut dispatched = Self::default();
        for outcome in outcomes {
            match outcome {
                Ok(()) => dispatched.told += 1,
                Err(panic) => dispatched.panics.push(panic),
            }
        }
        dispatched
    }
}
