//! Listeners: who is told of each change, while nobody else can see it yet.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Tells a listener what has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a, K, V> {
    /// An entry was added.
    Registered(&'a K, &'a V),
    /// An entry was removed, by its owner or because its owner ended.
    Unregistered(&'a K, &'a V),
}

pub(super) type Listener<K, V> = Box<dyn Fn(Change<'_, K, V>) + Send + Sync>;

pub(super) type Listeners<K, V> = Vec<Listener<K, V>>;

/// Tells all listeners of the changes of one step.
pub(super) struct News<'a, K, V>(&'a [Listener<K, V>]);

impl<'a, K, V> News<'a, K, V> {
    pub(super) fn for_all(listeners: &'a [Listener<K, V>]) -> Self {
        Self(listeners)
    }

    /// The step is carried out to its end even if a listener panics: who changes something has
    /// nothing to do with those who listen.
    pub(super) fn tell(&self, change: Change<'_, K, V>) {
        for listener in self.0 {
            let change = match &change {
                Change::Registered(key, value) => Change::Registered(*key, *value),
                Change::Unregistered(key, value) => Change::Unregistered(*key, *value),
            };
            if catch_unwind(AssertUnwindSafe(|| listener(change))).is_err() {
                // Nor if whoever writes the log does; the panic hook has told of both then.
                let logging = || tracing::error!("a listener to a registry panicked");
                let _logged = catch_unwind(AssertUnwindSafe(logging));
            }
        }
    }

    pub(super) fn tell_removed(&self, key: &K, values: &[V]) {
        for value in values {
            self.tell(Change::Unregistered(key, value));
        }
    }
}
