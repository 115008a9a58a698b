//! A whole node with its web server, in a folder of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ci_build::{Keep, LedgerHandle, NodeArgs, Queues, RepoArgs, RunnerSettings, Runs};
use ci_domain::forge::Head;
use ci_domain::ids::{BranchName, Login, PullNumber, RepoName};
use ci_domain::may_run::Isolation;
use ci_domain::report::Voice;
use ci_git::{Git, MirrorConfig, Workspaces};
use ci_github::Secret;
use ci_github::fake::{FakeGitHub, FakeRepo, NewPull};
use ci_store::Stamp;
use ci_web::client::AdminClient;
use ci_web::wire::{Job, Role, TokenRequest};
use ci_web::{Gate, Limit, Limits, ReadAccess, WebArgs};
use heights::{Process, SupervisorRef};
use tempfile::TempDir;
use tokio::sync::watch;

use super::http::post;
use super::ledger::GatedLedger;
use super::origin::Origin;
use super::runner::launcher;
use super::{CEILING, until};

/// The repository of every test.
pub const REPO: &str = "acme/shop";

/// More than any test asks that is not about it.
const LENIENT: Limits = Limits {
    requests: Limit { count: 1_000_000, per: Duration::from_secs(1) },
    failed_logins: Limit { count: 1_000_000, per: Duration::from_secs(1) },
};

/// A running node.
pub struct Node {
    pub address: SocketAddr,
    pub socket: PathBuf,
    pub github: FakeGitHub,
    pub repo: FakeRepo,
    pub ledger: Arc<GatedLedger>,
    pub secret: watch::Sender<Option<Secret>>,
    pub gate: watch::Sender<Option<Gate>>,
    pub root: SupervisorRef,
    pub process: Process,
    origin: Origin,
    folder: TempDir,
}

impl Node {
    /// A node whose repository has no pull request.
    pub async fn start(read: ReadAccess) -> Self {
        Self::start_known_as(read, |_| "https://ci.test".to_owned()).await
    }

    /// A node that people know by this address.
    pub async fn start_known_as(
        read: ReadAccess,
        public_url: impl FnOnce(SocketAddr) -> String,
    ) -> Self {
        // Pages of a machine that is slow are of now all the same.
        Self::start_with(read, public_url, CEILING, LENIENT).await
    }

    /// A node that lets nobody ask too often.
    pub async fn start_limited(limits: Limits) -> Self {
        let public_url = |_| "https://ci.test".to_owned();
        Self::start_with(ReadAccess::Token, public_url, CEILING, limits).await
    }

    /// A node whose pages wait for nobody who is busy.
    pub async fn start_hasty() -> Self {
        let public_url = |_| "https://ci.test".to_owned();
        Self::start_with(ReadAccess::Public, public_url, ci_web::PATIENCE, LENIENT).await
    }

    async fn start_with(
        read: ReadAccess,
        public_url: impl FnOnce(SocketAddr) -> String,
        patience: Duration,
        limits: Limits,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let policy = ("ci-policy.yaml", "branches: [\"release/*\"]\nmergeable: {approvals: 0}\n");
        let (origin, tip) = Origin::new(folder.path(), &[policy, ("README.md", "a shop\n")]);
        let github = FakeGitHub::new();
        let repo = github.add_repo(repo_name(), BranchName::new("main").unwrap(), tip);
        let ledger = Arc::new(GatedLedger::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut args = node_args(folder.path(), &origin, &github, &ledger).await;
        args.voice.public_url = public_url(address);
        let (builder, handle) = ci_build::describe(args);
        let socket = folder.path().join("admin.sock");
        let (secret, webhook_secret) =
            watch::channel(Some(Secret::new(FakeGitHub::WEBHOOK_SECRET)));
        let (gate, sign_in) = watch::channel(None);
        let web = WebArgs {
            node: handle,
            listener,
            admin_socket: socket.clone(),
            webhook_secret,
            patience,
            read,
            gate: sign_in,
            proxies: Vec::new(),
            limits,
            version: "1.2.3".to_owned(),
        };
        let (root, process) = builder.child(ci_web::start(web)).start_root().await.unwrap();
        Self { address, socket, github, repo, ledger, secret, gate, root, process, origin, folder }
    }

    /// Opens a pull request that makes a component of these jobs.
    pub fn open_pull(&self, title: &str, jobs: &str) -> PullNumber {
        let definition = format!("jobs:\n{jobs}");
        let files = [("app/ci.yaml", definition.as_str())];
        let sha = self.origin.commit(&files, "HEAD:refs/pull/1/head");
        let head =
            Head { sha, branch: BranchName::new("change").unwrap(), repo: Some(repo_name()) };
        let (title, author) = (title.to_owned(), Login::new("ada").unwrap());
        let base = BranchName::new("main").unwrap();
        self.repo.open_pull(NewPull { title, author, head, base, draft: false })
    }

    /// Pushes a branch with a component of these jobs; the policy has branches of that name built.
    pub fn push_branch(&self, name: &str, jobs: &str) {
        let definition = format!("jobs:\n{jobs}");
        let files = [("app/ci.yaml", definition.as_str())];
        let sha = self.origin.commit(&files, &format!("HEAD:refs/heads/{name}"));
        self.repo.push(&BranchName::new(name).unwrap(), &sha);
    }

    /// The client of the command line.
    pub async fn client(&self) -> AdminClient {
        until("the admin socket", async || AdminClient::connect(&self.socket).await.ok()).await
    }

    /// A new token.
    pub async fn token(&self, role: Role) -> String {
        let request = TokenRequest { role, label: "for a test".to_owned() };
        self.client().await.create_token(&request).await.unwrap().text
    }

    /// The cookie of who has entered a token.
    pub async fn log_in(&self, token: &str) -> String {
        let form = "application/x-www-form-urlencoded";
        let entered = post("/login", form, format!("token={token}")).of(self.address).await;
        let cookie = entered.header("set-cookie");
        cookie.split(';').next().unwrap().to_owned()
    }

    /// Waits until a job is as it should be.
    pub async fn job(&self, number: PullNumber, is_meant: impl Fn(&Job) -> bool) -> Job {
        let client = self.client().await;
        until("a job", async || {
            let detail = client.pull(&repo_name(), number).await.ok()?;
            detail.jobs.into_iter().find(&is_meant)
        })
        .await
    }

    /// A path in the node's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command that goes on until a file is there, or the whole folder is not.
    pub fn wait_for(&self, file: &Path) -> String {
        let folder = self.folder.path().display();
        format!("while test ! -e {} -a -d {folder}; do sleep 0.1; done", file.display())
    }

    /// Stops the node in order.
    pub async fn stop(self) {
        self.root.stop().await;
    }
}

pub fn repo_name() -> RepoName {
    RepoName::new(REPO).unwrap()
}

async fn node_args(
    folder: &Path,
    origin: &Origin,
    github: &FakeGitHub,
    ledger: &Arc<GatedLedger>,
) -> NodeArgs {
    let git = Git::discover(None).await.unwrap();
    let limit = Duration::from_secs(60);
    let url = format!("file://{}", origin.bare().display());
    let dir = folder.join("mirror.git");
    let mirror = MirrorConfig { git: git.clone(), dir, url, credential: None, timeout: limit };
    let repo = RepoArgs {
        name: repo_name(),
        forge: Arc::new(github.clone()),
        mirror,
        workspaces: Workspaces::open(git, &folder.join("workspaces"), limit).unwrap(),
        workspace_folder: folder.join("workspaces"),
        poll_interval: Duration::from_millis(500),
        secrets: BTreeMap::new(),
    };
    let voice = Voice { node: "test-ci".to_owned(), public_url: "https://ci.test".to_owned() };
    NodeArgs {
        voice,
        settings: settings(),
        ledger: LedgerHandle::new(ledger.clone()),
        exports: None,
        stamp: || Stamp::new("20260131T101500Z").unwrap(),
        now: SystemTime::now,
        queues: Queues::new(&BTreeMap::new(), BTreeSet::new()),
        runs: Runs::open(&folder.join("runs")).unwrap(),
        launcher: launcher(),
        keep: Keep {
            artifacts: 1 << 30,
            logs: Duration::from_secs(3600),
            builds: Duration::from_secs(3600),
            workspaces: u64::MAX,
        },
        repos: vec![repo],
    }
}

fn settings() -> RunnerSettings {
    let minute = Duration::from_secs(60);
    RunnerSettings {
        isolation: Isolation::None,
        isolation_trouble: String::new(),
        namespaces: None,
        container: None,
        images: PathBuf::new(),
        bounds: None,
        path: "/usr/local/bin:/usr/bin:/bin".to_owned(),
        job_timeout: minute,
        max_job_timeout: minute,
        grace: Duration::from_millis(300),
        orphan_limit: minute,
        keep_limits: ci_exec::KeepLimits::USUAL,
        log_limit: 1 << 20,
        min_free: 0,
    }
}
