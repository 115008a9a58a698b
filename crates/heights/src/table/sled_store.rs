//! Tables in sled, as carefully as it has to be used.
//!
//! A flush of sled is no sync, so one of its file follows. A snapshot that a killed process left half
//! written makes the database unopenable, so it is removed first. sled panics where it could answer an
//! error, so each call is guarded.

use std::fs::{self, File, TryLockError};
use std::io;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use heights_supervisor::Fault;

use super::store::{Store, StoreError, Stored, Write};

/// sled takes a gigabyte unless it is told otherwise.
const CACHE_BYTES: u64 = 32 * 1024 * 1024;

/// How often a lock is tried, and the pause between two tries. Who has just let go of a database may
/// still seem to hold it: sled closes its files a moment later, and a child that is being forked holds
/// on to locks until it runs its own program.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// The form of a stored value: this byte, eight bytes of expiry, the value.
const FORM: u8 = 1;

/// What an entry without expiry has in its place.
const NEVER: u64 = u64::MAX;

/// A sled database in a folder of its own; at most a handful of tables belong in one.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights::prelude::*;
/// use heights::table::{Record, SledDatabase, Table};
///
/// #[derive(Debug, Clone, PartialEq)]
/// struct Score(u64);
///
/// /// The form on disk is one's own affair: what is written today, a later version must read.
/// impl Record for Score {
///     fn to_bytes(&self) -> Vec<u8> {
///         self.0.to_bytes()
///     }
///
///     fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
///         Ok(Self(u64::from_bytes(bytes)?))
///     }
/// }
///
/// let folder = tempfile::tempdir()?;
/// for life in 1..=2 {
///     let database = SledDatabase::open(folder.path())?;
///     let scores: Table<String, Score> =
///         Table::builder("scores").store(database.store("scores")?).build();
///     let root = Supervisor::builder("root").child(scores.child_spec()).start().await?;
///     let add = |score: Option<&Score>| Some(Score(score.map_or(1, |score| score.0 + 1)));
///     assert_eq!(scores.update(&"alice".to_owned(), add), Some(Score(life)));
///     root.stop().await;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SledDatabase(Arc<Database>);

#[derive(Debug)]
struct Database {
    db: sled::Db,
    /// A second handle on sled's file, to sync it.
    log: File,
    /// Held locked as long as the database is open.
    _lock: File,
}

/// One table of a database.
pub struct SledStore<K, V> {
    database: SledDatabase,
    tree: sled::Tree,
    entries: PhantomData<fn() -> (K, V)>,
}

/// Has a form in bytes that later versions of the program can read.
pub trait Record: Sized + Send + 'static {
    /// Returns that form.
    fn to_bytes(&self) -> Vec<u8>;

    /// Reads it back.
    fn from_bytes(bytes: &[u8]) -> Result<Self, Fault>;
}

/// Why a database does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("open the database in {0}: another process has it")]
    Locked(String),
    /// The system refused, or the database is damaged.
    #[error("open the database in {folder}")]
    Refused {
        /// Where it is.
        folder: String,
        /// What went wrong.
        #[source]
        cause: Fault,
    },
}

impl SledDatabase {
    /// Opens the database in a folder, which is made if there is none. It may block for a while.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, OpenError> {
        let folder = folder.as_ref();
        let name = || folder.display().to_string();
        let lock = match lock(folder) {
            Ok(lock) => lock,
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked(name())),
            Err(TryLockError::Error(cause)) => {
                return Err(OpenError::Refused { folder: name(), cause: cause.into() });
            }
        };
        let opened = Database::open(&folder.join("sled"), lock);
        let database = opened.map_err(|cause| OpenError::Refused { folder: name(), cause })?;
        Ok(Self(Arc::new(database)))
    }

    /// Returns the store of a table.
    pub fn store<K: Record, V: Record>(&self, table: &str) -> Result<SledStore<K, V>, StoreError> {
        let tree = guarded(|| self.0.db.open_tree(table)).map_err(StoreError::load)?;
        Ok(SledStore { database: self.clone(), tree, entries: PhantomData })
    }
}

impl Database {
    fn open(path: &Path, lock: File) -> Result<Self, Fault> {
        remove_half_snapshots(path)?;
        let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES);
        let locked = |error: &sled::Error| error.to_string().contains("could not acquire lock");
        let db = guarded(|| patiently(|| config.open(), locked))?;
        Ok(Self { db, log: File::open(path.join("db"))?, _lock: lock })
    }
}

impl<K: Record, V: Record> Store<K, V> for SledStore<K, V> {
    fn load(&self) -> Result<Vec<Stored<K, V>>, StoreError> {
        let cells = guarded(|| self.tree.iter().collect::<Result<Vec<_>, _>>());
        let cells = cells.map_err(StoreError::load)?;
        let entries = cells.iter().map(|(key, cell)| decode(key, cell));
        entries.collect::<Result<_, _>>().map_err(StoreError::load)
    }

    fn write(&self, writes: &[Write<K, V>]) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for write in writes {
            match write {
                Write::Put(stored) => batch.insert(stored.key.to_bytes(), encode(stored)),
                Write::Delete(key) => batch.remove(key.to_bytes()),
            }
        }
        let database = &self.database.0;
        guarded(|| self.tree.apply_batch(batch)).map_err(StoreError::write)?;
        guarded(|| database.db.flush()).map_err(StoreError::write)?;
        database.log.sync_data().map_err(StoreError::write)
    }
}

impl<K, V> std::fmt::Debug for SledStore<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SledStore({})", String::from_utf8_lossy(&self.tree.name()))
    }
}

fn lock(folder: &Path) -> Result<File, TryLockError> {
    fs::create_dir_all(folder).map_err(TryLockError::Error)?;
    let lock = File::create(folder.join("lock")).map_err(TryLockError::Error)?;
    patiently(|| lock.try_lock(), |error| matches!(error, TryLockError::WouldBlock))?;
    Ok(lock)
}

/// Tries until what is tried is not held by somebody else any more, or has been for too long.
fn patiently<T, E>(attempt: impl Fn() -> Result<T, E>, held: impl Fn(&E) -> bool) -> Result<T, E> {
    for _ in 1..LOCK_TRIES {
        match attempt() {
            Err(error) if held(&error) => std::thread::park_timeout(LOCK_PAUSE),
            outcome => return outcome,
        }
    }
    attempt()
}

/// Removes what a process that was killed while it opened the database has left; the snapshot before
/// it is still there.
fn remove_half_snapshots(path: &Path) -> io::Result<()> {
    let files = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        files => files?,
    };
    for file in files {
        let file = file?;
        let name = file.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(file.path())?;
        }
    }
    Ok(())
}

fn encode<K, V: Record>(stored: &Stored<K, V>) -> Vec<u8> {
    let since = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let millis = |at| u64::try_from(since(at).as_millis()).unwrap_or(NEVER);
    let mut cell = vec![FORM];
    cell.extend(stored.expires.map_or(NEVER, millis).to_be_bytes());
    cell.extend(stored.value.to_bytes());
    cell
}

fn decode<K: Record, V: Record>(key: &[u8], cell: &[u8]) -> Result<Stored<K, V>, Fault> {
    let Some((&FORM, cell)) = cell.split_first() else { return Err("an unknown form".into()) };
    let Some((expires, value)) = cell.split_first_chunk() else { return Err("cut off".into()) };
    let expires = match u64::from_be_bytes(*expires) {
        NEVER => None,
        millis => SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis)),
    };
    Ok(Stored { key: K::from_bytes(key)?, value: V::from_bytes(value)?, expires })
}

fn guarded<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, Fault> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(answer) => answer.map_err(Fault::from),
        Err(_panic) => Err("sled panicked".into()),
    }
}

impl Record for String {
    fn to_bytes(&self) -> Vec<u8> {
        self.clone().into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        Ok(Self::from_utf8(bytes.to_vec())?)
    }
}

impl Record for u64 {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        Ok(Self::from_be_bytes(bytes.try_into()?))
    }
}
