//! What the actors of one repository share: the handles of their elders, and what never changes. There is
//! one for all of them: each pull request keeps it in four places.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ci_domain::ids::{BranchName, RepoName};
use ci_domain::may_run::Isolation;
use ci_domain::report::Voice;
use ci_domain::secret::Secret;
use ci_exec::{Bounds, Container, KeepLimits, Launcher, Namespaces};
use ci_github::Forge;
use heights::TaskSupervisorRef;
use tokio::sync::watch;

use crate::ledger::LedgerHandle;
use crate::mirror::MirrorHandle;
use crate::queues::Queues;
use crate::repo::key;
use crate::reporter::ReporterHandle;
use crate::runs::Runs;
use crate::workspaces::JobWorkspaces;

/// Everything that started earlier and outlives its callers.
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
    /// What the node's configuration grants to the repository.
    pub(crate) secrets: Arc<BTreeMap<String, Secret>>,
    /// What no job may see, wherever it lies.
    pub(crate) hidden: watch::Receiver<Vec<PathBuf>>,
}

/// How runners are told to work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunnerSettings {
    /// What keeps jobs from the rest of the machine.
    pub isolation: Isolation,
    /// Why it is not more, for people who wait for that.
    pub isolation_trouble: String,
    /// The sandboxes that the node can make, with nothing yet that belongs to a job.
    pub namespaces: Option<Namespaces>,
    /// The containers that the node can make, with nothing yet that belongs to a job.
    pub container: Option<Container>,
    /// Where it is noted when images that were built here were used.
    pub images: PathBuf,
    /// What jobs may use as a whole, where the machine can bound it.
    pub bounds: Option<Bounds>,
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
    /// How much of the files that commands leave is kept.
    pub keep_limits: KeepLimits,
    /// How many bytes of each command's log are kept.
    pub log_limit: u64,
    /// Free bytes below which no new job starts.
    pub min_free: u64,
}

impl Elders {
    /// The start of the ids of a branch's attempts.
    pub(crate) fn branch_prefix(&self, name: &BranchName) -> String {
        format!("{}-t{}", self.slug, key(name))
    }
}
