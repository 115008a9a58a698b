//! A registry: which process answers to which key.

use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::Owner;
use crate::entries::{Entries, Unregistered};

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

/// Tells a listener what has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a, K, V> {
    /// An entry was added.
    Registered(&'a K, &'a V),
    /// An entry was removed, by its owner or because its owner ended.
    Unregistered(&'a K, &'a V),
}

type Listener<K, V> = Box<dyn Fn(Change<'_, K, V>) + Send + Sync>;

struct Shared<K, V> {
    unique: bool,
    listener: Option<Listener<K, V>>,
    entries: RwLock<Entries<K, V>>,
}

impl<K, V> Registry<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Makes a registry in which a key has at most one entry.
    pub fn unique() -> Self {
        Self::new(true, None)
    }

    /// Makes a registry in which a key has any number of entries.
    pub fn duplicate() -> Self {
        Self::new(false, None)
    }

    /// Makes the same kind of registry, empty, that tells `listener` of each change, in order.
    ///
    /// The listener runs while the registry is locked: it passes the change on, and neither blocks
    /// nor calls the registry.
    #[must_use]
    pub fn listener(self, listener: impl Fn(Change<'_, K, V>) + Send + Sync + 'static) -> Self {
        Self::new(self.0.unique, Some(Box::new(listener)))
    }

    /// Adds an entry that lives until it is unregistered or its owner's task has ended.
    ///
    /// For an owner that has already ended this leaves nothing behind.
    pub fn register(&self, key: K, value: V, owner: &Owner) -> Result<(), AlreadyRegistered<V>> {
        // Values are dropped after the lock is, here and below: what they do then is their affair.
        let dead;
        let first_of_owner = {
            let mut entries = self.write();
            dead = if self.0.unique { self.take_dead(&mut entries, &key) } else { Vec::new() };
            if self.0.unique
                && let Some((value, owner)) = entries.first(&key)
            {
                return Err(AlreadyRegistered { value: value.clone(), owner: owner.clone() });
            }
            self.tell(Change::Registered(&key, &value));
            entries.insert(key, value, owner)
        };
        drop(dead);
        if first_of_owner {
            self.watch(owner);
        }
        Ok(())
    }

    /// Returns the value under a key; of several, the one registered first.
    pub fn lookup(&self, key: &K) -> Option<V> {
        self.read().living(key).next().map(|(value, _)| value.clone())
    }

    /// Returns all values under a key, in the order of registration.
    pub fn lookup_all(&self, key: &K) -> Vec<V> {
        self.read().living(key).map(|(value, _)| value.clone()).collect()
    }

    /// Returns who registered a key first of those that still live.
    pub fn owner_of(&self, key: &K) -> Option<Owner> {
        self.read().living(key).next().map(|(_, owner)| owner.clone())
    }

    /// Returns the values that one owner has under a key.
    pub fn values(&self, key: &K, owner: &Owner) -> Vec<V> {
        let entries = self.read();
        let own = entries.living(key).filter(|(_, holder)| *holder == owner);
        own.map(|(value, _)| value.clone()).collect()
    }

    /// Returns the keys of an owner, each once, in the order of registration.
    pub fn keys(&self, owner: &Owner) -> Vec<K> {
        if owner.is_alive() { self.read().keys(owner) } else { Vec::new() }
    }

    /// Returns all keys and values of living owners, in no particular order.
    pub fn all(&self) -> Vec<(K, V)> {
        let entries = self.read();
        entries.iter_living().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Returns how many entries living owners have.
    pub fn count(&self) -> usize {
        self.read().iter_living().count()
    }

    /// Removes the owner's own entries under a key and returns how many there were.
    pub fn unregister(&self, key: &K, owner: &Owner) -> usize {
        self.unregister_match(key, owner, |_| true)
    }

    /// Removes those of the owner's own entries under a key whose value matches.
    pub fn unregister_match(&self, key: &K, owner: &Owner, matches: impl Fn(&V) -> bool) -> usize {
        let removed = {
            let mut entries = self.write();
            let removed = entries.remove(key, |holder, value| holder == owner && matches(value));
            self.tell_removed(&removed);
            removed
        };
        forget_hooks(&removed);
        removed.values.len()
    }

    /// Changes the value of the owner's entry and returns the new one; `None` if it has none.
    ///
    /// For unique registries; in others it changes the first entry the owner has under the key.
    pub fn update_value(&self, key: &K, owner: &Owner, update: impl FnOnce(&V) -> V) -> Option<V> {
        let mut entries = self.write();
        let value = entries.value_mut(key, owner)?;
        *value = update(value);
        Some(value.clone())
    }

    fn new(unique: bool, listener: Option<Listener<K, V>>) -> Self {
        Self(Arc::new(Shared { unique, listener, entries: RwLock::default() }))
    }

    /// Has an owner's entries removed when it ends; one hook per owner, however many keys.
    fn watch(&self, owner: &Owner) {
        let (registry, ending) = (Arc::downgrade(&self.0), owner.clone());
        // Not under the lock: for an owner that has ended the hook runs right here.
        let hook = owner.on_end(move || {
            if let Some(shared) = registry.upgrade() {
                Self(shared).remove_owner(&ending);
            }
        });
        if !self.write().set_hook(owner, hook) {
            owner.forget(hook);
        }
    }

    fn remove_owner(&self, owner: &Owner) {
        let mut values = Vec::new();
        let mut entries = self.write();
        for key in entries.keys(owner) {
            let removed = entries.remove(&key, |holder, _| holder == owner);
            self.tell_removed(&removed);
            values.push(removed.values);
        }
        drop(entries);
    }

    /// Removes what ended owners hold under a key before their own hooks get to it.
    fn take_dead(&self, entries: &mut Entries<K, V>, key: &K) -> Vec<V> {
        let removed = entries.remove(key, |holder, _| !holder.is_alive());
        self.tell_removed(&removed);
        removed.values
    }

    fn tell_removed(&self, removed: &Unregistered<'_, K, V>) {
        for value in &removed.values {
            self.tell(Change::Unregistered(removed.key, value));
        }
    }

    fn tell(&self, change: Change<'_, K, V>) {
        if let Some(listener) = &self.0.listener {
            listener(change);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Entries<K, V>> {
        self.0.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries<K, V>> {
        self.0.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes back the hooks of owners that have no entry left.
fn forget_hooks<K, V>(removed: &Unregistered<'_, K, V>) {
    for (owner, hook) in &removed.idle {
        owner.forget(*hook);
    }
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
