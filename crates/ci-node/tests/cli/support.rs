//! A repository in a folder of its own, and the program run in it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A working copy, and a home for whoever works in it.
pub struct Repo {
    folder: TempDir,
}

/// How the program ended.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Repo {
    /// A repository with these files committed on `main`.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let repo = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(repo.root()).unwrap();
        repo.git(&["init", "-q", "-b", "main"]);
        repo.git(&["config", "user.name", "A"]);
        repo.git(&["config", "user.email", "a@example.com"]);
        for (path, content) in files {
            repo.write(path, content);
        }
        repo.git(&["add", "-A"]);
        repo.git(&["commit", "-q", "--allow-empty", "-m", "first"]);
        repo
    }

    /// The same on a branch of its own, so that `main` is what changes are compared with.
    pub fn on_topic(files: &[(&str, &str)]) -> Self {
        let repo = Self::with(files);
        repo.git(&["checkout", "-q", "-b", "topic"]);
        repo
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("shop")
    }

    /// A folder beside the repository.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    pub fn write(&self, path: &str, content: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn commit(&self, path: &str, content: &str) {
        self.write(path, content);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", path]);
    }

    pub fn git(&self, args: &[&str]) -> String {
        let output =
            clean("git", &self.home()).current_dir(self.root()).args(args).output().unwrap();
        assert!(
            output.status.success(),
            "git {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs `ci-node` in the repository, without a terminal.
    pub fn ci_node(&self, args: &[&str]) -> Done {
        Done::of(self.command(args).output().unwrap())
            .without(&self.folder.path().canonicalize().unwrap())
    }

    /// `ci-node` in the repository, yet to be started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = ci_node(&self.home());
        command.current_dir(self.root()).args(args);
        command
    }

    /// The facts of a run, and how it ended.
    pub fn facts(&self, args: &[&str]) -> (i32, Vec<serde_json::Value>) {
        let args = [&["run", "-o", "jsonl"], args].concat();
        let done = Done::of(self.command(&args).output().unwrap());
        let facts = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (done.code, facts)
    }

    /// Everything in the working copy and its git folder but what git only caches.
    pub fn digest(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(&self.root(), &mut files);
        files.sort();
        files
    }

    fn home(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("home")
    }
}

impl Done {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Fails, with what was said, unless the program ended with `code`.
    #[track_caller]
    pub fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        self
    }

    fn without(mut self, folder: &Path) -> Self {
        for text in [&mut self.stdout, &mut self.stderr] {
            *text = text.replace(folder.to_str().unwrap(), "");
        }
        self
    }
}

/// `ci-node` for somebody who lives in `home`.
pub fn ci_node(home: &Path) -> Command {
    clean(env!("CARGO_BIN_EXE_ci-node"), home)
}

fn clean(program: impl AsRef<OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap());
    command.env("HOME", home).env("GIT_CONFIG_NOSYSTEM", "1");
    command
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            let content = fs::read(&path).unwrap();
            files.push((path, content));
        }
    }
}
