//! The repository that GitHub has: a bare one, written by `git fast-import`, so that thousands of files
//! and the strangest of names cost nothing.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ci_domain::ids::CommitSha;

/// A bare repository on the disk.
pub struct Repository {
    path: PathBuf,
}

/// What a commit does to one path.
pub enum Change {
    /// A file with this content.
    File(String, Vec<u8>),
    /// A symbolic link to this target.
    Link(String, String),
    /// Nothing is at the path any more.
    Gone(String),
}

impl Change {
    pub fn file(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self::File(path.into(), content.into())
    }

    pub fn link(path: impl Into<String>, target: impl Into<String>) -> Self {
        Self::Link(path.into(), target.into())
    }

    pub fn gone(path: impl Into<String>) -> Self {
        Self::Gone(path.into())
    }

    fn write_to(&self, stream: &mut Vec<u8>) {
        match self {
            Self::File(path, content) => {
                data(stream, &format!("M 100644 inline {path}\n"), content);
            }
            Self::Link(path, target) => {
                data(stream, &format!("M 120000 inline {path}\n"), target.as_bytes());
            }
            Self::Gone(path) => stream.extend(format!("D {path}\n").into_bytes()),
        }
    }
}

impl Repository {
    /// Makes an empty one at `path`.
    pub fn init(path: PathBuf) -> Self {
        std::fs::create_dir_all(&path).unwrap();
        let repository = Self { path };
        repository.git(&["init", "--quiet", "--bare", "--initial-branch=main", "."], &[]);
        repository
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Commits `changes` to `reference`, on top of `parent`.
    pub fn commit(
        &self,
        reference: &str,
        parent: Option<&CommitSha>,
        changes: &[Change],
    ) -> CommitSha {
        let mut stream = format!("reset {reference}\n\ncommit {reference}\nmark :1\n").into_bytes();
        stream.extend(b"committer A Person <person@example.com> 1700000000 +0000\n");
        data(&mut stream, "", format!("Change {} paths", changes.len()).as_bytes());
        stream.extend(parent.map(|sha| format!("from {sha}\n")).unwrap_or_default().into_bytes());
        changes.iter().for_each(|change| change.write_to(&mut stream));
        stream.extend(b"get-mark :1\ndone\n");
        let said = self.git(&["fast-import", "--quiet", "--force", "--done"], &stream);
        CommitSha::new(said.trim()).unwrap()
    }

    /// Sets a reference.
    pub fn set(&self, reference: &str, sha: &CommitSha) {
        self.git(&["update-ref", reference, sha.as_str()], &[]);
    }

    /// Deletes a reference.
    pub fn delete(&self, reference: &str) {
        self.git(&["update-ref", "-d", reference], &[]);
    }

    fn git(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut git = Command::new("git")
            .args(arguments)
            .current_dir(&self.path)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        git.stdin.take().unwrap().write_all(input).unwrap();
        let output = git.wait_with_output().unwrap();
        assert!(output.status.success(), "git {} failed", arguments.join(" "));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn data(stream: &mut Vec<u8>, command: &str, content: &[u8]) {
    stream.extend(format!("{command}data {}\n", content.len()).into_bytes());
    stream.extend(content);
    stream.push(b'\n');
}
