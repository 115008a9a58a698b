//! A remote repository, made by the git command line, and what the crate makes of it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ci_domain::ids::{BranchName, CommitSha, PullNumber};
use ci_git::{
    Credential, Git, Merge, MergeCommit, MergeRequest, Mirror, MirrorConfig, Opened, Subject, Tree,
    Workspace, Workspaces,
};
use tempfile::TempDir;

/// Long enough for anything that a test does, unless it is about a limit.
pub const LIMIT: Duration = Duration::from_secs(60);

/// A temporary folder with a remote in it.
pub struct Scene {
    folder: TempDir,
    pub git: Git,
    pub origin: Repo,
}

/// A repository that is driven by the git command line.
pub struct Repo {
    pub path: PathBuf,
    seconds: AtomicI64,
}

impl Scene {
    /// A remote with one commit on `main`.
    pub async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let git = Git::discover(None).await.unwrap();
        let origin = Repo::new(folder.path().join("origin"));
        origin.write("lib/a", "a\n");
        origin.write("top", "top\n");
        origin.write(".gitignore", "build/\n*.o\n");
        origin.commit("first");
        Self { folder, git, origin }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn config(&self) -> MirrorConfig {
        MirrorConfig {
            git: self.git.clone(),
            dir: self.path("mirror.git"),
            url: self.origin.path.to_str().unwrap().to_owned(),
            credential: None,
            timeout: LIMIT,
        }
    }

    pub async fn open(&self) -> (Mirror, Opened) {
        Mirror::open(self.config()).await.unwrap()
    }

    /// A mirror that has fetched everything.
    pub async fn mirror(&self) -> Mirror {
        let (mirror, _) = self.open().await;
        mirror.fetch().await.unwrap();
        mirror
    }

    pub fn workspaces(&self) -> Workspaces {
        Workspaces::open(self.git.clone(), &self.path("workspaces"), LIMIT).unwrap()
    }

    pub fn workspace(&self) -> Workspace {
        self.workspaces().workspace(&pull(1))
    }

    /// The tip of `main`, listed.
    pub async fn main_tree(&self, mirror: &Mirror) -> Tree {
        mirror.tree(&self.origin.tip("main")).await.unwrap()
    }

    /// A workspace that has the tip of `main`.
    pub async fn checked_out(&self) -> (Mirror, Workspace) {
        let mirror = self.mirror().await;
        let workspace = self.workspace();
        workspace.update(&mirror, &self.main_tree(&mirror).await).await.unwrap();
        (mirror, workspace)
    }

    /// Fetches, and updates `workspace` to the tip of `main`.
    pub async fn update(&self, mirror: &Mirror, workspace: &Workspace) -> ci_git::Updated {
        mirror.fetch().await.unwrap();
        workspace.update(mirror, &self.main_tree(mirror).await).await.unwrap()
    }
}

impl Repo {
    pub fn new(path: PathBuf) -> Self {
        fs::create_dir_all(&path).unwrap();
        let repo = Self { path, seconds: AtomicI64::new(1_700_000_000) };
        repo.git(["init", "-q", "-b", "main"]);
        repo
    }

    /// Runs git and returns what it prints.
    pub fn git<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> String {
        let date = format!("@{} +0100", self.seconds.load(Ordering::Relaxed));
        run(command(&self.path)
            .args(args)
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", date))
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        write(&self.path.join(path), text);
    }

    pub fn remove(&self, path: &str) {
        fs::remove_file(self.path.join(path)).unwrap();
    }

    /// Commits all files as they are, one second after the last commit.
    pub fn commit(&self, message: &str) -> CommitSha {
        self.seconds.fetch_add(1, Ordering::Relaxed);
        self.git(["add", "-A"]);
        self.git(["commit", "-q", "--allow-empty", "-m", message]);
        self.tip("HEAD")
    }

    pub fn tip(&self, name: &str) -> CommitSha {
        CommitSha::new(self.git(["rev-parse", name])).unwrap()
    }

    /// Checks out a new branch from the tip of `main`.
    pub fn branch(&self, name: &str) {
        self.git(["checkout", "-q", "-b", name, "main"]);
    }

    pub fn switch(&self, name: &str) {
        self.git(["checkout", "-q", name]);
    }

    /// Makes a commit on a new branch that is a pull request's head, and goes back to `main`.
    pub fn pull(&self, number: u64, change: impl FnOnce(&Self)) -> CommitSha {
        let branch = format!("topic-{number}");
        self.branch(&branch);
        change(self);
        let head = self.commit(&branch);
        self.git(["update-ref", &format!("refs/pull/{number}/head"), head.as_str()]);
        self.switch("main");
        head
    }
}

pub fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).current_dir(folder);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    command.args(["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]);
    command.args(["-c", "protocol.file.allow=always"]);
    command
}

/// Runs `command`, which must succeed, and returns what it prints.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// Writes a program, by another process: what this one has open for writing is open, too, in each process that
/// another test starts at that moment, and until that has become its program nobody can execute the file.
pub fn program(path: &Path, text: &str) {
    let write = "printf %s \"$2\" > \"$1\" && chmod 755 \"$1\"";
    let written = Command::new("sh").args(["-c", write, "sh"]).arg(path).arg(text).status();
    assert!(written.unwrap().success());
}

/// Writes a file, making the folders that it lies in.
pub fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{:?}: {error}", path.as_ref()))
}

/// Whether there is anything at `path`, even a link to nowhere.
pub fn exists(path: impl AsRef<Path>) -> bool {
    path.as_ref().symlink_metadata().is_ok()
}

pub fn pull(number: u64) -> Subject {
    Subject::Pull(PullNumber(number))
}

pub fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

/// Merges for pull request 1, which must be clean.
pub async fn merged(mirror: &Mirror, base: &CommitSha, head: &CommitSha) -> MergeCommit {
    match mirror.merge(MergeRequest { base, head, pin: &pull(1) }).await.unwrap() {
        Merge::Clean(commit) => commit,
        conflict @ Merge::Conflict { .. } => panic!("{conflict:?}"),
    }
}

pub fn secret() -> Credential {
    Credential::token("s3cret-token")
}

/// An error with all its causes.
pub fn explain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
