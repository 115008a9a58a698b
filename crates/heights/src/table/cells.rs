//! The entries of a table, when they expire, and what is not in the store yet.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::Change;
use super::store::{Stored, Write};

pub(super) struct Cells<K, V> {
    cells: HashMap<K, Cell<V>>,
    /// Which key expires when; the number tells those of one moment apart.
    deadlines: BTreeMap<Deadline, K>,
    numbers: u64,
    /// Keys whose state in the store is not this one; `None` without a store.
    dirty: Option<HashSet<K>>,
    loaded: bool,
    changes: u64,
    news: Vec<Change<K, V>>,
}

struct Cell<V> {
    value: V,
    until: Option<Deadline>,
}

type Deadline = (Instant, u64);

/// Everything that is to be stored now, and how many changes are then.
pub(super) struct Batch<K, V> {
    pub(super) writes: Vec<Write<K, V>>,
    pub(super) changes: u64,
}

impl<K: Clone + Eq + Hash, V: Clone> Cells<K, V> {
    pub(super) fn new(stored: bool) -> Self {
        Self {
            cells: HashMap::new(),
            deadlines: BTreeMap::new(),
            numbers: 0,
            dirty: stored.then(HashSet::new),
            loaded: false,
            changes: 0,
            news: Vec::new(),
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.cells.get(key).filter(|cell| cell.is_alive()).map(|cell| &cell.value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let living = self.cells.iter().filter(|(_, cell)| cell.is_alive());
        living.map(|(key, cell)| (key, &cell.value))
    }

    pub(super) fn set(&mut self, key: K, value: V, ttl: Option<Duration>) -> Option<V> {
        self.expire_one(&key);
        // A time to live beyond the reach of the clock is for ever.
        let until = ttl.and_then(|ttl| Instant::now().checked_add(ttl)).map(|at| self.number(at));
        self.put(key, Cell { value, until })
    }

    /// Sets the value of a key and lets it live as long as the one before.
    pub(super) fn replace(&mut self, key: &K, value: V, ttl: Option<Duration>) {
        self.expire_one(key);
        match self.cells.get(key).map(|cell| cell.until) {
            None => drop(self.set(key.clone(), value, ttl)),
            Some(until) => {
                let until = until.map(|(at, _)| self.number(at));
                self.put(key.clone(), Cell { value, until });
            }
        }
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.expire_one(key);
        let value = self.take(key)?;
        self.news.push(Change::Removed(key.clone(), value.clone()));
        Some(value)
    }

    /// Removes what has expired and returns when the next does.
    pub(super) fn expire(&mut self) -> Option<Instant> {
        let now = Instant::now();
        while let Some((&(at, _), key)) = self.deadlines.first_key_value() {
            if at > now {
                return Some(at);
            }
            let key = key.clone();
            self.expire_one(&key);
        }
        None
    }

    /// Takes in what a store holds, under those keys that have not been written meanwhile.
    pub(super) fn load(&mut self, stored: Vec<Stored<K, V>>) {
        self.loaded = true;
        for Stored { key, value, expires } in stored {
            let written = self.dirty.as_ref().is_some_and(|dirty| dirty.contains(&key));
            if written {
                continue;
            }
            // What expired while nobody looked expires now, and is removed from the store for it.
            let ttl = expires.map(|at| at.duration_since(SystemTime::now()).unwrap_or_default());
            let until = ttl.and_then(|ttl| Instant::now().checked_add(ttl));
            let until = until.map(|at| self.number(at));
            self.until(&key, until);
            self.cells.insert(key, Cell { value, until });
        }
    }

    /// Tells whether what the store holds has been taken in.
    pub(super) fn is_loaded(&self) -> bool {
        self.loaded
    }

    /// Returns how many changes there have been.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// Takes what is not in the store yet.
    pub(super) fn take_batch(&mut self) -> Batch<K, V> {
        let dirty = self.dirty.as_mut().map(std::mem::take).unwrap_or_default();
        let writes = dirty.into_iter().map(|key| match self.cells.get(&key) {
            None => Write::Delete(key),
            Some(cell) => Write::Put(Stored {
                value: cell.value.clone(),
                expires: cell.until.and_then(|(at, _)| wall_clock(at)),
                key,
            }),
        });
        Batch { writes: writes.collect(), changes: self.changes }
    }

    /// Takes back what could not be stored.
    pub(super) fn put_back(&mut self, keys: Vec<K>) {
        if let Some(dirty) = &mut self.dirty {
            dirty.extend(keys);
        }
    }

    /// Takes what watchers are to be told, and whether there is work for the process of the table.
    pub(super) fn take_news(&mut self) -> (Vec<Change<K, V>>, bool) {
        let news = std::mem::take(&mut self.news);
        let work = !news.is_empty() && (self.dirty.is_some() || !self.deadlines.is_empty());
        (news, work)
    }

    fn put(&mut self, key: K, cell: Cell<V>) -> Option<V> {
        self.until(&key, cell.until);
        self.news.push(Change::Inserted(key.clone(), cell.value.clone()));
        self.note(&key);
        self.cells.insert(key, cell).map(|old| old.value)
    }

    fn take(&mut self, key: &K) -> Option<V> {
        let cell = self.cells.remove(key)?;
        if let Some(until) = cell.until {
            self.deadlines.remove(&until);
        }
        self.note(key);
        Some(cell.value)
    }

    /// Removes an entry that has expired; to everybody it has been gone since then.
    fn expire_one(&mut self, key: &K) {
        if self.cells.get(key).is_some_and(|cell| !cell.is_alive())
            && let Some(value) = self.take(key)
        {
            self.news.push(Change::Expired(key.clone(), value));
        }
    }

    /// Notes when a key expires now, instead of when it did.
    fn until(&mut self, key: &K, until: Option<Deadline>) {
        if let Some(before) = self.cells.get(key).and_then(|cell| cell.until) {
            self.deadlines.remove(&before);
        }
        if let Some(until) = until {
            self.deadlines.insert(until, key.clone());
        }
    }

    fn note(&mut self, key: &K) {
        self.changes += 1;
        if let Some(dirty) = &mut self.dirty {
            dirty.insert(key.clone());
        }
    }

    fn number(&mut self, at: Instant) -> Deadline {
        self.numbers += 1;
        (at, self.numbers)
    }
}

impl<V> Cell<V> {
    fn is_alive(&self) -> bool {
        self.until.is_none_or(|(at, _)| at > Instant::now())
    }
}

/// Translates a moment of this program's clock; the store outlives it.
fn wall_clock(at: Instant) -> Option<SystemTime> {
    SystemTime::now().checked_add(at.saturating_duration_since(Instant::now()))
}
