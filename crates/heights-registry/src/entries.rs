//! The two indexes of a partition: entries by key and keys by owner, always changed together.
//!
//! Code of others (a key's `Clone`, a caller's predicate) runs before the first change, so that its
//! panic leaves both indexes as they were.

use std::collections::HashMap;
use std::hash::Hash;

use crate::{EndHookId, Owner};

/// Holds the entries of a partition.
pub(crate) struct Entries<K, V> {
    by_key: HashMap<K, Holders<V>>,
    by_owner: HashMap<Owner, Held<K>>,
}

pub(crate) struct Entry<V> {
    pub(crate) owner: Owner,
    pub(crate) value: V,
}

/// Says what came of adding an entry.
pub(crate) struct Added {
    /// Whether the owner had none before, so that its end has to be watched.
    pub(crate) first_of_owner: bool,
}

/// What one removal took out.
pub(crate) struct Removed<V> {
    pub(crate) values: Vec<V>,
    /// Owners that have no entry left, and their hooks.
    pub(crate) idle: Vec<(Owner, EndHookId)>,
}

/// The entries of one key. Most keys have one, and finding it must not cost another look-up.
enum Holders<V> {
    One(Entry<V>),
    Many(Vec<Entry<V>>),
}

/// The keys of one owner, one item per entry, and the hook that frees them.
struct Held<K> {
    keys: Vec<K>,
    hook: Option<EndHookId>,
}

impl<K: Clone + Eq + Hash, V> Entries<K, V> {
    /// Adds an entry behind those that the key has.
    pub(crate) fn insert(&mut self, key: &K, value: V, owner: &Owner) -> Added {
        let (mine, kept) = (key.clone(), key.clone());
        let entry = Entry { owner: owner.clone(), value };
        match self.by_key.remove(key) {
            None => self.by_key.insert(mine, Holders::One(entry)),
            Some(holders) => self.by_key.insert(mine, holders.and(entry)),
        };
        let held = self.by_owner.entry(owner.clone());
        let held = held.or_insert_with(|| Held { keys: Vec::new(), hook: None });
        held.keys.push(kept);
        Added { first_of_owner: held.keys.len() == 1 }
    }

    /// Keeps the hook of an owner; refuses if it is not needed (any more).
    pub(crate) fn set_hook(&mut self, owner: &Owner, hook: EndHookId) -> bool {
        let Some(held) = self.by_owner.get_mut(owner) else { return false };
        let free = held.hook.is_none();
        if free {
            held.hook = Some(hook);
        }
        free
    }

    /// Removes the entries under a key that match.
    pub(crate) fn remove(&mut self, key: &K, matches: impl Fn(&Owner, &V) -> bool) -> Removed<V> {
        let mut removed = Removed { values: Vec::new(), idle: Vec::new() };
        let doomed: Vec<bool> =
            self.entries(key).iter().map(|entry| matches(&entry.owner, &entry.value)).collect();
        if !doomed.contains(&true) {
            return removed;
        }
        let Some((own_key, holders)) = self.by_key.remove_entry(key) else { return removed };
        let (taken, left) = holders.split(&doomed);
        for Entry { owner, value } in taken {
            removed.idle.extend(self.disown(&owner, key).map(|hook| (owner, hook)));
            removed.values.push(value);
        }
        if let Some(left) = left {
            self.by_key.insert(own_key, left);
        }
        removed
    }

    /// Returns all entries under a key, living or not, in the order of registration.
    pub(crate) fn entries(&self, key: &K) -> &[Entry<V>] {
        self.by_key.get(key).map_or(&[], Holders::as_slice)
    }

    /// Returns the entries under a key whose owners live.
    pub(crate) fn living(&self, key: &K) -> impl Iterator<Item = &Entry<V>> {
        self.entries(key).iter().filter(|entry| entry.owner.is_alive())
    }

    /// Returns all entries whose owners live.
    pub(crate) fn iter_living(&self) -> impl Iterator<Item = (&K, &Entry<V>)> {
        let all = self.by_key.iter();
        let all =
            all.flat_map(|(key, holders)| holders.as_slice().iter().map(move |entry| (key, entry)));
        all.filter(|(_, entry)| entry.owner.is_alive())
    }

    /// Returns the keys of an owner, each once.
    pub(crate) fn keys(&self, owner: &Owner) -> Vec<K> {
        let mut keys: Vec<K> = Vec::new();
        for key in self.by_owner.get(owner).into_iter().flat_map(|held| &held.keys) {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        keys
    }

    /// Returns the value that a living owner has under a key; of several, the first.
    pub(crate) fn value_mut(&mut self, key: &K, owner: &Owner) -> Option<&mut V> {
        let entries = self.by_key.get_mut(key)?.as_mut_slice();
        let mut own = entries.iter_mut().filter(|entry| entry.owner == *owner);
        own.next().filter(|entry| entry.owner.is_alive()).map(|entry| &mut entry.value)
    }

    /// Takes one key off an owner; returns its hook once it has none left.
    fn disown(&mut self, owner: &Owner, key: &K) -> Option<EndHookId> {
        let held = self.by_owner.get_mut(owner)?;
        if let Some(position) = held.keys.iter().position(|held| held == key) {
            held.keys.remove(position);
        }
        if held.keys.is_empty() { self.by_owner.remove(owner)?.hook } else { None }
    }

    /// Tells how many keys and owners are known, living or not.
    #[cfg(test)]
    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.by_key.len(), self.by_owner.len())
    }
}

impl<K, V> Default for Entries<K, V> {
    fn default() -> Self {
        Self { by_key: HashMap::new(), by_owner: HashMap::new() }
    }
}

impl<V> Holders<V> {
    fn as_slice(&self) -> &[Entry<V>] {
        match self {
            Self::One(entry) => std::slice::from_ref(entry),
            Self::Many(entries) => entries,
        }
    }

    fn as_mut_slice(&mut self) -> &mut [Entry<V>] {
        match self {
            Self::One(entry) => std::slice::from_mut(entry),
            Self::Many(entries) => entries,
        }
    }

    fn and(self, entry: Entry<V>) -> Self {
        let mut entries = self.into_vec();
        entries.push(entry);
        Self::Many(entries)
    }

    /// Splits off the doomed; `None` if none is left.
    fn split(self, doomed: &[bool]) -> (Vec<Entry<V>>, Option<Self>) {
        let mut doomed = doomed.iter();
        let mut left = self.into_vec();
        let taken = left.extract_if(.., |_| doomed.next().is_some_and(|doomed| *doomed)).collect();
        (taken, if left.is_empty() { None } else { Some(Self::Many(left)) })
    }

    fn into_vec(self) -> Vec<Entry<V>> {
        match self {
            Self::One(entry) => vec![entry],
            Self::Many(entries) => entries,
        }
    }
}
