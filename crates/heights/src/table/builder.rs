//! Describing a table.

use std::hash::Hash;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use tokio::sync::watch;

use super::cells::Cells;
use super::{Shared, Store, Table};
use crate::bus::Bus;

/// Describes a table: by default its entries live until they are removed, and in memory only.
#[must_use]
pub struct TableBuilder<K, V> {
    name: Arc<str>,
    ttl: Option<Duration>,
    store: Option<Arc<dyn Store<K, V>>>,
}

impl<K, V> TableBuilder<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(super) fn new(name: Arc<str>) -> Self {
        Self { name, ttl: None, store: None }
    }

    /// Lets each entry live this long after it was inserted.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Keeps the table in a store too: it is loaded when its process starts, and changes are written
    /// behind, in order and as many at once as have gathered.
    pub fn store(mut self, store: impl Store<K, V>) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Makes the table, empty.
    pub fn build(self) -> Table<K, V> {
        let cells = RwLock::new(Cells::new(self.store.is_some()));
        Table(Arc::new(Shared {
            name: self.name,
            ttl: self.ttl,
            cells,
            watchers: Bus::new(),
            store: self.store,
            stored: watch::Sender::new(0),
            writing: Mutex::default(),
            keeper: Mutex::default(),
            told: AtomicBool::new(false),
        }))
    }
}

impl<K, V> std::fmt::Debug for TableBuilder<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableBuilder")
            .field("name", &self.name)
            .field("ttl", &self.ttl)
            .field("stored", &self.store.is_some())
            .finish()
    }
}
