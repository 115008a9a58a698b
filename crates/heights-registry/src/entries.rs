//! The two indexes of a registry: entries by key and keys by owner, always changed together.

use std::collections::HashMap;
use std::hash::Hash;

use crate::{EndHookId, Owner};

/// Holds the entries of a registry.
pub(crate) struct Entries<K, V> {
    by_key: HashMap<K, Vec<Entry<V>>>,
    by_owner: HashMap<Owner, Held<K>>,
}

/// What one removal took out.
pub(crate) struct Unregistered<'a, K, V> {
    pub(crate) key: &'a K,
    pub(crate) values: Vec<V>,
    /// Owners that have no entry left, and their hooks.
    pub(crate) idle: Vec<(Owner, EndHookId)>,
}

struct Entry<V> {
    owner: Owner,
    value: V,
}

/// The keys of one owner, one item per entry, and the hook that frees them.
struct Held<K> {
    keys: Vec<K>,
    hook: Option<EndHookId>,
}

impl<K, V> Default for Entries<K, V> {
    fn default() -> Self {
        Self { by_key: HashMap::new(), by_owner: HashMap::new() }
    }
}

impl<K: Clone + Eq + Hash, V> Entries<K, V> {
    /// Adds an entry and tells whether it is the owner's first.
    pub(crate) fn insert(&mut self, key: K, value: V, owner: &Owner) -> bool {
        let first = !self.by_owner.contains_key(owner);
        let held = self.by_owner.entry(owner.clone());
        held.or_insert_with(|| Held { keys: Vec::new(), hook: None }).keys.push(key.clone());
        self.by_key.entry(key).or_default().push(Entry { owner: owner.clone(), value });
        first
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
    pub(crate) fn remove<'a>(
        &mut self,
        key: &'a K,
        matches: impl Fn(&Owner, &V) -> bool,
    ) -> Unregistered<'a, K, V> {
        let mut removed = Unregistered { key, values: Vec::new(), idle: Vec::new() };
        let Some(entries) = self.by_key.get_mut(key) else { return removed };
        let taken = entries.extract_if(.., |entry| matches(&entry.owner, &entry.value));
        let taken: Vec<_> = taken.collect();
        if entries.is_empty() {
            self.by_key.remove(key);
        }
        for Entry { owner, value } in taken {
            removed.idle.extend(self.disown(&owner, key).map(|hook| (owner, hook)));
            removed.values.push(value);
        }
        removed
    }

    /// Returns the first entry under a key, living or not.
    pub(crate) fn first(&self, key: &K) -> Option<(&V, &Owner)> {
        self.by_key.get(key)?.first().map(|entry| (&entry.value, &entry.owner))
    }

    /// Returns the entries under a key whose owners live.
    pub(crate) fn living(&self, key: &K) -> impl Iterator<Item = (&V, &Owner)> {
        let entries = self.by_key.get(key).into_iter().flatten();
        entries.filter(|entry| entry.owner.is_alive()).map(|entry| (&entry.value, &entry.owner))
    }

    /// Returns all entries whose owners live.
    pub(crate) fn iter_living(&self) -> impl Iterator<Item = (&K, &V)> {
        let all = self
            .by_key
            .iter()
            .flat_map(|(key, entries)| entries.iter().map(move |entry| (key, entry)));
        all.filter(|(_, entry)| entry.owner.is_alive()).map(|(key, entry)| (key, &entry.value))
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

    /// Returns the value that a living owner has under a key.
    pub(crate) fn value_mut(&mut self, key: &K, owner: &Owner) -> Option<&mut V> {
        let entries = self.by_key.get_mut(key)?;
        let entry =
            entries.iter_mut().find(|entry| entry.owner == *owner && entry.owner.is_alive())?;
        Some(&mut entry.value)
    }

    /// Takes one key off an owner; returns its hook once it has none left.
    fn disown(&mut self, owner: &Owner, key: &K) -> Option<EndHookId> {
        let held = self.by_owner.get_mut(owner)?;
        if let Some(position) = held.keys.iter().position(|held| held == key) {
            held.keys.remove(position);
        }
        if held.keys.is_empty() { self.by_owner.remove(owner)?.hook } else { None }
    }
}
