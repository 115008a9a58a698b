//! From a configuration to the parts of a node: what is opened before the tree starts, so that what is
//! wrong with it is said on the command line.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use ci_build::{
    Keep, LedgerHandle, NodeArgs, NodeHandle, QueueLimits, Queues, RunnerSettings, Runs,
};
use ci_config::node::{Github, GithubAuth, NodeConfig};
use ci_config::queue::Queue;
use ci_domain::ids::RepoName;
use ci_domain::report::Voice;
use ci_exec::{Bounds, KeepLimits, Launcher};
use ci_git::Git;
use ci_github::{AppKey, Credentials, GitHub, GitHubConfig, TimestampParser};
use ci_store::{SledLedger, Stamp};
use heights::SupervisorBuilder;

use crate::isolation::Offer;
use crate::opener::Opener;
use crate::store;

/// The hidden subcommand by which this executable becomes a runner.
pub(crate) const RUNNER: &str = "__runner";

/// How long one call of the forge may take.
const FORGE_LIMIT: Duration = Duration::from_secs(30);

/// A node that is ready to start.
pub(crate) struct Composed {
    pub(crate) tree: SupervisorBuilder,
    pub(crate) node: NodeHandle,
    /// What opens further repositories.
    pub(crate) opener: Opener,
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
    let opener = Opener::new(config, git)?;
    let repos = config.repos.iter().map(|repo| opener.repo_args(repo, config));
    let repos = repos.collect::<Result<Vec<_>>>()?;
    let (tree, node) = ci_build::describe(NodeArgs {
        voice: Voice { node: config.name.clone(), public_url: config.public_url.clone() },
        settings: runner_settings(config, path, offer, bounds),
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
            artifacts: config.artifacts.total,
        },
        repos,
    });
    Ok(Composed { tree, node, opener })
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

    pub(crate) fn images(&self) -> PathBuf {
        self.0.join("images")
    }

    /// All of them.
    pub(crate) fn all(&self) -> PathBuf {
        self.0.clone()
    }

    /// Where isolation is tried out.
    pub(crate) fn trial(&self) -> PathBuf {
        self.0.join("trial")
    }

    pub(crate) fn mirror(&self, repo: &RepoName) -> PathBuf {
        self.0.join("mirrors").join(format!("{repo}.git"))
    }

    pub(crate) fn workspaces(&self, repo: &RepoName) -> PathBuf {
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

/// The client that `settings` describe; nothing is sent yet.
///
/// # Errors
/// Names the part of the configuration that cannot be used.
pub(crate) fn github_client(settings: &Github) -> Result<GitHub> {
    Ok(GitHub::new(GitHubConfig {
        api_url: settings.api_url.clone(),
        graphql_url: settings.graphql_url.clone(),
        credentials: credentials(settings),
        timeout: FORGE_LIMIT,
    })?)
}

/// What the node shows GitHub.
pub(crate) fn credentials(settings: &Github) -> Credentials {
    match &settings.auth {
        GithubAuth::Token(token) => Credentials::Token(token.clone()),
        GithubAuth::App { id, private_key } => {
            Credentials::App(AppKey { id: id.to_string(), private_key: private_key.clone() })
        }
    }
}

fn runner_settings(
    config: &NodeConfig,
    path: String,
    offer: Offer,
    bounds: Option<Bounds>,
) -> RunnerSettings {
    let runner = &config.runner;
    RunnerSettings {
        isolation: offer.level,
        isolation_trouble: offer.trouble,
        namespaces: offer.namespaces,
        container: offer.container,
        images: Folders::of(config).images(),
        bounds,
        path,
        job_timeout: runner.job_timeout,
        max_job_timeout: runner.max_job_timeout,
        grace: runner.grace,
        orphan_limit: runner.orphan_limit,
        keep_limits: KeepLimits {
            file_bytes: config.artifacts.file,
            job_bytes: config.artifacts.job,
            files: config.artifacts.files,
        },
        log_limit: runner.log_limit,
        min_free: runner.min_free,
    }
}
