//! The small files of a run directory: whole or not there, and read by their version.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{OpenError, RunDir};

impl RunDir {
    /// Writes a file that survives the death of the machine.
    pub(crate) fn write_durably<T: Serialize>(
        &self,
        name: &str,
        value: &T,
    ) -> Result<(), OpenError> {
        self.write_json(name, value, Durability::Power)
    }

    /// Reads a file, looking at its version before anything else: a later one may have any shape.
    pub(crate) fn read_json<T: DeserializeOwned>(
        &self,
        name: &str,
        known: u32,
    ) -> Result<Option<T>, OpenError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let path = self.file(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(&path)(error)),
        };
        let Versioned { version: found } =
            serde_json::from_slice(&bytes).map_err(|error| content(&path, error))?;
        if found > known {
            return Err(OpenError::Version { path, found, known });
        }
        serde_json::from_slice(&bytes).map(Some).map_err(|error| content(&path, error))
    }

    /// Writes a file such that a reader finds all of it or nothing.
    pub(super) fn write_json<T: Serialize>(
        &self,
        name: &str,
        value: &T,
        durability: Durability,
    ) -> Result<(), OpenError> {
        let (path, temporary) = (self.file(name), self.file(&format!("{name}.tmp")));
        let bytes = serde_json::to_vec(value).map_err(|error| content(&path, error))?;
        let write = || {
            let mut options = fs::OpenOptions::new();
            let mut file =
                options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
            file.write_all(&bytes)?;
            if durability == Durability::Power {
                file.sync_all()?;
            }
            fs::rename(&temporary, &path)?;
            if durability == Durability::Power {
                File::open(&self.path)?.sync_all()?;
            }
            Ok(())
        };
        write().map_err(at(&path))
    }
}

/// Whether a file that was once whole has lost its content, as file systems leave it after a loss of
/// power: cut, or full of zeros.
pub(super) fn is_torn(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.last() != Some(&b'}'))
}

/// What a written file survives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// The death of every process, but maybe not of the machine: what it tells is void then anyway.
    Process,
    /// The death of the machine.
    Power,
}

pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> OpenError + '_ {
    |source| OpenError::Io { path: path.to_owned(), source }
}

pub(super) fn content(
    path: &Path,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> OpenError {
    OpenError::Content { path: path.to_owned(), source: source.into() }
}
