//! Listeners: who is told of each change, while nobody else can see it yet.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

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
///
/// The step is carried out to its end even if a listener panics; the panic goes on afterwards.
pub(super) struct News<'a, K, V> {
    listeners: &'a [Listener<K, V>],
    panicked: Option<Box<dyn Any + Send>>,
}

impl<'a, K, V> News<'a, K, V> {
    pub(super) fn for_all(listeners: &'a [Listener<K, V>]) -> Self {
        Self { listeners, panicked: None }
    }

    pub(super) fn tell(&mut self, change: Change<'_, K, V>) {
        for listener in self.listeners {
            let change = match &change {
                Change::Registered(key, value) => Change::Registered(*key, *value),
                Change::Unregistered(key, value) => Change::Unregistered(*key, *value),
            };
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| listener(change))) {
                self.panicked.get_or_insert(payload);
            }
        }
    }

    pub(super) fn tell_removed(&mut self, key: &K, values: &[V]) {
        for value in values {
            self.tell(Change::Unregistered(key, value));
        }
    }

    pub(super) fn resume_panic(self) {
        if let Some(payload) = self.panicked {
            resume_unwind(payload);
        }
    }
}
