//! From a configuration to the parts of a node: what is opened before the tree starts, so that what is
//! wrong with it is said on the command line.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use ci_build::{
    Keep, LedgerHandle, NodeArgs, NodeHandle, QueueLimits, Queues, RepoArgs, RunnerSettings, Runs,
};
use ci_config::node::{Github, GithubAuth, NodeConfig, Origin, Repo, Runner};
use ci_config::queue::Queue;
use ci_domain::ids::RepoName;
use ci_domain::report::Voice;
use ci_exec::{Bounds, Launcher};
use ci_git::{Credential, Git, MirrorConfig, Workspaces};
use ci_github::{
    AppKey, Credentials, Forge, GitHub, GitHubConfig, LocalForge, LogOnly, TimestampParser,
};
use ci_store::{SledLedger, Stamp};
use heights::SupervisorBuilder;

use crate::isolation::Offer;
use crate::store;

/// The hidden subcommand by which this executable becomes a runner.
pub(crate) const RUNNER: &str = "__runner";

/// How long one git command may take: the first clone of a large repository is the longest.
const GIT_LIMIT: Duration = Duration::from_secs(30 * 60);
/// How long one call of the forge may take.
const FORGE_LIMIT: Duration = Duration::from_secs(30);
/// How often a forge on this machine is looked at, where nothing says so: looking costs nothing.
const LOCAL_POLL: Duration = Duration::from_millis(500);

/// A node that is ready to start.
pub(crate) struct Composed {
    pub(crate) tree: SupervisorBuilder,
    pub(crate) node: NodeHandle,
}

/// The folders of a node's data.
pub(crate) struct Folders(PathBuf);

/// Opens everything that `config` names.
///
/// # Errors
/// Something cannot be opened: the store is held by another node, git is missing, a folder cannot be
/// written.
pub(crate) async fn compose(
    config: &NodeConfig,
    path: String,
    offer: Offer,
    bounds: Option<Bounds>,
) -> Result<Composed> {
    let folders = Folders::of(config);
    let git = Git::discover(None).await?;
    let ledger = store::open(&folders.store())?;
    let runs = Runs::open(&folders.runs())
        .with_context(|| format!("failed to make {}", folders.runs().display()))?;
    let at_work = runs.at_work().context("failed to look at the runs of an earlier node")?;
    let github = config.github.as_ref().map(github).transpose()?;
    let mut repos = Vec::with_capacity(config.repos.len());
    for repo in &config.repos {
        repos.push(repo_args(repo, config, &folders, &git, github.as_ref())?);
    }
    let (tree, node) = ci_build::describe(NodeArgs {
        voice: Voice { node: config.name.clone(), public_url: config.public_url.clone() },
        settings: runner_settings(&config.runner, path, offer, bounds),
        ledger: LedgerHandle::new(ledger),
        exports: Some(SledLedger::exports_dir(&folders.store())),
        stamp,
        now: SystemTime::now,
        queues: Queues::new(&queue_limits(config), at_work),
        runs,
        launcher: Launcher::current_exe([RUNNER]),
        keep: Keep {
            logs: config.retention.logs,
            builds: config.retention.builds,
            workspaces: config.retention.workspaces,
        },
        repos,
    });
    Ok(Composed { tree, node })
}

impl Folders {
    /// The folders below `data_dir`.
    pub(crate) fn of(config: &NodeConfig) -> Self {
        // Sandboxes take full paths only, and git writes some down.
        Self(std::path::absolute(&config.data_dir).unwrap_or_else(|_| config.data_dir.clone()))
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.0.join("runs")
    }

    pub(crate) fn admin_socket(&self) -> PathBuf {
        self.0.join("admin.sock")
    }

    /// All of them.
    pub(crate) fn all(&self) -> PathBuf {
        self.0.clone()
    }

    /// Where isolation is tried out.
    pub(crate) fn trial(&self) -> PathBuf {
        self.0.join("trial")
    }

    fn mirror(&self, repo: &RepoName) -> PathBuf {
        self.0.join("mirrors").join(format!("{repo}.git"))
    }

    fn workspaces(&self, repo: &RepoName) -> PathBuf {
        self.0.join("workspaces").join(repo.as_str())
    }
}

/// The present time as the names of files hold it.
pub(crate) fn stamp() -> Stamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let text = TimestampParser::format(ci_domain::forge::Timestamp(since.as_secs()));
    let text: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    Stamp::new(text).expect("a point in time without its signs is letters and digits")
}

/// The limits of the queues, as the regulators take them.
pub(crate) fn queue_limits(config: &NodeConfig) -> BTreeMap<String, QueueLimits> {
    let limits = |queue: &Queue| QueueLimits {
        concurrency: queue.concurrency.map(NonZeroU32::get),
        rate: queue.rate.map(|rate| (rate.count.get(), rate.per)),
        burst: queue.burst.map(NonZeroU32::get),
    };
    config.queues.iter().map(|(name, queue)| (name.clone(), limits(queue))).collect()
}

fn repo_args(
    repo: &Repo,
    config: &NodeConfig,
    folders: &Folders,
    git: &Git,
    github: Option<&Arc<dyn Forge>>,
) -> Result<RepoArgs> {
    let (forge, url, credential, poll_interval): (Arc<dyn Forge>, _, _, _) = match &repo.origin {
        Origin::Local { path } => {
            let forge = LocalForge::open(path.clone())
                .with_context(|| format!("failed to open the local forge of {}", repo.name))?;
            (Arc::new(forge), path_text(path)?, None, LOCAL_POLL)
        }
        Origin::Github { clone_url } => {
            let settings = config.github.as_ref().context("the configuration has no [github]")?;
            let forge = github.cloned().context("the configuration has no [github]")?;
            (forge, clone_url.clone(), git_credential(settings), settings.poll_interval)
        }
    };
    let folder = folders.workspaces(&repo.name);
    let workspaces = Workspaces::open(git.clone(), &folder, GIT_LIMIT)
        .with_context(|| format!("failed to make the workspaces of {}", repo.name))?;
    let dir = folders.mirror(&repo.name);
    let mirror = MirrorConfig { git: git.clone(), dir, url, credential, timeout: GIT_LIMIT };
    Ok(RepoArgs {
        name: repo.name.clone(),
        forge,
        mirror,
        workspaces,
        workspace_folder: folder,
        poll_interval,
        secrets: repo.secrets.clone(),
    })
}

fn github(settings: &Github) -> Result<Arc<dyn Forge>> {
    let forge: Arc<dyn Forge> = Arc::new(github_client(settings)?);
    Ok(if settings.write { forge } else { Arc::new(LogOnly::new(forge)) })
}

/// The client that `settings` describe; nothing is sent yet.
///
/// # Errors
/// Names the part of the configuration that cannot be used.
pub(crate) fn github_client(settings: &Github) -> Result<GitHub> {
    let credentials = match &settings.auth {
        GithubAuth::Token(token) => Credentials::Token(token.clone()),
        GithubAuth::App { id, private_key } => {
            Credentials::App(AppKey { id: id.to_string(), private_key: private_key.clone() })
        }
    };
    Ok(GitHub::new(GitHubConfig {
        api_url: settings.api_url.clone(),
        graphql_url: settings.graphql_url.clone(),
        credentials,
        timeout: FORGE_LIMIT,
    })?)
}

/// Git takes the same token as the API; an App's tokens are for the API alone so far.
fn git_credential(settings: &Github) -> Option<Credential> {
    match &settings.auth {
        GithubAuth::Token(token) => Some(Credential::token(token.expose())),
        GithubAuth::App { .. } => None,
    }
}

fn runner_settings(
    runner: &Runner,
    path: String,
    offer: Offer,
    bounds: Option<Bounds>,
) -> RunnerSettings {
    RunnerSettings {
        isolation: offer.level,
        isolation_trouble: offer.trouble,
        namespaces: offer.namespaces,
        bounds,
        path,
        job_timeout: runner.job_timeout,
        max_job_timeout: runner.max_job_timeout,
        grace: runner.grace,
        orphan_limit: runner.orphan_limit,
        log_limit: runner.log_limit,
        min_free: runner.min_free,
    }
}

fn path_text(path: &Path) -> Result<String> {
    let text = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
    Ok(text.to_owned())
}
