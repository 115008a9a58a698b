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
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use heights::prelude::*;
/// use heights::table::{MemoryStore, Table};
///
/// let store = MemoryStore::new();
/// let sessions: Table<&str, u32> =
///     Table::builder("sessions").ttl(Duration::from_secs(3600)).store(store.clone()).build();
/// let root = Supervisor::builder("root").child(sessions.child_spec()).start().await?;
/// sessions.insert("alice", 1);
/// // What was put in is in the store when the table's process has ended.
/// root.stop().await;
/// assert_eq!(store.writes(), 1);
/// # Ok(())
/// # }
/// ```
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
