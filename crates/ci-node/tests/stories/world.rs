//! A world for one story: a repository, a GitHub in front of it over HTTP, and the folder of a node.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use ci_domain::forge::{Head, ReviewState, Timestamp};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use ci_github::fake::{FakeGitHub, FakeRepo, FakeRequest, NewPull, SignedDelivery};
use rustix::process::Pid;
use tempfile::TempDir;

use crate::node::{self, Node};
use crate::processes;
use crate::repository::{Change, Repository};
use crate::stand_in::StandIn;
use crate::wait::{LIMIT, wait_for};

/// The name of the repository.
pub const REPO: &str = "acme/shop";
/// A policy under which green tests are enough.
pub const NO_APPROVAL: (&str, &str) = ("ci-policy.yaml", "mergeable: {approvals: 0}\n");
/// A poll interval that no story lives to see.
pub const NEVER: &str = "1h";
/// A poll interval for stories without webhooks.
pub const OFTEN: &str = "200ms";

/// Everything around a node.
pub struct World {
    folder: TempDir,
    pub github: FakeGitHub,
    pub repo: FakeRepo,
    pub git: Repository,
    server: StandIn,
    /// How long each answer of GitHub takes, in milliseconds.
    slow: Arc<AtomicU64>,
    port: u16,
    main: RefCell<CommitSha>,
}

impl World {
    /// Makes a world whose default branch has these files; `{outside}` in a file stands for the path of
    /// the file that [`World::outside`] reads.
    pub async fn new<P: AsRef<str>, C: AsRef<str>>(files: &[(P, C)]) -> Self {
        let folder = tempfile::Builder::new().prefix("story-").tempdir().unwrap();
        let git = Repository::init(folder.path().join("github.git"));
        let outside = folder.path().join("outside");
        let outside = outside.to_str().unwrap();
        let file = |(path, content): &(P, C)| {
            Change::file(path.as_ref(), content.as_ref().replace("{outside}", outside))
        };
        let changes: Vec<Change> = files.iter().map(file).collect();
        let main = git.commit("refs/heads/main", None, &changes);
        let github = FakeGitHub::new();
        // Ahead of the node's clock: what happens here happens after the node has started.
        github.set_clock(Timestamp(now() + 60));
        let repo = github.add_repo(RepoName::new(REPO).unwrap(), branch("main"), main.clone());
        repo.grant(&login("linus"));
        let (answering, slow) = (github.clone(), Arc::new(AtomicU64::new(0)));
        let pace = slow.clone();
        let answer = move |request: FakeRequest| {
            let pause = Duration::from_millis(pace.load(Relaxed));
            if !pause.is_zero() {
                let pause = tokio::time::sleep(pause);
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(pause));
            }
            answering.answer(&request)
        };
        let server = StandIn::start(answer).await;
        let port = free_port();
        std::fs::create_dir(folder.path().join("run")).unwrap();
        std::fs::write(folder.path().join("outside"), "").unwrap();
        let main = RefCell::new(main);
        let world = Self { folder, github, repo, git, server, slow, port, main };
        world.configure(NEVER, "");
        world
    }

    /// Makes each answer of GitHub take so many milliseconds.
    pub fn slow_down(&self, by: u64) {
        self.slow.store(by, Relaxed);
    }

    /// Writes the node's configuration.
    pub fn configure(&self, poll_interval: &str, more: &str) {
        let secret = |name: &str, text: &str| std::fs::write(self.path(name), text).unwrap();
        secret("token", FakeGitHub::TOKEN);
        secret("webhook-secret", FakeGitHub::WEBHOOK_SECRET);
        let (url, port) = (&self.server.url, self.port);
        let (data, git) = (self.data().display().to_string(), self.git.path().display());
        let text = format!(
            "name = \"ci\"\ndata_dir = \"{data}\"\npublic_url = \"https://ci.example.com\"\n\
             [http]\nlisten = \"127.0.0.1:{port}\"\nread = \"public\"\n\
             [github]\napi_url = \"{url}\"\ngraphql_url = \"{url}/graphql\"\n\
             webhook_secret = {{ file = \"webhook-secret\" }}\ntoken = {{ file = \"token\" }}\n\
             poll_interval = \"{poll_interval}\"\n\
             [[repos]]\nname = \"{REPO}\"\nclone_url = \"file://{git}\"\n\
             [queues]\n\"github.write\" = {{ rate = \"1000/s\", burst = 1000 }}\n\
             jobs = {{ concurrency = 4 }}\n\
             [runner]\nisolation = \"none\"\ngrace = \"1s\"\nmin_free = \"1MiB\"\n{more}\n"
        );
        std::fs::write(self.path("ci-node.toml"), text).unwrap();
    }

    /// Starts the node and waits until it is ready.
    pub async fn start(&self) -> Node {
        Node::start(self.folder.path(), self.port, self.log_file()).await
    }

    /// Starts the node.
    pub fn spawn(&self) -> Node {
        Node::spawn(self.folder.path(), self.port, self.log_file())
    }

    /// Starts a copy of the program and waits until it is ready.
    pub async fn start_copy(&self, program: &Path) -> Node {
        let command = node::command_of(program, self.folder.path(), self.log_file()).spawn();
        let node = Node::of(command.unwrap(), self.port);
        node.ready().await;
        node
    }

    /// Puts a program where the node finds it first. Another process writes it: while a thread of ours has it
    /// open for writing, and each process that another story starts at that moment, nobody can run it.
    pub fn install(&self, name: &str, text: &str) -> PathBuf {
        let program = self.folder().join("bin").join(name);
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        let write = "printf %s \"$2\" > \"$1\" && chmod 755 \"$1\"";
        let written = Command::new("sh").args(["-c", write, "sh"]).arg(&program).arg(text).status();
        assert!(written.unwrap().success());
        program
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where GitHub answers.
    pub fn github_at(&self) -> SocketAddr {
        self.server.url.strip_prefix("http://").unwrap().parse().unwrap()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The node's data.
    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// What the nodes have logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("node.log")).unwrap_or_default()
    }

    /// The lines that commands have written outside of their workspaces.
    pub fn outside(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("outside")).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// A pull request by someone of ours, from `branch`, which is main with these changes.
    pub fn open(&self, from: &str, changes: &[Change]) -> PullNumber {
        self.open_from(Some(self.repo.name().clone()), from, changes)
    }

    /// The same from somebody's fork.
    pub fn open_fork(&self, from: &str, changes: &[Change]) -> PullNumber {
        self.open_from(Some("eve/shop".parse().unwrap()), from, changes)
    }

    fn open_from(&self, repo: Option<RepoName>, from: &str, changes: &[Change]) -> PullNumber {
        let head = self.commit(from, changes);
        let head = Head { sha: head, branch: branch(from), repo };
        let (title, author) = (format!("Change by {from}"), login("ada"));
        let pull = NewPull { title, author, head, base: branch("main"), draft: false };
        let number = self.repo.open_pull(pull);
        self.git.set(&pull_ref(number), &self.head(number));
        number
    }

    /// Commits changes of main to a branch that nobody has proposed yet.
    pub fn commit(&self, to: &str, changes: &[Change]) -> CommitSha {
        self.git.commit(&format!("refs/heads/{to}"), Some(&self.main.borrow()), changes)
    }

    /// Pushes a commit on top of a pull request's head.
    pub fn push_pull(&self, pull: PullNumber, changes: &[Change]) -> CommitSha {
        let head = self.repo.pull(pull).head;
        let sha = self.git.commit(&format!("refs/heads/{}", head.branch), Some(&head.sha), changes);
        self.git.set(&pull_ref(pull), &sha);
        self.repo.push_pull(pull, &sha);
        sha
    }

    /// Pushes a commit to main.
    pub fn push_main(&self, changes: &[Change]) {
        let sha = self.git.commit("refs/heads/main", Some(&self.main.borrow()), changes);
        self.repo.push(&branch("main"), &sha);
        self.main.replace(sha);
    }

    /// The tip of main.
    pub fn tip(&self) -> CommitSha {
        self.main.borrow().clone()
    }

    pub fn approve(&self, pull: PullNumber) {
        let _review = self.repo.review(pull, &login("linus"), ReviewState::Approved);
    }

    /// The commit that a pull request proposes.
    pub fn head(&self, pull: PullNumber) -> CommitSha {
        self.repo.pull(pull).head.sha
    }

    /// Posts every webhook since the last time, in order.
    pub async fn deliver(&self, node: &Node) {
        for delivery in self.github.take_deliveries() {
            let status = node.post(&delivery).await;
            assert!([200, 202].contains(&status), "{}: {status}", delivery.event);
        }
    }

    /// The webhooks that nobody has posted yet.
    pub fn webhooks(&self) -> Vec<SignedDelivery> {
        self.github.take_deliveries()
    }

    /// Waits until `is_so`.
    pub async fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        wait_for(what, LIMIT, async || is_so().then_some(())).await;
    }

    /// Waits until there are no processes in this world but `node` and what its mirrors keep.
    pub async fn nothing_runs_beside(&self, node: &Node) {
        let is_node = |pid: &Pid| pid.as_raw_nonzero().get() == node.pid().cast_signed();
        let belongs = |pid: &Pid| is_node(pid) || is_kept(*pid);
        let is_alone = || processes::of(self.folder()).iter().all(belongs);
        self.until("every process of every job to end", is_alone).await;
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log_file(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.path("node.log")).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        processes::kill_all(self.folder.path());
        #[expect(clippy::print_stdout, reason = "a failed story shows what the node has logged")]
        if std::thread::panicking() || std::env::var_os("STORY_SHOW").is_some() {
            println!("the log of the node:\n{}", self.log());
        }
    }
}

/// A port that is free, and stays so while a node is away: not one of those that the system gives to
/// whoever connects somewhere, even to this very port.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let of_process = u16::try_from(std::process::id() % 1200).unwrap() * 10;
    let next = || 20_000 + (of_process + NEXT.fetch_add(1, Relaxed)) % 12_000;
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(next).take(12_000).find(is_free).unwrap()
}

/// The seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

pub fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

pub fn login(name: &str) -> Login {
    Login::new(name).unwrap()
}

fn pull_ref(number: PullNumber) -> String {
    format!("refs/pull/{number}/head")
}

/// Whether this is a git that a mirror keeps to be asked again; it ends with its node.
fn is_kept(pid: Pid) -> bool {
    let kept: [&[u8]; 3] = [b"cat-file", b"hash-object", b"update-ref"];
    let cmdline = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero()));
    cmdline.is_ok_and(|args| args.split(|byte| *byte == 0).any(|arg| kept.contains(&arg)))
}
