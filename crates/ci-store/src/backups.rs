//! A folder of exports: written atomically, the newest few kept.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use crate::Ledger;
use crate::export::{ExportError, Exported, export};

const PREFIX: &str = "export-";
const SUFFIX: &str = ".ndjson";
/// Marks an export that is being written, and so is none yet.
const UNFINISHED: &str = ".unfinished";

/// When something was made, as part of a file's name: `20260131T101500Z`.
///
/// Its order as text must be the order in time; the ledger reads no clock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(String);

/// A text that cannot be part of a file's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stamp a file {text:?}: expected 1 to 64 letters, digits and '-'")]
pub struct InvalidStamp {
    /// The text as it came.
    pub text: String,
}

/// An export on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Where it is.
    pub path: PathBuf,
    /// How much it holds.
    pub exported: Exported,
}

/// Why there is no new export.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The ledger could not be exported.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The folder could not be changed.
    #[error("write an export to {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Stamp {
    /// Checks `text` and wraps it.
    ///
    /// # Errors
    /// Anything but 1 to 64 letters, digits and `-` is refused.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidStamp> {
        let text = text.into();
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if plain && (1..=64).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(InvalidStamp { text })
        }
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Exports `ledger` to `dir/export-<stamp>.ndjson`, then deletes all but the newest `keep` exports (at least one).
///
/// The file appears under its name only when it is whole and on disk.
///
/// # Errors
/// A ledger that cannot be read, or a folder that cannot be written. The older exports are then still there.
pub fn export_to_dir<L: Ledger + ?Sized>(
    ledger: &L,
    dir: &Path,
    stamp: &Stamp,
    keep: usize,
) -> Result<Backup, BackupError> {
    let folder = |source| BackupError::Folder { path: dir.to_owned(), source };
    fs::create_dir_all(dir).map_err(folder)?;
    let path = dir.join(format!("{PREFIX}{}{SUFFIX}", stamp.as_str()));
    let unfinished = dir.join(format!("{PREFIX}{}{UNFINISHED}", stamp.as_str()));
    let mut out = BufWriter::new(File::create(&unfinished).map_err(folder)?);
    let exported = export(ledger, stamp, &mut out)?;
    out.get_ref().sync_all().map_err(folder)?;
    fs::rename(&unfinished, &path).map_err(folder)?;
    sync_dir(dir).map_err(folder)?;
    prune(dir, keep.max(1)).map_err(folder)?;
    Ok(Backup { path, exported })
}

/// Lists the exports in `dir`, the newest first; a folder that is not there holds none.
///
/// # Errors
/// A folder that cannot be read.
pub fn backups(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = files(dir, SUFFIX)?;
    found.sort_unstable_by(|left, right| right.cmp(left));
    Ok(found)
}

/// The newest export in `dir`, if there is one.
///
/// # Errors
/// A folder that cannot be read.
pub fn latest_export(dir: &Path) -> io::Result<Option<PathBuf>> {
    Ok(backups(dir)?.into_iter().next())
}

/// Makes the entries of a folder durable.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Deletes all but the newest `keep` exports, and what killed exports left behind.
fn prune(dir: &Path, keep: usize) -> io::Result<()> {
    let old = backups(dir)?.into_iter().skip(keep);
    old.chain(files(dir, UNFINISHED)?).try_for_each(fs::remove_file)
}

fn files(dir: &Path, suffix: &str) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(suffix)) {
            found.push(entry.path());
        }
    }
    Ok(found)
}
