//! Deleting whole trees that jobs have made, however deep, read-only or oddly named.
//!
//! A tree is first moved into the trash, in one step, so that nobody sees half of it; what a killed
//! node has left there goes the next time. Emptying flattens: a folder inside a folder is moved up
//! into the trash instead of being descended into, so depth costs neither descriptors nor stack.

use std::ffi::CString;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use rustix::fs::FileType;

use crate::folder::{Entry, Folder};

/// Makes names different within one life of the node.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// A folder for what is to be deleted, on the same file system as what comes in.
#[derive(Debug)]
pub(crate) struct Trash(Folder);

impl Trash {
    /// Opens the trash at `path`, making it if it is absent.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        Ok(Self(Folder::open(path)?))
    }

    /// Moves `entry` of `folder` out of the way.
    pub(crate) fn discard(&self, folder: &Folder, entry: &Entry) -> io::Result<()> {
        if entry.kind != FileType::Directory {
            return folder.unlink(&entry.name);
        }
        // Only a folder that can be written to can be moved elsewhere; entering sees to that.
        folder.enter(&entry.name)?;
        folder.move_to(&entry.name, &self.0, &unused_name())
    }

    /// Deletes all that is in the trash. What cannot be deleted stays, and is the error.
    pub(crate) fn empty(&self) -> io::Result<()> {
        loop {
            let mut failures = Vec::new();
            let entries = self.0.entries()?;
            let count = entries.len();
            for entry in entries {
                // Somebody else may be emptying it, too.
                let failure = self.delete(&entry).err();
                failures.extend(failure.filter(|error| error.kind() != io::ErrorKind::NotFound));
            }
            match failures.pop() {
                None if count == 0 => return Ok(()),
                Some(failure) if failures.len() + 1 == count => return Err(failure),
                _ => {}
            }
        }
    }

    /// Deletes one entry of the trash, whose folders move up into the trash.
    fn delete(&self, entry: &Entry) -> io::Result<()> {
        if entry.kind != FileType::Directory {
            return self.0.unlink(&entry.name);
        }
        let folder = self.0.enter(&entry.name)?;
        for inner in folder.entries()? {
            if inner.kind != FileType::Directory {
                folder.unlink(&inner.name)?;
            } else if folder.remove_empty(&inner.name).is_err() {
                self.discard(&folder, &inner)?;
            }
        }
        self.0.remove_empty(&entry.name)
    }
}

/// Discards `name` of the folder at `parent`, if it is there.
pub(crate) fn discard(trash: &Trash, parent: &Path, name: &str) -> io::Result<()> {
    let folder = Folder::open(parent)?;
    let name = CString::new(name)?;
    match folder.entries()?.into_iter().find(|entry| entry.name == name) {
        Some(entry) => trash.discard(&folder, &entry),
        None => Ok(()),
    }
}

/// A name that nothing else has had.
pub(crate) fn unused_name() -> String {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{}-{}-{number}", std::process::id(), since_1970.as_nanos())
}
