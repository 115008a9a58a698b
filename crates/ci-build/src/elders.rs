//! What the actors of one repository share: the handles of their elders, and what never changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ci_domain::ids::RepoName;
use ci_domain::may_run::Isolation;
use ci_domain::report::Voice;
use ci_domain::subject::Subject;
use ci_exec::Launcher;
use ci_git::Workspaces;
use ci_github::Forge;
use heights::{Fault, TaskSupervisorRef};

use crate::ledger::LedgerHandle;
use crate::mirror::MirrorHandle;
use crate::queues::Queues;
use crate::reporter::ReporterHandle;
use crate::runs::Runs;

/// Everything that started earlier and outlives its callers.
#[derive(Clone)]
pub(crate) struct Elders {
    pub(crate) repo: RepoName,
    /// A short name of the repository that is fit for part of an attempt's id.
    pub(crate) slug: String,
    pub(crate) voice: Voice,
    pub(crate) settings: Arc<RunnerSettings>,
    pub(crate) forge: Arc<dyn Forge>,
    pub(crate) ledger: LedgerHandle,
    pub(crate) reporter: ReporterHandle,
    pub(crate) queues: Queues,
    pub(crate) errands: TaskSupervisorRef,
    pub(crate) mirror: MirrorHandle,
    pub(crate) runs: Runs,
    pub(crate) workspaces: JobWorkspaces,
    pub(crate) launcher: Launcher,
}

/// How runners are told to work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunnerSettings {
    /// What keeps jobs from the rest of the machine.
    pub isolation: Isolation,
    /// Why it is not more, for people who wait for that.
    pub isolation_trouble: String,
    /// Where commands look for programs.
    pub path: String,
    /// How long a job may take that does not say.
    pub job_timeout: Duration,
    /// How long a job may take at most.
    pub max_job_timeout: Duration,
    /// How long commands that are told to end may take before they are killed.
    pub grace: Duration,
    /// How long a runner goes on while no node follows it.
    pub orphan_limit: Duration,
    /// How many bytes of each command's log are kept.
    pub log_limit: u64,
    /// Free bytes below which no new job starts.
    pub min_free: u64,
}

/// The workspaces of a repository's pull requests and branches.
#[derive(Clone, Debug)]
pub(crate) struct JobWorkspaces {
    workspaces: Workspaces,
    folder: PathBuf,
}

/// Where the jobs of a pull request or branch work.
pub(crate) struct Place {
    pub(crate) source: PathBuf,
    pub(crate) home: PathBuf,
    pub(crate) cache: PathBuf,
    pub(crate) temporary: PathBuf,
}

impl JobWorkspaces {
    pub(crate) fn new(workspaces: Workspaces, folder: PathBuf) -> Self {
        Self { workspaces, folder }
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

    /// Makes the workspace of `subject` hold `merge` exactly.
    ///
    /// # Errors
    /// The merge cannot be read, or the file system does not let us.
    pub(crate) async fn update(
        &self,
        subject: &Subject,
        mirror: &MirrorHandle,
        merge: &ci_domain::ids::CommitSha,
    ) -> Result<(), Fault> {
        let git = mirror.git()?;
        let tree = git.tree(merge).await?;
        let workspace = self.workspaces.workspace(subject);
        workspace.update(&git, &tree).await?;
        tokio::fs::create_dir_all(self.place_of(subject).temporary).await?;
        Ok(())
    }

    /// Removes the workspace of `subject`.
    ///
    /// # Errors
    /// The file system does not let us.
    pub(crate) async fn remove(&self, subject: &Subject) -> Result<(), Fault> {
        Ok(self.workspaces.workspace(subject).remove().await?)
    }
}
