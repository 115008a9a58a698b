//! The port to what a table is stored in, and its fake.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use heights_supervisor::Fault;

/// Keeps a table beyond the end of the program.
///
/// Both functions may block: they run on threads that are made for it, one at a time.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::fs;
/// use std::path::PathBuf;
/// use heights::prelude::*;
/// use heights::table::{Store, StoreError, Stored, Table, Write};
///
/// /// A file for each entry; good for few entries that change seldom.
/// struct Folder(PathBuf);
///
/// impl Store<String, String> for Folder {
///     fn load(&self) -> Result<Vec<Stored<String, String>>, StoreError> {
///         let entry = |entry: std::io::Result<fs::DirEntry>| -> Result<_, Fault> {
///             let entry = entry?;
///             let key = entry.file_name().into_string().map_err(|_| "read a name")?;
///             Ok(Stored { key, value: fs::read_to_string(entry.path())?, expires: None })
///         };
///         let entries = fs::read_dir(&self.0).map_err(StoreError::load)?;
///         entries.map(|file| entry(file).map_err(StoreError::load)).collect()
///     }
///
///     fn write(&self, writes: &[Write<String, String>]) -> Result<(), StoreError> {
///         for write in writes {
///             let file = self.0.join(write.key());
///             let done = match write {
///                 Write::Put(stored) => fs::write(file, &stored.value),
///                 Write::Delete(_) => fs::remove_file(file),
///             };
///             done.map_err(StoreError::write)?;
///         }
///         Ok(())
///     }
/// }
///
/// let folder = tempfile::tempdir()?;
/// let notes = Table::builder("notes").store(Folder(folder.path().to_owned())).build();
/// let root = Supervisor::builder("root").child(notes.child_spec()).start().await?;
/// notes.insert("today".to_owned(), "rain".to_owned());
/// notes.flush().await;
/// assert_eq!(fs::read_to_string(folder.path().join("today"))?, "rain");
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
pub trait Store<K, V>: Send + Sync + 'static {
    /// Returns all entries.
    fn load(&self) -> Result<Vec<Stored<K, V>>, StoreError>;

    /// Writes all of it or nothing, and returns once it would survive the loss of power.
    ///
    /// Each key comes once.
    fn write(&self, writes: &[Write<K, V>]) -> Result<(), StoreError>;
}

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<K, V> {
    /// The key.
    pub key: K,
    /// The value.
    pub value: V,
    /// From when on there is no such entry, by the clock on the wall.
    pub expires: Option<SystemTime>,
}

/// One change to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write<K, V> {
    /// Sets an entry.
    Put(Stored<K, V>),
    /// Removes the entry of a key, if there is one.
    Delete(K),
}

/// The store cannot do what it was asked to; the table keeps it and tries again.
#[derive(Debug, thiserror::Error)]
#[error("{what} the store")]
pub struct StoreError {
    /// What was tried: `load` or `write`.
    pub what: &'static str,
    /// What went wrong.
    #[source]
    pub cause: Fault,
}

/// A store in memory, for tests: cloning gives another handle to the same one.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights::prelude::*;
/// use heights::table::{MemoryStore, Table};
///
/// let store = MemoryStore::new();
/// for life in 1..=2_u32 {
///     let lives = Table::builder("lives").store(store.clone()).build();
///     let root = Supervisor::builder("root").child(lives.child_spec()).start().await?;
///     assert_eq!(lives.get(&"latest").unwrap_or_default(), life - 1);
///     lives.insert("latest", life);
///     root.stop().await;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MemoryStore<K, V>(Arc<Mutex<Inner<K, V>>>);

#[derive(Debug)]
struct Inner<K, V> {
    entries: HashMap<K, Stored<K, V>>,
    fails: bool,
    writes: u64,
}

impl<K, V> Write<K, V> {
    /// Returns the key that changes.
    pub const fn key(&self) -> &K {
        match self {
            Self::Put(stored) => &stored.key,
            Self::Delete(key) => key,
        }
    }
}

impl StoreError {
    /// Says what went wrong with a load.
    pub fn load(cause: impl Into<Fault>) -> Self {
        Self { what: "load", cause: cause.into() }
    }

    /// Says what went wrong with a write.
    pub fn write(cause: impl Into<Fault>) -> Self {
        Self { what: "write", cause: cause.into() }
    }
}

impl<K, V> MemoryStore<K, V> {
    /// Makes a store that holds nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes all that is asked from now on fail, or work again.
    pub fn fail(&self, fails: bool) {
        self.inner().fails = fails;
    }

    /// Returns how many times it was written to.
    pub fn writes(&self) -> u64 {
        self.inner().writes
    }

    fn inner(&self) -> MutexGuard<'_, Inner<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Store<K, V> for MemoryStore<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
{
    fn load(&self) -> Result<Vec<Stored<K, V>>, StoreError> {
        let inner = self.inner();
        if inner.fails {
            return Err(StoreError::load("it was told to fail"));
        }
        Ok(inner.entries.values().cloned().collect())
    }

    fn write(&self, writes: &[Write<K, V>]) -> Result<(), StoreError> {
        let mut inner = self.inner();
        if inner.fails {
            return Err(StoreError::write("it was told to fail"));
        }
        inner.writes += 1;
        for write in writes {
            match write {
                Write::Put(stored) => inner.entries.insert(stored.key.clone(), stored.clone()),
                Write::Delete(key) => inner.entries.remove(key),
            };
        }
        Ok(())
    }
}

impl<K, V> Clone for MemoryStore<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, V> Default for MemoryStore<K, V> {
    fn default() -> Self {
        let inner = Inner { entries: HashMap::new(), fails: false, writes: 0 };
        Self(Arc::new(Mutex::new(inner)))
    }
}
