//! Making a workspace's files those of a commit, while keeping what is ignored and what is unchanged.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ci_domain::ids::CommitSha;

use super::borrow::{self, Borrowed};
use super::sweep::{Strangers, mend, sweep};
use super::{Workspace, WorkspaceError, at, blocking};
use crate::command::Command;
use crate::folder::Folder;
use crate::hold::{Hold, Sharing};
use crate::mirror::Mirror;
use crate::subject;
use crate::trash::Trash;
use crate::tree::Tree;

/// Deleting a million files takes seconds; cleaning for longer is waiting for a pipe that a job has
/// called `.gitignore`.
const CLEANING: Duration = Duration::from_secs(120);

/// What an update found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated {
    /// The commit whose files were there before; none in a new workspace, or after a failed update.
    pub previous: Option<CommitSha>,
    /// Whether a job had left something that git could not cope with, so that the workspace was
    /// repaired: nothing is wrong with it now, but all tracked files were written again.
    pub repaired: bool,
}

impl Workspace {
    /// Makes the files in `src` those of `tree`: tracked files are exact, untracked ones are removed,
    /// ignored ones stay, and a file that is already right is not touched. Pipes, sockets and
    /// repositories in the folders of the tree go as well. Then lays a new `.git` for the jobs.
    ///
    /// No job may run there meanwhile.
    ///
    /// # Errors
    /// The disk is full, something cannot be deleted, or git failed twice: as it was, and after a
    /// repair.
    pub async fn update(&self, mirror: &Mirror, tree: &Tree) -> Result<Updated, WorkspaceError> {
        let hold = self.hold(Sharing::Exclusive).await?;
        let previous = self.last_update()?.map(|last| last.commit);
        let repaired = match self.check_out(mirror, tree, &hold).await {
            Ok(()) => false,
            Err(WorkspaceError::Command(error)) => {
                tracing::warn!(subject = %self.subject, %error, "repairs the workspace");
                self.on_disk(&hold, mend_all).await?;
                self.check_out(mirror, tree, &hold).await?;
                true
            }
            Err(error) => return Err(error),
        };
        let borrowed = Borrowed {
            objects: mirror.dir().join("objects"),
            tags: mirror.tags(),
            index: self.meta("index"),
        };
        let commit = tree.commit().clone();
        self.on_disk(&hold, move |places| places.finish(&commit, &borrowed)).await?;
        Ok(Updated { previous, repaired })
    }

    async fn check_out(
        &self,
        mirror: &Mirror,
        tree: &Tree,
        hold: &Hold,
    ) -> Result<(), WorkspaceError> {
        let wanted = tree.clone();
        let strangers = self.on_disk(hold, move |places| places.prepare(&wanted)).await?;
        let commit = tree.commit().as_str();
        let read = self.git(mirror, "read-tree").args(["--reset", "-u", "--no-recurse-submodules"]);
        read.arg(commit).holding(hold).run().await?;
        if strangers == Strangers::Some {
            let clean = self.git(mirror, "clean").args(["-f", "-f", "-d", "-q"]);
            clean.at_most(CLEANING).holding(hold).run().await?;
        }
        Ok(())
    }

    /// Git with the mirror's git directory, our index and the jobs' files.
    fn git(&self, mirror: &Mirror, verb: &str) -> Command {
        mirror
            .command(verb)
            // The version whose entries a copy can be made of.
            .config("index.version=2")
            .env("GIT_WORK_TREE", self.src())
            .env("GIT_INDEX_FILE", self.meta("index"))
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        hold: &Hold,
        work: impl FnOnce(&Places) -> io::Result<T> + Send + 'static,
    ) -> Result<T, WorkspaceError> {
        let (places, hold) = (Places::of(self), hold.clone());
        let work = blocking(move || {
            let _hold = hold;
            work(&places)
        });
        work.await.map_err(at(&self.dir))
    }
}

/// Where the parts of a workspace are.
struct Places {
    dirs: [PathBuf; 3],
    src: PathBuf,
    index: PathBuf,
    trash: PathBuf,
    commit: PathBuf,
    subject: (PathBuf, String),
}

impl Places {
    fn of(workspace: &Workspace) -> Self {
        Self {
            dirs: [workspace.src(), workspace.home(), workspace.cache()],
            src: workspace.src(),
            index: workspace.meta("index"),
            trash: workspace.meta("trash"),
            commit: workspace.meta("commit"),
            subject: (
                Workspace::subject_file(&workspace.dir),
                subject::to_line(&workspace.subject),
            ),
        }
    }

    /// Gets everything ready for git, and says whether there are files that the tree does not have.
    fn prepare(&self, tree: &Tree) -> io::Result<Strangers> {
        if !self.subject.0.exists() {
            fs::write(&self.subject.0, &self.subject.1)?;
        }
        // Until the update has succeeded, nobody knows what is in there.
        remove_if_there(&self.commit)?;
        remove_if_there(&self.index.with_extension("lock"))?;
        let trash = Trash::open(&self.trash)?;
        self.dirs.iter().try_for_each(|dir| real_folder(&trash, dir))?;
        let strangers = sweep(&Folder::open(&self.src)?, tree, &trash)?;
        trash.empty()?;
        Ok(strangers)
    }

    fn finish(&self, commit: &CommitSha, borrowed: &Borrowed) -> io::Result<()> {
        borrow::lay(&self.src, commit, borrowed)?;
        fs::write(&self.commit, commit.as_str())
    }
}

/// Forgets what the index says, since it may be what is broken, and repairs the files.
fn mend_all(places: &Places) -> io::Result<()> {
    remove_if_there(&places.index)?;
    let trash = Trash::open(&places.trash)?;
    mend(&Folder::open(&places.src)?, &trash)?;
    trash.empty()
}

/// Makes sure that `dir` is a folder: not a link to one, and not missing.
fn real_folder(trash: &Trash, dir: &Path) -> io::Result<()> {
    match fs::symlink_metadata(dir) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => super::discard(trash, dir)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    fs::create_dir(dir)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
