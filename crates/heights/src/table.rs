//! Tables: typed keys and values that outlive the process that works with them.
//!
//! A [`Table`] is a value like a [`Regulator`](crate::Regulator): handles share it, reads go straight
//! to it and side by side, and a worker that crashes finds everything where it was. What needs a
//! process is done by the one that [`Table::child_spec`] puts into the tree: it loads the table before
//! its younger siblings start, removes what has expired, and writes changes to the [`Store`].
//!
//! | the process | then |
//! |---|---|
//! | is not there | reads and writes work; expired entries are not found, but take room; nothing is stored |
//! | crashes, or its store fails | the next life goes on where it stopped; no change is lost |
//! | is stopped | it stores what is not stored yet |
//! | is killed with its program | what was written since the last [`flush`](Table::flush) may be lost |
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), heights::StartError> {
//! use std::time::Duration;
//! use heights::prelude::*;
//! use heights::table::Table;
//!
//! let sessions = Table::builder("sessions").ttl(Duration::from_secs(3600)).build();
//! let root = Supervisor::builder("root").child(sessions.child_spec()).start().await?;
//! sessions.insert("alice", 1);
//! sessions.update(&"alice", |visits| visits.map(|visits| visits + 1));
//! assert_eq!(sessions.get(&"alice"), Some(2));
//! root.stop().await;
//! # Ok(())
//! # }
//! ```

mod builder;
mod cells;
mod keeper;
#[cfg(feature = "sled")]
mod sled_store;
mod store;
mod watch;

use std::fmt;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use heights_supervisor::{Backoff, ChildSpec, Recipient};
use tokio::sync::watch as signal;

pub use self::builder::TableBuilder;
use self::cells::Cells;
use self::keeper::Keeper;
#[cfg(feature = "sled")]
pub use self::sled_store::{OpenError, Record, SledDatabase, SledStore};
pub use self::store::{MemoryStore, Store, StoreError, Stored, Write};
pub use self::watch::Change;
use crate::bus::Bus;

/// Slow enough that a store that is away for a minute does not use up what a supervisor allows.
const STORE_BACKOFF: Backoff =
    Backoff::exponential(Duration::from_secs(3), Duration::from_secs(60));

/// Typed keys and values; cloning gives another handle to the same table.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights::bus::Heard;
/// use heights::table::{Change, Table};
///
/// // In memory it works without a process too.
/// let stock: Table<&str, u32> = Table::builder("stock").build();
/// let mut changes = stock.watch("apples", 10);
/// stock.insert("apples", 3);
/// assert_eq!(stock.insert_new("apples", 9), Err(3));
/// stock.update(&"apples", |apples| apples.and_then(|apples| apples.checked_sub(1)));
/// stock.insert("pears", 5);
/// assert_eq!(stock.select(|fruit, count| (*count > 2).then_some(*fruit)), ["pears"]);
///
/// let heard = changes.next().await;
/// assert!(matches!(heard, Heard::Event(Change::Inserted("apples", 3))));
/// # Ok(())
/// # }
/// ```
pub struct Table<K, V>(Arc<Shared<K, V>>);

struct Shared<K, V> {
    name: Arc<str>,
    ttl: Option<Duration>,
    cells: RwLock<Cells<K, V>>,
    watchers: Bus,
    store: Option<Arc<dyn Store<K, V>>>,
    /// How many changes are in the store.
    stored: signal::Sender<u64>,
    /// Held while the store is written, so that no write overtakes an older one.
    writing: Mutex<()>,
    /// Tells the process of this table, if there is one, that there is something to do.
    keeper: Mutex<Option<Recipient<()>>>,
    /// Whether it has been told and has not begun yet.
    told: AtomicBool,
}

impl<K, V> Table<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Begins the description of a table.
    pub fn builder(name: impl Into<Arc<str>>) -> TableBuilder<K, V> {
        TableBuilder::new(name.into())
    }

    /// Returns the value under a key.
    pub fn get(&self, key: &K) -> Option<V> {
        self.read().get(key).cloned()
    }

    /// Tells whether a key has a value.
    pub fn contains(&self, key: &K) -> bool {
        self.read().get(key).is_some()
    }

    /// Returns how many keys have a value.
    pub fn len(&self) -> usize {
        self.read().iter().count()
    }

    /// Tells whether no key has a value.
    pub fn is_empty(&self) -> bool {
        self.read().iter().next().is_none()
    }

    /// Returns all keys and values of one moment, in no particular order.
    pub fn all(&self) -> Vec<(K, V)> {
        self.select(|key, value| Some((key.clone(), value.clone())))
    }

    /// Returns what `pick` makes of the entries of one moment.
    ///
    /// `pick` runs while the table is locked and must not call it.
    pub fn select<T>(&self, mut pick: impl FnMut(&K, &V) -> Option<T>) -> Vec<T> {
        self.read().iter().filter_map(|(key, value)| pick(key, value)).collect()
    }

    /// Sets the value of a key, for as long as the table's entries live, and returns the old one.
    pub fn insert(&self, key: K, value: V) -> Option<V> {
        self.change(|cells| cells.set(key, value, self.0.ttl))
    }

    /// Sets the value of a key for a while and returns the old one.
    pub fn insert_for(&self, key: K, value: V, ttl: Duration) -> Option<V> {
        self.change(|cells| cells.set(key, value, Some(ttl)))
    }

    /// Sets the value of a key that has none; gives back the value that it has otherwise.
    pub fn insert_new(&self, key: K, value: V) -> Result<(), V> {
        self.change(|cells| match cells.get(&key) {
            Some(there) => Err(there.clone()),
            None => {
                cells.set(key, value, self.0.ttl);
                Ok(())
            }
        })
    }

    /// Changes the value of a key in one step and returns what it is then; `None` removes it.
    ///
    /// The entry lives as long as before; a new one, as long as the table's entries do. `update`
    /// runs while the table is locked and must not call it.
    pub fn update(&self, key: &K, update: impl FnOnce(Option<&V>) -> Option<V>) -> Option<V> {
        self.change(|cells| {
            let new = update(cells.get(key));
            match &new {
                Some(value) => cells.replace(key, value.clone(), self.0.ttl),
                None => drop(cells.remove(key)),
            }
            new
        })
    }

    /// Removes a key and returns the value that it had.
    pub fn remove(&self, key: &K) -> Option<V> {
        self.change(|cells| cells.remove(key))
    }

    /// Removes all entries.
    pub fn clear(&self) {
        self.change(|cells| {
            let keys: Vec<K> = cells.iter().map(|(key, _)| key.clone()).collect();
            keys.iter().for_each(|key| drop(cells.remove(key)));
        });
    }

    /// Waits until all changes made so far are in the store; returns at once if there is none.
    ///
    /// It waits for ever while the process of the table does not run.
    pub async fn flush(&self) {
        if self.0.store.is_none() {
            return;
        }
        let changes = self.read().changes();
        let mut stored = self.0.stored.subscribe();
        // The table itself keeps the sending side alive, so this never fails.
        let _stored = stored.wait_for(|stored| *stored >= changes).await;
    }

    /// Describes the process of the table; its id is the table's name. A table has one.
    pub fn child_spec(&self) -> ChildSpec {
        let table = self.clone();
        let (spec, _keeper) =
            ChildSpec::server::<Keeper<K, V>>(self.0.name.to_string(), move || table.clone());
        spec.backoff(STORE_BACKOFF)
    }

    /// Changes the table and tells who watches, before anybody else sees it.
    fn change<R>(&self, change: impl FnOnce(&mut Cells<K, V>) -> R) -> R {
        let mut cells = self.write();
        let result = change(&mut cells);
        let (news, work) = cells.take_news();
        for change in news {
            self.tell(change);
        }
        drop(cells);
        if work && !self.0.told.swap(true, Ordering::AcqRel) {
            let keeper = self.keeper().clone();
            keeper.inspect(|keeper| keeper.tell(()));
        }
        result
    }

    fn read(&self) -> RwLockReadGuard<'_, Cells<K, V>> {
        self.0.cells.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Cells<K, V>> {
        self.0.cells.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn keeper(&self) -> MutexGuard<'_, Option<Recipient<()>>> {
        self.0.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Clone for Table<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, V> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({})", self.0.name)
    }
}
