//! Opening what is in a workspace. Whoever wrote it may want us to be led elsewhere, to hang or to act:
//! no link is followed, and nothing is opened that is no folder and no regular file.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, openat};
use rustix::io::Errno;

/// Opens the folder `path` of `root`, step by step.
pub(super) fn folder(root: &OwnedFd, path: &str) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    let mut open = openat(root, ".", flags, Mode::empty())?;
    for part in path.split('/').filter(|part| !part.is_empty()) {
        open = openat(&open, part, flags, Mode::empty())?;
    }
    Ok(open)
}

/// Opens the regular file `path` of `root`.
pub(super) fn file(root: &OwnedFd, path: &str) -> io::Result<(File, Stat)> {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    let parent = folder(root, parent)?;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let found = openat(&parent, name, flags, Mode::empty())?;
    let stat = fstat(&found)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {}
        FileType::Symlink => return Err(Errno::LOOP.into()),
        _ => return Err(io::Error::other("it is no regular file")),
    }
    // The very file that was looked at, whatever its name stands for by now.
    let path = format!("/proc/self/fd/{}", found.as_fd().as_raw_fd());
    Ok((File::open(path)?, stat))
}
