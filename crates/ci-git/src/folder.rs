//! Folders that jobs have written to, opened step by step so that no link leads elsewhere.
//!
//! A path is a promise that a job can break: it may have put a symbolic link where a folder was.
//! A [`Folder`] is a descriptor, and everything is done to names within it.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    self, AtFlags, CWD, FileType, Mode, OFlags, RawDir, SeekFrom, fchmod, fstat, openat, statat,
    unlinkat,
};
use rustix::io::Errno;

/// What the owner needs to list and change a folder.
const OWNER: Mode = Mode::RWXU;

/// How folders are opened: never through a link.
const OPEN: OFlags =
    OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::RDONLY);

/// Most folders fit into one reading of this many bytes; a name takes at most 280.
const LISTING_BUFFER: usize = 16 * 1024;

/// A folder that is open.
#[derive(Debug)]
pub(crate) struct Folder(OwnedFd);

/// A name in a folder.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: CString,
    pub(crate) kind: FileType,
}

impl Folder {
    /// Opens `path`, whose last part must not be a link.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Self::open_at(CWD, path)
    }

    /// Opens the folder called `name`, giving its owner access if a job took it away.
    pub(crate) fn enter(&self, name: &CString) -> io::Result<Self> {
        Self::open_at(&self.0, name.as_c_str())
    }

    /// Opens the folder called `name` as it is.
    pub(crate) fn look_into(&self, name: &CString) -> io::Result<Self> {
        Ok(Self(openat(&self.0, name.as_c_str(), OPEN, Mode::empty())?))
    }

    fn open_at(at: impl rustix::fd::AsFd, path: impl rustix::path::Arg + Copy) -> io::Result<Self> {
        let opened = match openat(&at, path, OPEN, Mode::empty()) {
            // Not a link: that would have been refused before its permissions were looked at.
            Err(Errno::ACCESS) => {
                fs::chmodat(&at, path, OWNER, AtFlags::empty())?;
                openat(&at, path, OPEN, Mode::empty())?
            }
            opened => opened?,
        };
        let mode = Mode::from_raw_mode(fstat(&opened)?.st_mode);
        if !mode.contains(OWNER) {
            fchmod(&opened, mode | OWNER)?;
        }
        Ok(Self(opened))
    }

    /// Lists the folder.
    pub(crate) fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        // A folder may be listed again, after its entries have gone.
        fs::seek(&self.0, SeekFrom::Start(0))?;
        let mut buffer = Vec::with_capacity(LISTING_BUFFER);
        let mut listing = RawDir::new(&self.0, buffer.spare_capacity_mut());
        while let Some(entry) = listing.next() {
            let entry = entry?;
            if matches!(entry.file_name().to_bytes(), b"." | b"..") {
                continue;
            }
            let name = entry.file_name().to_owned();
            let kind = match entry.file_type() {
                FileType::Unknown => self.kind(&name)?,
                kind => kind,
            };
            entries.push(Entry { name, kind });
        }
        Ok(entries)
    }

    /// Removes a name that is not a folder; one that is gone is fine.
    pub(crate) fn unlink(&self, name: &CString) -> io::Result<()> {
        gone(unlinkat(&self.0, name.as_c_str(), AtFlags::empty()))
    }

    /// Removes an empty folder; one that is gone is fine.
    pub(crate) fn remove_empty(&self, name: &CString) -> io::Result<()> {
        gone(unlinkat(&self.0, name.as_c_str(), AtFlags::REMOVEDIR))
    }

    /// Moves `name` to `folder`, where it is called `new_name`.
    pub(crate) fn move_to(&self, name: &CString, folder: &Self, new_name: &str) -> io::Result<()> {
        gone(fs::renameat(&self.0, name.as_c_str(), &folder.0, new_name))
    }

    fn kind(&self, name: &CString) -> io::Result<FileType> {
        let stat = statat(&self.0, name.as_c_str(), AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(FileType::from_raw_mode(stat.st_mode))
    }
}

impl Entry {
    /// Whether this is a pipe, a socket or a device. None of them is worth keeping once its process
    /// is gone, and git waits for ever when it is made to read a pipe.
    pub(crate) fn is_special(&self) -> bool {
        !matches!(self.kind, FileType::RegularFile | FileType::Directory | FileType::Symlink)
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn gone(result: Result<(), Errno>) -> io::Result<()> {
    match result {
        Err(Errno::NOENT) => Ok(()),
        result => Ok(result?),
    }
}
