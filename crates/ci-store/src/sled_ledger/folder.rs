//! The files of a ledger, and how one database takes the place of another.
//!
//! ```text
//! <dir>/lock            held while the ledger is open
//! <dir>/db/             the database
//! <dir>/db.new/         a database that is being made; deleted when the ledger is opened
//! <dir>/db.broken-…/    a database that could not be opened, for whoever wants to know why
//! <dir>/exports/        exports, of which the newest is restored when the database is broken
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::plan::Plan;
use super::store::{Store, StoreError};
use crate::backups::{Stamp, sync_dir};
use crate::import::Refusal;
use crate::{Fault, Replay, StreamId};

/// The folder of exports.
pub(super) const EXPORTS: &str = "exports";

/// Where a ledger keeps its files.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    dir: PathBuf,
}

/// A database that is being made beside the one in use.
pub(super) struct NewStore {
    store: Store,
}

impl Folder {
    pub(super) fn new(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self { dir: dir.to_owned() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.dir
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    pub(super) fn database(&self) -> PathBuf {
        self.dir.join("db")
    }

    pub(super) fn exports(&self) -> PathBuf {
        self.dir.join(EXPORTS)
    }

    fn new_database(&self) -> PathBuf {
        self.dir.join("db.new")
    }

    /// Begins a new database, over the remains of an earlier attempt.
    pub(super) fn begin(&self, cache_bytes: u64) -> Result<NewStore, StoreError> {
        self.discard_new()?;
        Ok(NewStore { store: Store::create(&self.new_database(), cache_bytes)? })
    }

    /// Deletes a new database, finished or not, if there is one.
    pub(super) fn discard_new(&self) -> io::Result<()> {
        remove_if_there(&self.new_database())
    }

    /// Puts the finished new database where there is none.
    pub(super) fn adopt_new(&self) -> io::Result<()> {
        fs::rename(self.new_database(), self.database())?;
        sync_dir(&self.dir)
    }

    /// Puts the finished new database where the old one is in one step, and deletes the old one.
    pub(super) fn exchange_new(&self) -> io::Result<()> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        renameat_with(CWD, self.new_database(), CWD, self.database(), RenameFlags::EXCHANGE)?;
        sync_dir(&self.dir)?;
        self.discard_new()
    }

    /// Moves the database out of the way, and says where to; `None` if there is none.
    pub(super) fn set_aside(&self, stamp: &Stamp) -> io::Result<Option<PathBuf>> {
        if !self.database().try_exists()? {
            return Ok(None);
        }
        let mut path = self.dir.join(format!("db.broken-{}", stamp.as_str()));
        while path.try_exists()? {
            // Two in one second: the node is in a restart loop.
            path.as_mut_os_string().push("-again");
        }
        fs::rename(self.database(), &path)?;
        sync_dir(&self.dir)?;
        Ok(Some(path))
    }

    /// Deletes the database.
    pub(super) fn remove_database(&self) -> io::Result<()> {
        remove_if_there(&self.database())
    }

    /// The size of the database with all its files.
    pub(super) fn database_bytes(&self) -> io::Result<u64> {
        let mut bytes = 0;
        for entry in fs::read_dir(self.database())? {
            let entry = entry?.metadata()?;
            bytes += if entry.is_file() { entry.len() } else { 0 };
        }
        Ok(bytes)
    }
}

impl NewStore {
    /// Adds a whole stream.
    pub(super) fn load(&self, stream: &StreamId, replay: &Replay) -> Result<(), Refusal> {
        let mut plan = Plan::new(&self.store);
        plan.load(stream, replay).map_err(Refusal::Unstorable)?;
        plan.into_batch().map_or(Ok(()), |batch| self.store.apply(batch)).map_err(Refusal::Fault)
    }

    /// Makes everything durable and closes the database.
    pub(super) fn finish(self) -> Result<(), Fault> {
        self.store.sync()
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
