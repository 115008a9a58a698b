//! `ci-node.toml`: what the node's operator decides, trusted.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ci_domain::ids::{Login, RepoName};

use crate::diagnostic::{Diagnostic, Problems};
use crate::quantity::Rate;
use crate::queue::Queue;
use crate::read_node;
use crate::source::Source;
use crate::toml_document;
use ci_domain::secret::Secret;

/// The whole configuration, complete with its defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    /// The node's name, `[a-z0-9-]+`, part of every status. Default `ci-node`.
    pub name: String,
    /// Where everything is kept. Default `/var/lib/ci-node`.
    pub data_dir: PathBuf,
    /// Where people reach the pages, without a `/` at the end. Default `http://` and `http.listen`.
    pub public_url: String,
    /// The HTTP side.
    pub http: Http,
    /// The forge; may be absent where every repository is local.
    pub github: Option<Github>,
    /// The repositories, each name once.
    pub repos: Vec<Repo>,
    /// Load regulation by name, the defaults included.
    pub queues: BTreeMap<String, Queue>,
    /// How jobs run.
    pub runner: Runner,
    /// What is kept of the files that jobs leave.
    pub artifacts: Artifacts,
    /// Looking inside.
    pub vitals: Vitals,
    /// How long things are kept.
    pub retention: Retention,
}

/// `[http]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Default `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// Default `token`.
    pub read: ReadAccess,
    /// Whose word counts on where a request comes from. Default none.
    pub proxies: Vec<IpAddr>,
    /// How often one token or person may ask. Default 6000 a minute.
    pub requests: Rate,
    /// How often one address may show what is no token. Default 20 a minute.
    pub failed_logins: Rate,
}

/// Who may read the pages and the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadAccess {
    /// Who has a token.
    Token,
    /// Everyone.
    Public,
}

/// `[github]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Github {
    /// Default `https://api.github.com`.
    pub api_url: String,
    /// Default `https://api.github.com/graphql`.
    pub graphql_url: String,
    /// Where people go, as follows from `api_url`.
    pub web_url: String,
    /// What deliveries are signed with; without it none is accepted and polling does all.
    pub webhook_secret: Option<Secret>,
    /// How the node shows who it is.
    pub auth: GithubAuth,
    /// How people sign in; without it they need tokens.
    pub sign_in: Option<SignIn>,
    /// Default 30 s.
    pub poll_interval: Duration,
    /// Whether writes are sent, or only logged. Default true.
    pub write: bool,
}

/// `[github.sign_in]`: the application, or the App, that people agree to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// What GitHub calls it.
    pub client_id: String,
    /// What proves that the node is it.
    pub client_secret: Secret,
    /// Who may do everything, whatever GitHub says of them. Default nobody.
    pub administrators: Vec<Login>,
}

/// How the node shows GitHub who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GithubAuth {
    /// By a token.
    Token(Secret),
    /// As an installed GitHub App.
    App {
        /// The app's number.
        id: u64,
        /// Its private key, PEM.
        private_key: Secret,
    },
}

/// One of `[[repos]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repo {
    /// Its name, `owner/name`.
    pub name: RepoName,
    /// Where it lives.
    pub origin: Origin,
    /// What the repository's policy may hand to jobs.
    pub secrets: BTreeMap<String, Secret>,
}

/// Where a repository lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// On GitHub.
    Github {
        /// What git fetches from. Default: derived from the name and `github.api_url`.
        clone_url: String,
    },
    /// On this machine, served by the built-in forge.
    Local {
        /// A bare repository.
        path: PathBuf,
    },
}

/// `[runner]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runner {
    /// Default `auto`.
    pub isolation: IsolationChoice,
    /// What isolated jobs may read of the machine besides the system. Default none.
    pub visible: Vec<PathBuf>,
    /// How long a job may take that does not say. Default 1 h.
    pub job_timeout: Duration,
    /// The most that a job may ask for. Default 6 h.
    pub max_job_timeout: Duration,
    /// From TERM to KILL. Default 5 s.
    pub grace: Duration,
    /// How long a runner goes on that no node adopts. Default 1 h.
    pub orphan_limit: Duration,
    /// Bytes per job, where cgroups allow. Default 4 GiB.
    pub memory: u64,
    /// Processes per job. Default 4096.
    pub pids: u32,
    /// Thousandths of a processor per job, where cgroups allow. Default: all there are.
    pub milli_cpus: Option<u32>,
    /// Bytes of log per command. Default 256 MiB.
    pub log_limit: u64,
    /// Free bytes below which jobs wait. Default 2 GiB.
    pub min_free: u64,
}

/// What the operator wants between commands and the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsolationChoice {
    /// The strongest that works, never none.
    Auto,
    /// Nothing.
    None,
    /// Namespaces, through bubblewrap.
    Namespaces,
    /// A container, through podman or docker.
    Container,
}

/// `[artifacts]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Artifacts {
    /// Bytes of one file. Default 256 MiB.
    pub file: u64,
    /// Bytes of one job. Default 1 GiB.
    pub job: u64,
    /// Files of one job. Default 1000.
    pub files: u32,
    /// Bytes of all jobs together. Default 20 GiB.
    pub total: u64,
}

/// `[vitals]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vitals {
    /// Default `control`.
    pub tier: Tier,
}

/// What may be done over the socket of vitals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Look.
    Read,
    /// Look, and follow messages.
    Trace,
    /// All that, and stop or restart.
    Control,
}

/// `[retention]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Default 30 d.
    pub logs: Duration,
    /// Default 180 d.
    pub builds: Duration,
    /// Bytes of all workspaces together. Default 100 GiB.
    pub workspaces: u64,
}

/// Reads a configuration; `file` is its name for people, secrets come from `source`.
///
/// # Errors
/// All that is wrong with it, each by its key and in order of its lines; never with the value of a secret.
pub fn parse_node(
    file: &str,
    text: &str,
    source: &dyn Source,
) -> Result<NodeConfig, Vec<Diagnostic>> {
    let mut problems = Problems::of(file);
    let node = toml_document::parse(text, &mut problems);
    match read_node::read(&node, source, &mut problems) {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(problems.into_sorted()),
    }
}

impl NodeConfig {
    /// The keys in which `new` differs and that a running node cannot take over: all but
    /// repositories, queues and secrets.
    #[must_use]
    pub fn frozen_changes(&self, new: &Self) -> Vec<&'static str> {
        let differs = [
            ("name", self.name != new.name),
            ("data_dir", self.data_dir != new.data_dir),
            ("public_url", self.public_url != new.public_url),
            ("http.listen", self.http.listen != new.http.listen),
            ("http.read", self.http.read != new.http.read),
            ("http.proxies", self.http.proxies != new.http.proxies),
            ("http.requests", self.http.requests != new.http.requests),
            ("http.failed_logins", self.http.failed_logins != new.http.failed_logins),
            ("runner", self.runner != new.runner),
            ("artifacts", self.artifacts != new.artifacts),
            ("vitals", self.vitals != new.vitals),
            ("retention", self.retention != new.retention),
        ];
        let mut keys: Vec<&'static str> =
            differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect();
        match (&self.github, &new.github) {
            (Some(old), Some(new)) => keys.extend(old.frozen_changes(new)),
            (None, None) => {}
            _ => keys.push("github"),
        }
        keys
    }
}

impl Github {
    fn frozen_changes(&self, new: &Self) -> Vec<&'static str> {
        let identity = |auth: &GithubAuth| match auth {
            GithubAuth::Token(_) => None,
            GithubAuth::App { id, .. } => Some(*id),
        };
        let differs = [
            ("github.api_url", self.api_url != new.api_url),
            ("github.graphql_url", self.graphql_url != new.graphql_url),
            ("github.app", identity(&self.auth) != identity(&new.auth)),
            ("github.poll_interval", self.poll_interval != new.poll_interval),
            ("github.write", self.write != new.write),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }
}

#[cfg(test)]
mod tests;
