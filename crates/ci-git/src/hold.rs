//! A lock on a file that outlives the node for as long as the commands that it started.
//!
//! A node that is killed can leave a git command running. The command has the locked file as its
//! standard input, and the kernel keeps the lock until the last copy of that descriptor is closed;
//! so the next life of the node waits for it, and only then removes what a killed command has left.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// The kernel tells nobody when a file lock becomes free without blocking a thread, so it is asked.
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// A lock that is held until the last clone, here or in a child process, is gone.
#[derive(Clone, Debug)]
pub(crate) struct Hold(Arc<File>);

/// How a lock is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    Shared,
    Exclusive,
}

/// Why a lock was not obtained.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// An earlier git command still runs there.
    #[error("wait for {}: another git command has used it for {limit:?}", path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// How long was waited.
        limit: Duration,
    },
    /// The lock file cannot be made.
    #[error("lock {}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
}

impl Hold {
    /// Locks the file at `path`, which is made if absent.
    pub(crate) async fn take(
        path: &Path,
        sharing: Sharing,
        limit: Duration,
    ) -> Result<Self, LockError> {
        let failed = |source| LockError::Io { path: path.to_owned(), source };
        let file =
            File::options().read(true).append(true).create(true).open(path).map_err(failed)?;
        let give_up = Instant::now() + limit;
        loop {
            let attempt = match sharing {
                Sharing::Shared => file.try_lock_shared(),
                Sharing::Exclusive => file.try_lock(),
            };
            match attempt {
                Ok(()) => return Ok(Self(Arc::new(file))),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) if Instant::now() >= give_up => {
                    return Err(LockError::Busy { path: path.to_owned(), limit });
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(ASK_AGAIN).await,
            }
        }
    }

    /// The locked file as a standard input, which is empty.
    pub(crate) fn as_stdin(&self) -> io::Result<Stdio> {
        Ok(Stdio::from(self.0.try_clone()?))
    }
}
