//! What a registry can be asked. Nothing here sees an owner that has ended.

use std::hash::Hash;

use super::Registry;
use crate::Owner;

impl<K, V> Registry<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Tells whether a key has at most one entry.
    pub fn is_unique(&self) -> bool {
        self.0.unique
    }

    /// Returns the value under a key; of several, the one registered first.
    pub fn lookup(&self, key: &K) -> Option<V> {
        let entries = self.0.partitions.read(key);
        entries.living(key).next().map(|entry| entry.value.clone())
    }

    /// Returns all values under a key, in the order of registration.
    pub fn lookup_all(&self, key: &K) -> Vec<V> {
        let entries = self.0.partitions.read(key);
        entries.living(key).map(|entry| entry.value.clone()).collect()
    }

    /// Returns who registered a key first of those that still live.
    pub fn owner_of(&self, key: &K) -> Option<Owner> {
        let entries = self.0.partitions.read(key);
        entries.living(key).next().map(|entry| entry.owner.clone())
    }

    /// Returns the values that one owner has under a key.
    pub fn values(&self, key: &K, owner: &Owner) -> Vec<V> {
        let entries = self.0.partitions.read(key);
        let own = entries.living(key).filter(|entry| entry.owner == *owner);
        own.map(|entry| entry.value.clone()).collect()
    }

    /// Returns the keys of an owner, each once; within a partition in the order of registration.
    pub fn keys(&self, owner: &Owner) -> Vec<K> {
        if !owner.is_alive() {
            return Vec::new();
        }
        self.0.partitions.read_each().flat_map(|entries| entries.keys(owner)).collect()
    }

    /// Returns all keys and values, in no particular order.
    pub fn all(&self) -> Vec<(K, V)> {
        self.select(|key, value, _owner| Some((key.clone(), value.clone())))
    }

    /// Returns what `pick` makes of the entries, in no particular order.
    ///
    /// `pick` runs while the registry is locked and must not call it.
    pub fn select<T>(&self, mut pick: impl FnMut(&K, &V, &Owner) -> Option<T>) -> Vec<T> {
        let mut picked = Vec::new();
        for entries in self.0.partitions.read_each() {
            let all = entries.iter_living();
            picked.extend(all.filter_map(|(key, entry)| pick(key, &entry.value, &entry.owner)));
        }
        picked
    }

    /// Returns how many entries there are.
    pub fn count(&self) -> usize {
        self.0.partitions.read_each().map(|entries| entries.iter_living().count()).sum()
    }

    /// Returns how many entries under a key have a value that matches.
    ///
    /// `matches` runs while the registry is locked and must not call it.
    pub fn count_match(&self, key: &K, matches: impl Fn(&V) -> bool) -> usize {
        let entries = self.0.partitions.read(key);
        entries.living(key).filter(|entry| matches(&entry.value)).count()
    }

    /// Returns how many entries of all keys match.
    ///
    /// `matches` runs while the registry is locked and must not call it.
    pub fn count_select(&self, matches: impl Fn(&K, &V, &Owner) -> bool) -> usize {
        let count = |(key, entry): &(&K, &crate::entries::Entry<V>)| {
            matches(key, &entry.value, &entry.owner)
        };
        self.0.partitions.read_each().map(|all| all.iter_living().filter(count).count()).sum()
    }
}
