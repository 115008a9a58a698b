//! The bytes of one file: shared with the source where the file system can, copied by the kernel where it
//! can, and through our hands where neither is possible.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{SeekFrom, Stat, copy_file_range, ftruncate, ioctl_ficlone, seek};
use rustix::io::{Errno, pread, pwrite};

/// The unit in which the blocks of a file are counted.
const BLOCK: u64 = 512;
/// What passes through our hands at once.
const CHUNK: usize = 64 * 1024;

/// Copies contents, and remembers what the file system cannot do.
#[derive(Default)]
pub(super) struct Contents {
    cannot_share: AtomicBool,
    cannot_copy: AtomicBool,
}

impl Contents {
    /// Gives the empty file `to` the contents of `from`, which is `stat`.
    pub(super) fn copy(
        &self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        stat: &Stat,
    ) -> io::Result<()> {
        let size = stat.st_size.cast_unsigned();
        if size == 0 || self.share(from, to)? {
            return Ok(());
        }
        if stat.st_blocks.cast_unsigned() * BLOCK >= size {
            return self.copy_range(from, to, 0..size);
        }
        self.copy_around_holes(from, to, size)
    }

    /// Has both files use the same blocks until one is written to; answers whether that was possible.
    fn share(&self, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> io::Result<bool> {
        if self.cannot_share.load(Ordering::Relaxed) {
            return Ok(false);
        }
        match ioctl_ficlone(to, from) {
            Ok(()) => Ok(true),
            Err(Errno::OPNOTSUPP | Errno::NOTTY | Errno::NOSYS | Errno::XDEV) => {
                self.cannot_share.store(true, Ordering::Relaxed);
                Ok(false)
            }
            // This file alone, such as one that is never copied on write.
            Err(Errno::INVAL | Errno::PERM | Errno::TXTBSY) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// What was never written stays unwritten.
    fn copy_around_holes(
        &self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        size: u64,
    ) -> io::Result<()> {
        ftruncate(to, size)?;
        let mut at = 0;
        while at < size {
            let start = match seek(from, SeekFrom::Data(at)) {
                Ok(start) => start,
                Err(Errno::NXIO) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            at = seek(from, SeekFrom::Hole(start))?.min(size);
            self.copy_range(from, to, start..at)?;
        }
        Ok(())
    }

    fn copy_range(
        &self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        range: std::ops::Range<u64>,
    ) -> io::Result<()> {
        let (mut read, end) = (range.start, range.end);
        while read < end && !self.cannot_copy.load(Ordering::Relaxed) {
            let mut write = read;
            let length = usize::try_from(end - read).unwrap_or(usize::MAX);
            match copy_file_range(from, Some(&mut read), to, Some(&mut write), length) {
                Ok(0) => break,
                Ok(_) => {}
                Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::XDEV | Errno::INVAL) => {
                    self.cannot_copy.store(true, Ordering::Relaxed);
                }
                Err(error) => return Err(error.into()),
            }
        }
        copy_by_hand(from, to, read..end)
    }
}

fn copy_by_hand(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    range: std::ops::Range<u64>,
) -> io::Result<()> {
    let (mut at, end) = (range.start, range.end);
    if at >= end {
        return Ok(());
    }
    let mut chunk = vec![0; CHUNK];
    while at < end {
        let read = pread(from, chunk.as_mut_slice(), at)?;
        // It was longer when it was looked at; what is there is what there is.
        if read == 0 {
            return Ok(());
        }
        let mut written = 0;
        while written < read {
            written += pwrite(to, &chunk[written..read], at + written as u64)?;
        }
        at += read as u64;
    }
    Ok(())
}
