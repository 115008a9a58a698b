//! A real repository with one component.

use std::path::{Path, PathBuf};
use std::process::Command;

use ci_domain::ids::CommitSha;

/// A bare repository, and a working copy that pushes to it.
pub struct Origin {
    folder: PathBuf,
}

impl Origin {
    /// A repository whose default branch holds `files`.
    pub fn new(folder: &Path, files: &[(&str, &str)]) -> (Self, CommitSha) {
        let origin = Self { folder: folder.to_owned() };
        let bare = origin.bare();
        std::fs::create_dir_all(origin.work()).unwrap();
        origin.git(&["init", "-q", "--bare", "-b", "main", bare.to_str().unwrap()]);
        origin.git(&["init", "-q", "-b", "main", "."]);
        origin.git(&["remote", "add", "origin", bare.to_str().unwrap()]);
        let tip = origin.commit(files, "HEAD:refs/heads/main");
        (origin, tip)
    }

    /// Where the node fetches from.
    pub fn bare(&self) -> PathBuf {
        self.folder.join("origin.git")
    }

    /// Commits `files` on top of what is there, and pushes that.
    pub fn commit(&self, files: &[(&str, &str)], refspec: &str) -> CommitSha {
        for (path, text) in files {
            let path = self.work().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "change"]);
        self.git(&["push", "-q", "origin", refspec]);
        CommitSha::new(self.git(&["rev-parse", "HEAD"])).unwrap()
    }

    fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .current_dir(self.work())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "git {arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}
