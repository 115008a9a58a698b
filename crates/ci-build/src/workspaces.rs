//! Where jobs work, and how a new pull request gets a warm start.
//!
//! What flows is one-way: only builds of a branch write the branch's workspace, and a pull request
//! starts from a copy of it that is its own. A job is present in its workspace while it is at work, and
//! so is whoever works there by hand; nothing is updated, copied or removed while anybody is present. A
//! pull request does not wait for the base branch's jobs: it starts cold. It does wait for other copies,
//! so that they do not fight for the disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ci_domain::build::BuildSpec;
use ci_domain::ids::BranchName;
use ci_domain::subject::Subject;
use ci_git::{Presence, Workspace, Workspaces};
use heights::Fault;
use tracing::{info, warn};

use crate::elders::Elders;
use crate::origin::Origin;

/// The workspaces of a repository's pull requests and branches.
#[derive(Clone, Debug)]
pub(crate) struct JobWorkspaces {
    workspaces: Workspaces,
    folder: PathBuf,
    turns: Arc<Mutex<BTreeMap<BranchName, Turn>>>,
    preparations: Arc<Mutex<BTreeMap<Subject, u64>>>,
}

/// The turn to copy a branch's workspace.
type Turn = Arc<tokio::sync::Mutex<()>>;

/// Where the jobs of a pull request or branch work.
pub(crate) struct Place {
    pub(crate) source: PathBuf,
    pub(crate) home: PathBuf,
    pub(crate) cache: PathBuf,
    pub(crate) temporary: PathBuf,
    /// What images are built from; jobs do not see it.
    pub(crate) images: PathBuf,
}

impl JobWorkspaces {
    pub(crate) fn new(workspaces: Workspaces, folder: PathBuf) -> Self {
        Self { workspaces, folder, turns: Arc::default(), preparations: Arc::default() }
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
        let workspace = self.of(subject);
        Place {
            source: workspace.src(),
            home: workspace.home(),
            cache: workspace.cache(),
            temporary: workspace.dir().join("tmp"),
            images: workspace.dir().join("images"),
        }
    }

    /// The workspace of `subject`.
    pub(crate) fn of(&self, subject: &Subject) -> Workspace {
        self.workspaces.workspace(subject)
    }

    /// Has a job be present in the workspace of `subject`, as soon as nobody has it alone.
    ///
    /// # Errors
    /// The file system does not let us.
    pub(crate) async fn enter(&self, subject: &Subject) -> Result<Presence, Fault> {
        Ok(self.of(subject).enter().await?)
    }

    /// Removes the workspace of `subject`, once nobody is there.
    ///
    /// # Errors
    /// The file system does not let us.
    pub(crate) async fn remove(&self, subject: &Subject) -> Result<(), Fault> {
        let workspace = self.of(subject);
        let _alone = workspace.have_alone().await?;
        Ok(workspace.remove().await?)
    }

    fn turn(&self, branch: &BranchName) -> Turn {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(branch.clone()).or_default().clone()
    }

    /// Counts the preparations of a workspace.
    fn number(&self, subject: &Subject) -> u64 {
        let mut preparations = self.preparations.lock().unwrap_or_else(PoisonError::into_inner);
        let number = preparations.entry(subject.clone()).or_default();
        *number += 1;
        *number
    }

    fn is_newest(&self, subject: &Subject, number: u64) -> bool {
        let preparations = self.preparations.lock().unwrap_or_else(PoisonError::into_inner);
        preparations.get(subject) == Some(&number)
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
        let number = self.workspaces.number(&origin.subject);
        let workspace = self.workspaces.of(&origin.subject);
        let _alone = workspace.have_alone().await?;
        // The build may have been restarted meanwhile, and asked again; its jobs may be under way.
        if !self.workspaces.is_newest(&origin.subject, number) {
            return Err("it is being prepared anew".into());
        }
        if spec.reseed {
            workspace.remove().await?;
        }
        if let Some(base) = &origin.base
            && origin.subject != Subject::Branch(base.clone())
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
        let source = self.workspaces.of(&Subject::Branch(base.clone()));
        let turn = self.workspaces.turn(base);
        let _turn = turn.lock().await;
        let Some(_alone) = source.try_have_alone()? else { return Ok(false) };
        let (runs, prefix) = (self.runs.clone(), format!("{}-", self.branch_prefix(base)));
        // A runner of an earlier life of the node may be at work before its job is there to say so.
        let is_busy = tokio::task::spawn_blocking(move || runs.is_at_work(&prefix)).await??;
        if is_busy || source.last_update()?.is_none() {
            return Ok(false);
        }
        self.workspaces.of(subject).seed_from(&source).await?;
        Ok(true)
    }
}
