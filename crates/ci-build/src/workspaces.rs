//! Where jobs work, and how a new pull request gets a warm start.
//!
//! What flows is one-way: only builds of a branch write the branch's workspace, and a pull request
//! starts from a copy of it that is its own. Nothing is copied while a job of the branch runs: a job
//! holds its workspace while it is at work, and a copy is not made while one does. A pull request does
//! not wait for that: it starts cold. It does wait for other copies, so that they do not fight for the
//! disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ci_domain::build::BuildSpec;
use ci_domain::ids::BranchName;
use ci_domain::subject::Subject;
use ci_git::Workspaces;
use heights::Fault;
use tokio::sync::{OwnedRwLockReadGuard, RwLock};
use tracing::{info, warn};

use crate::elders::Elders;
use crate::origin::Origin;

/// The workspaces of a repository's pull requests and branches.
#[derive(Clone, Debug)]
pub(crate) struct JobWorkspaces {
    workspaces: Workspaces,
    folder: PathBuf,
    warm: Arc<Mutex<BTreeMap<BranchName, Arc<Warm>>>>,
}

/// Where the jobs of a pull request or branch work.
pub(crate) struct Place {
    pub(crate) source: PathBuf,
    pub(crate) home: PathBuf,
    pub(crate) cache: PathBuf,
    pub(crate) temporary: PathBuf,
}

/// While a job holds this, the workspace it works in is not copied.
pub(crate) struct AtWork(#[expect(dead_code, reason = "dropping it is its use")] Option<InUse>);

type InUse = OwnedRwLockReadGuard<()>;

/// Who is at the workspace of a branch.
#[derive(Debug, Default)]
struct Warm {
    /// Shared by the branch's jobs; whoever copies has it alone.
    in_use: Arc<RwLock<()>>,
    /// The turn to copy.
    turn: tokio::sync::Mutex<()>,
}

impl JobWorkspaces {
    pub(crate) fn new(workspaces: Workspaces, folder: PathBuf) -> Self {
        Self { workspaces, folder, warm: Arc::default() }
    }

    /// The folder they are all in.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// All workspaces, for the janitor.
    pub(crate) fn all(&self) -> &Workspaces {
        &self.workspaces
    }

    /// Where the jobs of `subject` work.
    pub(crate) fn place_of(&self, subject: &Subject) -> Place {
        let workspace = self.workspaces.workspace(subject);
        Place {
            source: workspace.src(),
            home: workspace.home(),
            cache: workspace.cache(),
            temporary: workspace.dir().join("tmp"),
        }
    }

    /// Says that a job of `subject` is at work, as soon as nobody copies its workspace.
    pub(crate) async fn enter(&self, subject: &Subject) -> AtWork {
        match subject {
            Subject::Pull(_) => AtWork(None),
            Subject::Branch(name) => {
                AtWork(Some(self.warm(name).in_use.clone().read_owned().await))
            }
        }
    }

    /// Removes the workspace of `subject`.
    ///
    /// # Errors
    /// The file system does not let us.
    pub(crate) async fn remove(&self, subject: &Subject) -> Result<(), Fault> {
        Ok(self.workspaces.workspace(subject).remove().await?)
    }

    fn warm(&self, branch: &BranchName) -> Arc<Warm> {
        let mut warm = self.warm.lock().unwrap_or_else(PoisonError::into_inner);
        warm.entry(branch.clone()).or_default().clone()
    }
}

impl Elders {
    /// Makes the workspace of a build hold its merge exactly; one that is new begins as a copy of the
    /// base branch's, where that can be had now.
    ///
    /// # Errors
    /// The merge cannot be read, or the file system does not let us.
    pub(crate) async fn prepare_workspace(
        &self,
        origin: &Origin,
        spec: &BuildSpec,
    ) -> Result<(), Fault> {
        let workspace = self.workspaces.workspaces.workspace(&origin.subject);
        if spec.reseed {
            workspace.remove().await?;
        }
        if let (Subject::Pull(_), Some(base)) = (&origin.subject, &origin.base)
            && !workspace.exists()
        {
            match self.seed(&origin.subject, base).await {
                Ok(true) => info!(repo = %self.repo, to = %origin.subject, from = %base, "seeded"),
                Ok(false) => {}
                // A cold start takes longer and ends the same.
                Err(error) => {
                    warn!(repo = %self.repo, to = %origin.subject, %error, "failed to seed");
                }
            }
        }
        let git = self.mirror.git()?;
        let tree = git.tree(&spec.merge).await?;
        workspace.update(&git, &tree).await?;
        tokio::fs::create_dir_all(self.workspaces.place_of(&origin.subject).temporary).await?;
        Ok(())
    }

    /// Copies the workspace of `base`; answers whether there was one that nobody was at.
    async fn seed(&self, subject: &Subject, base: &BranchName) -> Result<bool, Fault> {
        let all = &self.workspaces.workspaces;
        let source = all.workspace(&Subject::Branch(base.clone()));
        let warm = self.workspaces.warm(base);
        let _turn = warm.turn.lock().await;
        let Ok(_alone) = warm.in_use.try_write() else { return Ok(false) };
        let (runs, prefix) = (self.runs.clone(), format!("{}-", self.branch_prefix(base)));
        // A runner of an earlier life of the node may be at work before its job is there to say so.
        let is_busy = tokio::task::spawn_blocking(move || runs.is_at_work(&prefix)).await??;
        if is_busy || source.last_update()?.is_none() {
            return Ok(false);
        }
        all.workspace(subject).seed_from(&source).await?;
        Ok(true)
    }
}
