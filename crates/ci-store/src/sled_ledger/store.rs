//! sled as the ledger uses it: one tree of cells, atomic batches, and every call guarded.
//!
//! sled panics where other engines answer an error, so each call is made under `catch_unwind`. Whatever goes wrong
//! below becomes a [`Fault`]; after one the engine is not to be trusted.

use std::any::Any;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use sled::IVec;

use super::codec::{Section, decode_head, head_key, parse_head_key, section_prefix, unseal};
use crate::backups::sync_dir;
use crate::head::Head;
use crate::{Fault, Finding, ReadError, SCHEMA, StreamId};

/// The tree that holds all cells.
const CELLS: &str = "ledger";
/// The key of the default tree that tells the version of the stored form.
const SCHEMA_KEY: &str = "schema";
/// sled lets go of its files a moment after it was closed; another process cannot be the holder, see `DirLock`.
const RELEASE_POLL: Duration = Duration::from_millis(20);
/// Five seconds of waiting for sled to let go.
const RELEASE_POLLS: u32 = 250;

/// Cells to write, and keys to delete.
pub(super) type Batch = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// An open database.
pub(super) struct Store {
    db: sled::Db,
    cells: sled::Tree,
    /// A second handle on sled's file, because sled's flush does not sync it.
    log: File,
}

/// Why a database does not open.
#[derive(Debug)]
pub(super) enum StoreError {
    /// It was written by a newer version of this program.
    NewerSchema(u32),
    /// What is on disk is not a database any more.
    Broken(String),
    /// The system refused; the data may be sound.
    Io(io::Error),
}

impl Store {
    /// Makes a new, empty database in `path`.
    pub(super) fn create(path: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        fs::create_dir_all(path)?;
        let store = Self::start(path, cache_bytes)?;
        engine("write the schema", || store.db.insert(SCHEMA_KEY, SCHEMA.to_string().as_bytes()))?;
        store.sync()?;
        sync_dir(path)?;
        Ok(store)
    }

    /// Opens the database in `path`, which was once created whole.
    pub(super) fn open(path: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        remove_half_snapshots(path)?;
        let store = Self::start(path, cache_bytes)?;
        store.check_schema()?;
        Ok(store)
    }

    fn start(path: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        let db = guarded("open", || open_sled(path, cache_bytes))??;
        let cells = guarded("open", || db.open_tree(CELLS))??;
        Ok(Self { log: File::open(path.join("db"))?, db, cells })
    }

    /// A log that was damaged can look like an empty one to sled, but then the schema is missing too.
    fn check_schema(&self) -> Result<(), StoreError> {
        let Some(found) = guarded("read the schema", || self.db.get(SCHEMA_KEY))?? else {
            return Err(StoreError::Broken("the schema is missing".to_owned()));
        };
        match String::from_utf8_lossy(&found).parse() {
            Ok(SCHEMA) => Ok(()),
            Ok(newer) if newer > SCHEMA => Err(StoreError::NewerSchema(newer)),
            _ => Err(StoreError::Broken(format!("the schema is {found:?}"))),
        }
    }

    /// Writes all of `batch` or nothing, without waiting for the disk.
    pub(super) fn apply(&self, batch: Batch) -> Result<(), Fault> {
        let mut writes = sled::Batch::default();
        for (key, value) in batch {
            match value {
                Some(value) => writes.insert(key, value),
                None => writes.remove(key),
            }
        }
        engine("write", || self.cells.apply_batch(writes))
    }

    /// Waits until everything applied so far would survive the loss of power.
    pub(super) fn sync(&self) -> Result<(), Fault> {
        engine("flush", || self.db.flush())?;
        self.log.sync_data().map_err(|error| fault("sync", &error))
    }

    /// Where `stream` stands by its head.
    pub(super) fn head(&self, stream: &StreamId) -> Result<Option<Head>, ReadError> {
        let key = head_key(stream);
        let cell = engine("read a head", || self.cells.get(&key)).map_err(ReadError::Io)?;
        let decode = |cell: IVec| unseal(&key, &cell).and_then(|(_, content)| decode_head(content));
        cell.map(decode)
            .transpose()
            .map_err(|problem| ReadError::Damaged(Finding::in_stream(stream, problem)))
    }

    /// The streams whose names begin with `prefix`, and the keys among theirs that name none.
    pub(super) fn heads(&self, prefix: &str) -> Result<(Vec<StreamId>, Vec<IVec>), Fault> {
        let (mut streams, mut nameless) = (Vec::new(), Vec::new());
        for (key, _) in self.scan(&section_prefix(Section::Head, prefix))? {
            match parse_head_key(&key) {
                Some(stream) => streams.push(stream),
                None => nameless.push(key),
            }
        }
        Ok((streams, nameless))
    }

    /// All cells whose keys begin with `prefix`, in order.
    pub(super) fn scan(&self, prefix: &[u8]) -> Result<Vec<(IVec, IVec)>, Fault> {
        engine("scan", || self.cells.scan_prefix(prefix).collect())
    }

    /// The keys from `from` up to but without `to`, in order.
    pub(super) fn keys(&self, from: &[u8], to: &[u8]) -> Result<Vec<IVec>, Fault> {
        engine("scan", || self.cells.range(from..to).keys().collect())
    }

    /// The first key after `key`.
    pub(super) fn key_after(&self, key: &[u8]) -> Result<Option<IVec>, Fault> {
        let range = (Bound::Excluded(key), Bound::Unbounded);
        engine("scan", || self.cells.range::<&[u8], _>(range).keys().next().transpose())
    }

    /// The size of the database's file.
    pub(super) fn disk_bytes(&self) -> io::Result<u64> {
        Ok(self.log.metadata()?.len())
    }
}

/// Deletes what a process left that was killed while it opened the database: sled would take it for the newest
/// snapshot and refuse to open. Without it sled only replays more of its log.
fn remove_half_snapshots(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn open_sled(path: &Path, cache_bytes: u64) -> sled::Result<sled::Db> {
    let config = sled::Config::new().path(path).cache_capacity(cache_bytes);
    for _ in 0..RELEASE_POLLS {
        match config.open() {
            Err(sled::Error::Io(error)) if error.to_string().contains("could not acquire lock") => {
                std::thread::park_timeout(RELEASE_POLL);
            }
            opened => return opened,
        }
    }
    config.open()
}

/// Calls into the engine; an error or a panic is a fault.
fn engine<T>(during: &'static str, call: impl FnOnce() -> sled::Result<T>) -> Result<T, Fault> {
    guarded(during, call)?.map_err(|error| fault(during, &error))
}

/// Calls into the engine; a panic is a fault.
fn guarded<T>(during: &'static str, call: impl FnOnce() -> T) -> Result<T, Fault> {
    // The engine is not used again after a panic, so it does not matter in which state it is left.
    catch_unwind(AssertUnwindSafe(call))
        .map_err(|panic| Fault { during, cause: format!("panicked: {}", panic_message(&*panic)) })
}

fn fault(during: &'static str, error: &dyn std::error::Error) -> Fault {
    Fault { during, cause: error.to_string() }
}

pub(super) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref().copied()).unwrap_or("without a message")
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // What the engine says about files that are shorter or other than it wrote them.
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
                Self::Broken(error.to_string())
            }
            _ => Self::Io(error),
        }
    }
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(error) => error.into(),
            damage => Self::Broken(damage.to_string()),
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        // A panic over a refusal of the system (no more threads, no more files) says nothing about the data.
        if fault.cause.contains("Os {") {
            Self::Io(io::Error::other(fault))
        } else {
            Self::Broken(fault.to_string())
        }
    }
}
