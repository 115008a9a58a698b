//! Work on a ledger that no node has open: taking an export, and writing the database anew.

use std::io::{self, BufRead};
use std::path::Path;

use super::CACHE_BYTES;
use super::entries::replay;
use super::folder::{Folder, NewStore};
use super::opening::{OpenError, open_store, store_error, take_lock};
use crate::export::Exported;
use crate::import::{ImportError, Refusal, import};
use crate::{Fault, ReadError};

/// Why an export was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The ledger cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The ledger holds something, which an import would bury.
    #[error("import into a ledger that is not empty")]
    NotEmpty,
    /// The export is not sound, or could not be stored.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The ledger could not be read.
    #[error("import into the ledger")]
    Read(#[source] Fault),
    /// The new database could not be put in place.
    #[error("put the imported database in place")]
    Place(#[source] io::Error),
}

/// What compacting did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// The size of the database before.
    pub before_bytes: u64,
    /// The size of the database now.
    pub after_bytes: u64,
}

/// Why a ledger was not compacted. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum CompactError {
    /// The ledger cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The ledger is damaged: compacting would lose what a check still sees.
    #[error("compact the ledger")]
    Read(#[from] ReadError),
    /// The new database could not be written.
    #[error("write the compacted database")]
    Write(#[source] Fault),
    /// The new database could not be put in place.
    #[error("put the compacted database in place")]
    Place(#[from] io::Error),
}

pub(super) fn load(dir: &Path, reader: &mut dyn BufRead) -> Result<Exported, LoadError> {
    let (folder, _lock) = take_lock(dir)?;
    if folder.database().try_exists().map_err(LoadError::Place)? {
        let store = open_store(&folder, CACHE_BYTES)?;
        let (streams, nameless) = store.heads("").map_err(LoadError::Read)?;
        if !streams.is_empty() || !nameless.is_empty() {
            return Err(LoadError::NotEmpty);
        }
    }
    let new = begin(&folder)?;
    let imported = import(reader, &mut |stream, replay| new.load(&stream, &replay));
    let finished = new.finish().map_err(ImportError::Store);
    match imported.and_then(|exported| finished.map(|()| exported)) {
        Ok(exported) => {
            folder.remove_database().and_then(|()| folder.adopt_new()).map_err(LoadError::Place)?;
            Ok(exported)
        }
        Err(error) => {
            folder.discard_new().map_err(LoadError::Place)?;
            Err(error.into())
        }
    }
}

pub(super) fn compact(dir: &Path) -> Result<Compacted, CompactError> {
    let (folder, _lock) = take_lock(dir)?;
    let before_bytes = folder.database_bytes()?;
    let copied = copy(&folder);
    if copied.is_err() {
        folder.discard_new()?;
    }
    copied?;
    folder.exchange_new()?;
    Ok(Compacted { before_bytes, after_bytes: folder.database_bytes()? })
}

/// Copies every stream into a new database; both are closed at the end.
fn copy(folder: &Folder) -> Result<(), CompactError> {
    let store = open_store(folder, CACHE_BYTES)?;
    let new = begin(folder)?;
    let (streams, _) = store.heads("").map_err(ReadError::Io)?;
    for stream in streams {
        let replay = replay(&store, &stream)?;
        new.load(&stream, &replay).map_err(|refusal| match refusal {
            Refusal::Fault(fault) => CompactError::Write(fault),
            Refusal::Unstorable(cause) => CompactError::Write(Fault { during: "copy", cause }),
        })?;
    }
    new.finish().map_err(CompactError::Write)
}

fn begin(folder: &Folder) -> Result<NewStore, OpenError> {
    folder.begin(CACHE_BYTES).map_err(|error| store_error(folder, error))
}
