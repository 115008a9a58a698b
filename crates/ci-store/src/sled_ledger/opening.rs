//! Opens the ledger, come what may: a database that is broken is set aside and the last good export restored.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use super::Options;
use super::folder::Folder;
use super::lock::{DirLock, Pid};
use super::store::{Store, StoreError};
use crate::SCHEMA;
use crate::backups::backups;
use crate::export::Exported;
use crate::import::{ImportError, import};

/// Why a ledger does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the folder.
    #[error("open the ledger: {path} is held by {pid}", path = path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// The holder.
        pid: Pid,
    },
    /// A newer version of this program wrote it.
    #[error("open a ledger of schema {found}: this version knows schemas up to {SCHEMA}")]
    NewerSchema {
        /// The schema on disk.
        found: u32,
    },
    /// The database is broken, and this is not the moment to restore an export.
    #[error("open a broken database: {cause}")]
    Broken {
        /// What is wrong with it.
        cause: String,
    },
    /// The database is broken, and so was the attempt to restore an export.
    #[error("restore the ledger from {path}", path = path.display())]
    Restore {
        /// The export.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: ImportError,
    },
    /// The system refused.
    #[error("open the ledger in {path}", path = path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
}

/// What was done to a database that did not open. Tell people: what came after the export is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Why the database did not open.
    pub cause: String,
    /// Where the broken database is now, if there was one.
    pub moved_to: Option<PathBuf>,
    /// The export that was restored; without one the ledger is empty.
    pub restored: Option<(PathBuf, Exported)>,
    /// Newer exports that were damaged too, and how.
    pub skipped: Vec<(PathBuf, String)>,
}

/// Opens the database of a locked folder, restoring it if need be.
pub(super) fn open_or_restore(
    folder: &Folder,
    options: &Options,
) -> Result<(Store, Option<Recovery>), OpenError> {
    let failed = |source| folder_error(folder, source);
    folder.discard_new().map_err(failed)?;
    let exports = backups(&folder.exports()).map_err(failed)?;
    let cause = if folder.database().try_exists().map_err(failed)? {
        match open_store(folder, options.cache_bytes) {
            Err(OpenError::Broken { cause }) => cause,
            opened => return Ok((opened?, None)),
        }
    } else if exports.is_empty() {
        create(folder, options.cache_bytes)?;
        return Ok((open_store(folder, options.cache_bytes)?, None));
    } else {
        // A restore was interrupted, or someone carried the exports to a new house.
        "there are exports but no database".to_owned()
    };
    let recovery = restore(folder, options, exports, cause)?;
    tracing::error!(%recovery, "the ledger was not sound");
    Ok((open_store(folder, options.cache_bytes)?, Some(recovery)))
}

/// Makes an empty database where there is none. It gets its place when it is whole, so a database without its schema
/// is a damaged one.
pub(super) fn create(folder: &Folder, cache_bytes: u64) -> Result<(), OpenError> {
    let new = folder.begin(cache_bytes).map_err(|error| store_error(folder, error))?;
    drop(new);
    folder.adopt_new().map_err(|source| folder_error(folder, source))
}

/// Opens the database as it is.
pub(super) fn open_store(folder: &Folder, cache_bytes: u64) -> Result<Store, OpenError> {
    Store::open(&folder.database(), cache_bytes).map_err(|error| store_error(folder, error))
}

pub(super) fn take_lock(dir: &Path) -> Result<(Folder, DirLock), OpenError> {
    let folder =
        Folder::new(dir).map_err(|source| OpenError::Folder { path: dir.to_owned(), source })?;
    let lock = DirLock::take(&folder.lock())?;
    Ok((folder, lock))
}

/// Builds a database from the newest export that is whole, and puts it in the place of the broken one.
fn restore(
    folder: &Folder,
    options: &Options,
    exports: Vec<PathBuf>,
    cause: String,
) -> Result<Recovery, OpenError> {
    let failed = |source| folder_error(folder, source);
    let mut recovery = Recovery { cause, moved_to: None, restored: None, skipped: Vec::new() };
    for path in exports {
        match build(folder, options.cache_bytes, &path)? {
            Ok(exported) => {
                recovery.restored = Some((path, exported));
                break;
            }
            Err(reason) => recovery.skipped.push((path, reason)),
        }
    }
    recovery.moved_to = folder.set_aside(&options.stamp).map_err(failed)?;
    match recovery.restored {
        Some(_) => folder.adopt_new().map_err(failed)?,
        None => create(folder, options.cache_bytes)?,
    }
    Ok(recovery)
}

/// Builds a new database from one export. A damaged export is the inner error; the outer one ends the attempts.
fn build(
    folder: &Folder,
    cache_bytes: u64,
    path: &Path,
) -> Result<Result<Exported, String>, OpenError> {
    let failed = |source| OpenError::Restore { path: path.to_owned(), source };
    let new = folder.begin(cache_bytes).map_err(|error| store_error(folder, error))?;
    let file = File::open(path).map_err(|error| failed(error.into()))?;
    match import(&mut BufReader::new(file), &mut |stream, replay| new.load(&stream, &replay)) {
        Ok(exported) => {
            new.finish().map_err(|fault| failed(ImportError::Store(fault)))?;
            Ok(Ok(exported))
        }
        Err(damage @ ImportError::Line { .. }) => {
            drop(new);
            folder.discard_new().map_err(|error| folder_error(folder, error))?;
            Ok(Err(damage.to_string()))
        }
        Err(error) => Err(failed(error)),
    }
}

pub(super) fn store_error(folder: &Folder, error: StoreError) -> OpenError {
    match error {
        StoreError::NewerSchema(found) => OpenError::NewerSchema { found },
        StoreError::Broken(cause) => OpenError::Broken { cause },
        StoreError::Io(source) => folder_error(folder, source),
    }
}

fn folder_error(folder: &Folder, source: io::Error) -> OpenError {
    OpenError::Folder { path: folder.path().to_owned(), source }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the ledger could not be opened ({})", self.cause)?;
        if let Some(path) = &self.moved_to {
            write!(f, "; it was moved to {}", path.display())?;
        }
        for (path, reason) in &self.skipped {
            write!(f, "; {} is damaged too ({reason})", path.display())?;
        }
        match &self.restored {
            Some((path, Exported { streams, records })) => {
                let path = path.display();
                write!(f, "; {streams} streams with {records} records were restored from {path}")
            }
            None => write!(f, "; there was no export to restore, so it is empty"),
        }
    }
}
