//! The folder that has one workspace for each pull request and branch.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ci_domain::subject::Subject;

use crate::git::Git;
use crate::subject;
use crate::trash::Trash;
use crate::workspace::{Shared, Workspace, WorkspaceError, at, blocking, discard, forget_locks};

/// Removed workspaces wait here until they are deleted; no subject has this name.
const TRASH: &str = ".trash";
/// Copies are made here; nor has any subject this name.
const SEEDS: &str = ".seeds";
/// Who is at which workspace is said here; nor this one.
const LOCKS: &str = ".locks";

/// The workspaces of one repository.
#[derive(Clone, Debug)]
pub struct Workspaces {
    root: PathBuf,
    shared: Shared,
}

impl Workspaces {
    /// Opens the folder at `root`, making it if it is absent; once in the life of a node, since it
    /// discards the copies that an earlier life had begun. `limit` is how long one
    /// measurement may take.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(git: Git, root: &Path, limit: Duration) -> Result<Self, WorkspaceError> {
        let root = std::path::absolute(root).map_err(at(root))?;
        let shared = Shared {
            git,
            trash: root.join(TRASH),
            seeds: root.join(SEEDS),
            locks: root.join(LOCKS),
            limit,
        };
        prepare(&shared).map_err(at(&root))?;
        Ok(Self { root, shared })
    }

    /// The workspace of `subject`, which need not exist yet.
    #[must_use]
    pub fn workspace(&self, subject: &Subject) -> Workspace {
        let dir = self.root.join(subject::slug(subject));
        Workspace::new(subject.clone(), dir, self.shared.clone())
    }

    /// All workspaces that exist. Folders that are none are skipped, with a warning.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub async fn list(&self) -> Result<Vec<Workspace>, WorkspaceError> {
        let root = self.root.clone();
        let subjects = blocking(move || subjects(&root)).await.map_err(at(&self.root))?;
        Ok(subjects.iter().map(|subject| self.workspace(subject)).collect())
    }

    /// Deletes what earlier removals have left, because the node was killed or a file could not be
    /// deleted; and the locks of workspaces that are gone.
    ///
    /// # Errors
    /// Something still cannot be deleted; the rest is gone.
    pub async fn empty_trash(&self) -> Result<(), WorkspaceError> {
        let (root, shared) = (self.root.clone(), self.shared.clone());
        let emptied = blocking(move || {
            forget_locks(&shared.locks, &root)?;
            Trash::open(&shared.trash)?.empty()
        });
        emptied.await.map_err(at(&self.shared.trash))
    }
}

fn prepare(shared: &Shared) -> io::Result<()> {
    fs::create_dir_all(&shared.locks)?;
    fs::create_dir_all(&shared.seeds)?;
    discard(&Trash::open(&shared.trash)?, &shared.seeds)?;
    fs::create_dir(&shared.seeds)
}

fn subjects(root: &Path) -> io::Result<Vec<Subject>> {
    let mut subjects = Vec::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if [TRASH, SEEDS, LOCKS].iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let line = fs::read_to_string(Workspace::subject_file(&entry.path()));
        match line.as_deref().map(subject::parse) {
            Ok(Some(subject)) => subjects.push(subject),
            found => tracing::warn!(path = ?entry.path(), ?found, "this is no workspace"),
        }
    }
    subjects.sort();
    Ok(subjects)
}
