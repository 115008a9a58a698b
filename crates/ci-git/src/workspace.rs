//! The folder that the jobs of one pull request or branch share, kept from build to build.
//!
//! ```text
//! <root>/<subject>/
//! ├── src/      the files of the merge, and what jobs make; with a .git of its own for the jobs
//! ├── home/     the jobs' home
//! ├── cache/    the jobs' cache
//! └── meta/     the node's: index, what is checked out, for whom; no job may write here
//! ```
//!
//! The node's git works with the mirror's git directory, the index in `meta/` and the files in `src/`.
//! It never reads a `.git`, a configuration or an attribute file that a job can write: what lies at
//! `src/.git` and in the `.git` of any other folder of the tree is deleted unread.
//!
//! Submodules are not fetched: each is an empty folder. Nor are Git LFS files: each is its pointer.

mod borrow;
mod copy;
mod index;
mod presence;
mod seed;
mod size;
mod sweep;
mod update;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ci_domain::ids::CommitSha;
use ci_domain::subject::Subject;

use crate::command::CommandError;
use crate::git::Git;
use crate::hold::{Hold, Sharing};
use crate::trash::{self, Trash};

pub use self::presence::Presence;
pub(crate) use self::presence::forget_locks;
pub use self::update::Updated;

/// A workspace, whether it exists or not; clones are the same workspace.
#[derive(Clone, Debug)]
pub struct Workspace {
    subject: Subject,
    dir: PathBuf,
    shared: Shared,
}

/// What all workspaces below one root have in common.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    /// The git to use.
    pub(crate) git: Git,
    /// Removed workspaces wait here until they are deleted.
    pub(crate) trash: PathBuf,
    /// Copies are made here and then moved to their place.
    pub(crate) seeds: PathBuf,
    /// Who is at which workspace is said by locks on files here.
    pub(crate) locks: PathBuf,
    /// How long one measurement may take, or wait for a git that an earlier life has left running.
    pub(crate) limit: Duration,
}

/// Why something could not be done to a workspace. After a failed update nothing may run there; it can
/// be updated again, or removed and made anew.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The file system does not let us.
    #[error("use the workspace file {}", path.display())]
    Io {
        /// The file or folder, or the one it lies in.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// Git, or a program that copies or measures, failed.
    #[error(transparent)]
    Command(#[from] CommandError),
}

/// What a workspace was last updated to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastUpdate {
    /// The commit whose files it has.
    pub commit: CommitSha,
    /// When that was.
    pub at: SystemTime,
}

impl Workspace {
    pub(crate) fn new(subject: Subject, dir: PathBuf, shared: Shared) -> Self {
        Self { subject, dir, shared }
    }

    /// The file that tells whose workspace is at `dir`.
    pub(crate) fn subject_file(dir: &Path) -> PathBuf {
        dir.join("meta/subject")
    }

    /// Whose workspace this is.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The whole workspace.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The files of the merge, where commands run.
    #[must_use]
    pub fn src(&self) -> PathBuf {
        self.dir.join("src")
    }

    /// The jobs' home.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.dir.join("home")
    }

    /// The jobs' cache.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.dir.join("cache")
    }

    /// Whether it has been made; it may still have no files.
    #[must_use]
    pub fn exists(&self) -> bool {
        Self::subject_file(&self.dir).exists()
    }

    /// What it was last updated to; nothing if it never was, or if the last update did not succeed.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn last_update(&self) -> Result<Option<LastUpdate>, WorkspaceError> {
        let path = self.meta("commit");
        let read =
            fs::read_to_string(&path).and_then(|text| Ok((text, fs::metadata(&path)?.modified()?)));
        match read {
            Ok((text, at)) => Ok(CommitSha::new(text).ok().map(|commit| LastUpdate { commit, at })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path)(error)),
        }
    }

    /// Deletes the workspace and everything in it; one that does not exist is fine.
    ///
    /// # Errors
    /// Something cannot be deleted, such as a file of another user. It is in the trash then, and no
    /// longer in the workspace's place.
    pub async fn remove(&self) -> Result<(), WorkspaceError> {
        if !self.dir.exists() {
            return Ok(());
        }
        let alone = self.hold(Sharing::Exclusive).await?;
        let (dir, trash) = (self.dir.clone(), self.shared.trash.clone());
        let removed = blocking(move || {
            let _alone = alone;
            let trash = Trash::open(&trash)?;
            discard(&trash, &dir)?;
            trash.empty()
        });
        removed.await.map_err(at(&self.dir))
    }

    /// Makes the parts that are missing, and waits for what an earlier life of the node has left
    /// running here.
    async fn hold(&self, sharing: Sharing) -> Result<Hold, WorkspaceError> {
        let meta = self.dir.join("meta");
        fs::create_dir_all(&meta).map_err(at(&meta))?;
        let hold = Hold::take(&self.meta("lock"), sharing, self.shared.limit).await;
        Ok(hold.map_err(CommandError::from)?)
    }

    fn meta(&self, name: &str) -> PathBuf {
        self.dir.join("meta").join(name)
    }
}

/// Discards the folder or file at `path`.
pub(crate) fn discard(trash: &Trash, path: &Path) -> io::Result<()> {
    match (path.parent(), path.file_name().and_then(|name| name.to_str())) {
        (Some(parent), Some(name)) => trash::discard(trash, parent, name),
        _ => Err(io::Error::other("it has no parent")),
    }
}

/// Says where an error of the operating system happened.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> WorkspaceError {
    let path = path.to_owned();
    move |source| WorkspaceError::Io { path, source }
}

/// Runs `work` on a thread that may wait for the disk, to its end even if nobody waits for it: so it
/// takes along the hold that it needs.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
