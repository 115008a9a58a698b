//! How much room is left where workspaces are.

use std::io;
use std::path::Path;

use ci_domain::may_run::Disk;
use tracing::warn;

use crate::elders::Elders;

/// File systems that count inodes run out of them by small files, long before they run out of bytes.
/// Below this part of them, one in so many, no job starts.
const INODES: u64 = 50;

/// What a file system has left for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Bytes that we may still write.
    pub(crate) bytes: u64,
    /// Inodes that are free.
    pub(crate) free_inodes: u64,
    /// All inodes; zero where they are not counted.
    pub(crate) inodes: u64,
}

impl Room {
    /// The room where `folder` is.
    ///
    /// # Errors
    /// The file system does not tell.
    pub(crate) fn at(folder: &Path) -> io::Result<Self> {
        let disk = rustix::fs::statvfs(folder)?;
        let bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
        Ok(Self { bytes, free_inodes: disk.f_favail, inodes: disk.f_files })
    }

    /// Whether jobs may start, where `reserve` bytes are to stay free.
    fn judge(self, reserve: u64) -> Disk {
        match self.bytes < reserve || self.free_inodes < self.inodes / INODES {
            true => Disk::Low,
            false => Disk::Ok,
        }
    }
}

impl Elders {
    /// Whether there is room for jobs now.
    pub(crate) fn disk(&self) -> Disk {
        match Room::at(self.workspaces.folder()) {
            Ok(room) => room.judge(self.settings.min_free),
            // What cannot be measured is found out when it is written to.
            Err(error) => {
                warn!(repo = %self.repo, %error, "failed to measure the free space");
                Disk::Ok
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_inodes_have_a_reserve() {
        let check = |bytes, free_inodes, inodes, expected| {
            assert_eq!(Room { bytes, free_inodes, inodes }.judge(100), expected);
        };
        check(100, 500, 1000, Disk::Ok);
        check(99, 500, 1000, Disk::Low);
        check(100, 20, 1000, Disk::Ok);
        check(100, 19, 1000, Disk::Low);
        // Not counted, as on btrfs.
        check(100, 0, 0, Disk::Ok);
    }
}
