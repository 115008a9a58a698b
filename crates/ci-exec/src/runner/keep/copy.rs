//! Copies a file of the workspace into the run directory, under the digest of what it holds.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::fdatasync;
use sha2::{Digest as _, Sha256};
use tokio::task::yield_now;

use super::beneath;
use crate::fact::CommandId;
use crate::kept::Digest;

/// How much is copied before others get a turn, in bytes.
const PIECE: usize = 256 << 10;
/// How much is written before the disk has to have it, in bytes: one long wait for all of it would keep
/// the runner from everything else.
const SYNC_EVERY: u64 = 8 << 20;

/// Where files come from and go to.
pub(super) struct Copying<'a> {
    pub(super) workspace: &'a OwnedFd,
    pub(super) folder: &'a Path,
    /// Names what is not complete; commands run beside each other.
    pub(super) part: &'a CommandId,
}

/// A file that is kept.
#[derive(Debug)]
pub(super) struct Copied {
    pub(super) digest: Digest,
    pub(super) bytes: u64,
    /// Whether the run has not kept the same content before.
    pub(super) is_new: bool,
}

/// Why a file is not kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("was not kept: it has {bytes} bytes, and {limit} are allowed for a file")]
    TooLarge { bytes: u64, limit: u64 },
    #[error("was not kept: it has {bytes} bytes, and {left} are left of what the job may keep")]
    NoRoom { bytes: u64, left: u64 },
    #[error("was not kept: {0}")]
    Read(io::Error),
    #[error("was not kept, since it could not be written: {0}")]
    Write(io::Error),
}

impl Copying<'_> {
    /// Copies `path` unless it is larger than `limit`, or than what is `left`.
    pub(super) async fn copy(&self, path: &str, limit: u64, left: u64) -> Result<Copied, Refusal> {
        let (source, stat) = beneath::file(self.workspace, path).map_err(Refusal::Read)?;
        let bytes = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
        check(bytes, limit, left)?;
        let part = self.folder.join(format!(".{}.part", self.part));
        let copied = self.fill(source, &part, (limit, left)).await;
        if copied.is_err() {
            // It is in nobody's way: the next one is written over it, and it goes with the run.
            drop(fs::remove_file(&part));
        }
        copied
    }

    async fn fill(
        &self,
        mut source: File,
        part: &Path,
        (limit, left): (u64, u64),
    ) -> Result<Copied, Refusal> {
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(part).map_err(Refusal::Write)?;
        let (mut hash, mut piece) = (Sha256::new(), vec![0; PIECE]);
        let (mut bytes, mut synced) = (0_u64, 0_u64);
        loop {
            let read = source.read(&mut piece).map_err(Refusal::Read)?;
            bytes += read as u64;
            // Whoever writes it may go on doing so.
            check(bytes, limit, left)?;
            hash.update(&piece[..read]);
            file.write_all(&piece[..read]).map_err(Refusal::Write)?;
            if read == 0 || bytes - synced >= SYNC_EVERY {
                fdatasync(&file).map_err(|error| Refusal::Write(error.into()))?;
                synced = bytes;
            }
            if read == 0 {
                break;
            }
            yield_now().await;
        }
        let digest = Digest::of(&hash.finalize().into());
        let kept = self.folder.join(digest.as_str());
        let is_new = !kept.exists();
        fs::rename(part, kept).map_err(Refusal::Write)?;
        Ok(Copied { digest, bytes, is_new })
    }
}

fn check(bytes: u64, limit: u64, left: u64) -> Result<(), Refusal> {
    if bytes > limit {
        Err(Refusal::TooLarge { bytes, limit })
    } else if bytes > left {
        Err(Refusal::NoRoom { bytes, left })
    } else {
        Ok(())
    }
}
