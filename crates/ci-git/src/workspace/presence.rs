//! Who is at a workspace: jobs along with each other, or one who changes it, copies it or works there by
//! hand.
//!
//! It is a lock on a file beside the workspaces, so it is there before a workspace and when that is
//! replaced. The kernel keeps it for as long as anybody has the file open, so a shell that outlives the
//! node is still there for the node's next life. The time of the file is when somebody came last.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Workspace, WorkspaceError, at};
use crate::hold::Sharing;

/// The kernel tells nobody when a file lock becomes free without blocking a thread, so it is asked. Jobs
/// wait this long at most after a copy, and builds after a shell.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// Somebody is at a workspace until this is dropped, here and in every process that has inherited it.
#[derive(Debug)]
pub struct Presence(File);

impl Presence {
    /// Locks the file at `path`, which is made if absent; `None` where others are in the way.
    ///
    /// # Errors
    /// The file system does not let us.
    pub fn take_alone(path: &Path) -> io::Result<Option<Self>> {
        take(path, Sharing::Exclusive)
    }

    /// The locked file. A process that is given it stays at the workspace until it ends.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.0
    }
}

impl Workspace {
    /// Comes to work here, along with others; waits while somebody has the workspace alone.
    ///
    /// # Errors
    /// The file system does not let us.
    pub async fn enter(&self) -> Result<Presence, WorkspaceError> {
        self.come(Sharing::Shared).await
    }

    /// Waits until nobody else is here.
    ///
    /// # Errors
    /// The file system does not let us.
    pub async fn have_alone(&self) -> Result<Presence, WorkspaceError> {
        self.come(Sharing::Exclusive).await
    }

    /// Has the workspace alone, unless somebody is here.
    ///
    /// # Errors
    /// The file system does not let us.
    pub fn try_have_alone(&self) -> Result<Option<Presence>, WorkspaceError> {
        Presence::take_alone(&self.lock_file()).map_err(at(&self.lock_file()))
    }

    /// When somebody last came; `None` if nobody ever did.
    #[must_use]
    pub fn last_used(&self) -> Option<SystemTime> {
        self.lock_file().metadata().ok()?.modified().ok()
    }

    /// The file that is locked, for a process that works here by itself.
    #[must_use]
    pub fn lock_file(&self) -> PathBuf {
        let name = self.dir.file_name().expect("a workspace is a folder with a name");
        self.shared.locks.join(name)
    }

    async fn come(&self, sharing: Sharing) -> Result<Presence, WorkspaceError> {
        let path = self.lock_file();
        let mut has_waited = false;
        loop {
            if let Some(presence) = take(&path, sharing).map_err(at(&path))? {
                presence.0.set_modified(SystemTime::now()).map_err(at(&path))?;
                return Ok(presence);
            }
            if !has_waited {
                tracing::info!(subject = %self.subject, "waits for those who are at the workspace");
                has_waited = true;
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }
}

/// Deletes the lock files in `locks` that belong to no folder in `root` and that nobody has.
pub(crate) fn forget_locks(locks: &Path, root: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(locks)? {
        let entry = entry?;
        if !root.join(entry.file_name()).exists()
            && let Some(_alone) = Presence::take_alone(&entry.path())?
        {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn take(path: &Path, sharing: Sharing) -> io::Result<Option<Presence>> {
    loop {
        let file = File::options().read(true).append(true).create(true).open(path)?;
        let attempt = match sharing {
            Sharing::Shared => file.try_lock_shared(),
            Sharing::Exclusive => file.try_lock(),
        };
        match attempt {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // It may have been deleted before we had it; then others lock another file of that name.
        let named = std::fs::metadata(path);
        if named.is_ok_and(|named| file.metadata().is_ok_and(|ours| ours.ino() == named.ino())) {
            return Ok(Some(Presence(file)));
        }
    }
}
