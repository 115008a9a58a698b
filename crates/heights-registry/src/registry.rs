//! A registry: which process answers to which key.

mod ask;
mod builder;
mod dispatch;
mod lock;
mod meta;
mod partition;
mod tell;
#[cfg(test)]
mod tests;

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

pub use self::builder::RegistryBuilder;
pub use self::dispatch::{DispatchPanic, Dispatched};
use self::lock::Locks;
use self::meta::Meta;
use self::partition::Partitions;
pub use self::tell::Change;
use self::tell::{Listeners, News};
use crate::Owner;
use crate::entries::{Entries, Entry};

/// Finds processes by key; cloning gives another handle to the same registry.
///
/// An entry belongs to its owner. It is freed when the owner's task has ended, never before, and no
/// lookup returns a value whose owner has ended, even if the clean-up were late.
///
/// ```
/// use heights_registry::{Owner, Registry};
///
/// let builds = Registry::unique();
/// let (owner, end) = Owner::new();
/// builds.register("pull-7", 42, &owner)?;
/// assert_eq!(builds.lookup(&"pull-7"), Some(42));
/// end.end();
/// assert_eq!(builds.lookup(&"pull-7"), None);
/// # Ok::<(), heights_registry::AlreadyRegistered<i32>>(())
/// ```
pub struct Registry<K, V>(Arc<Shared<K, V>>);

/// Says that a key is taken, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlreadyRegistered<V> {
    /// The value of the entry that holds the key.
    pub value: V,
    /// Its owner.
    pub owner: Owner,
}

struct Shared<K, V> {
    unique: bool,
    listeners: Listeners<K, V>,
    partitions: Partitions<K, V>,
    locks: Locks<K>,
    meta: Meta,
}

impl<K, V> Registry<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Makes a registry in which a key has at most one entry.
    pub fn unique() -> Self {
        Self::builder().build()
    }

    /// Makes a registry in which a key has any number of entries.
    pub fn duplicate() -> Self {
        Self::builder().duplicate().build()
    }

    /// Begins the description of a registry with listeners or partitions.
    pub fn builder() -> RegistryBuilder<K, V> {
        RegistryBuilder::new()
    }

    /// Adds an entry that lives until it is unregistered or its owner's task has ended.
    ///
    /// For an owner that has already ended this leaves nothing behind.
    pub fn register(&self, key: K, value: V, owner: &Owner) -> Result<(), AlreadyRegistered<V>> {
        let partition = self.0.partitions.index(&key);
        let (added, dead) = self.change(partition, |entries, news| {
            let dead = if self.0.unique { take_dead(entries, &key, news) } else { Vec::new() };
            let holder = entries.entries(&key).first().filter(|_| self.0.unique);
            if let Some(Entry { owner, value }) = holder {
                let taken = AlreadyRegistered { value: value.clone(), owner: owner.clone() };
                return (Err(taken), dead);
            }
            let added = entries.insert(&key, value, owner);
            if let Some(entry) = entries.entries(&key).last() {
                news.tell(Change::Registered(&key, &entry.value));
            }
            (Ok(added), dead)
        });
        drop(dead);
        if added.as_ref().is_ok_and(|added| added.first_of_owner) {
            self.watch(partition, owner);
        }
        added.map(|_| ())
    }

    /// Removes the owner's own entries under a key and returns how many there were.
    pub fn unregister(&self, key: &K, owner: &Owner) -> usize {
        self.unregister_match(key, owner, |_| true)
    }

    /// Removes those of the owner's own entries under a key whose value matches.
    ///
    /// `matches` runs while the registry is locked and must not call it.
    pub fn unregister_match(&self, key: &K, owner: &Owner, matches: impl Fn(&V) -> bool) -> usize {
        let removed = self.change(self.0.partitions.index(key), |entries, news| {
            let removed = entries.remove(key, |holder, value| holder == owner && matches(value));
            news.tell_removed(key, &removed.values);
            removed
        });
        for (owner, hook) in &removed.idle {
            owner.forget(*hook);
        }
        removed.values.len()
    }

    /// Changes the value of the owner's entry and returns the new one; `None` if it has none.
    ///
    /// For unique registries; in others it changes the first entry the owner has under the key.
    /// `update` runs while the registry is locked and must not call it.
    pub fn update_value(&self, key: &K, owner: &Owner, update: impl FnOnce(&V) -> V) -> Option<V> {
        let (new, old) = self.change(self.0.partitions.index(key), |entries, _news| {
            let value = entries.value_mut(key, owner)?;
            let new = update(value);
            Some((new.clone(), std::mem::replace(value, new)))
        })?;
        drop(old);
        Some(new)
    }

    /// Has an owner's entries in a partition removed when the owner ends.
    fn watch(&self, partition: usize, owner: &Owner) {
        let (registry, ending) = (Arc::downgrade(&self.0), owner.clone());
        // Not under the lock: for an owner that has ended the hook runs right here.
        let hook = owner.on_end(move || {
            if let Some(shared) = registry.upgrade() {
                Self(shared).remove_owner(partition, &ending);
            }
        });
        if !self.change(partition, |entries, _news| entries.set_hook(owner, hook)) {
            owner.forget(hook);
        }
    }

    fn remove_owner(&self, partition: usize, owner: &Owner) {
        self.change(partition, |entries, news| {
            let mut values = Vec::new();
            for key in entries.keys(owner) {
                let removed = entries.remove(&key, |holder, _| holder == owner);
                news.tell_removed(&key, &removed.values);
                values.push(removed.values);
            }
            values
        });
    }

    /// Changes a partition in one step, and tells the listeners what before anybody else sees it.
    ///
    /// What `change` returns is dropped with the lock given back: what values do then is theirs.
    fn change<R>(
        &self,
        partition: usize,
        change: impl FnOnce(&mut Entries<K, V>, &News<'_, K, V>) -> R,
    ) -> R {
        let mut entries = self.0.partitions.write(partition);
        change(&mut entries, &News::for_all(&self.0.listeners))
    }
}

/// Removes what ended owners hold under a key before their own hooks get to it.
fn take_dead<K, V>(entries: &mut Entries<K, V>, key: &K, news: &News<'_, K, V>) -> Vec<V>
where
    K: Clone + Eq + Hash,
{
    let removed = entries.remove(key, |holder, _| !holder.is_alive());
    news.tell_removed(key, &removed.values);
    removed.values
}

impl<K, V> Clone for Registry<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, V> fmt::Debug for Registry<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registry({})", if self.0.unique { "unique" } else { "duplicate" })
    }
}

impl<V> fmt::Display for AlreadyRegistered<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "register the key: {:?} holds it", self.owner)
    }
}

impl<V: fmt::Debug> std::error::Error for AlreadyRegistered<V> {}
