//! A repository to run git in: the node's mirror, or a developer's working copy.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::command::Command;
use crate::git::Git;
use crate::sitting::Seat;

/// Where git commands go; clones are the same repository.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    git: Git,
    place: Place,
    limit: Duration,
    /// For the git that reads objects.
    pub(crate) reader: Seat,
}

#[derive(Clone, Debug)]
enum Place {
    /// The git directory of a repository of the node.
    Own(PathBuf),
    /// The folder of somebody's working copy.
    Somebodys(PathBuf),
}

impl Repository {
    /// A bare repository of the node at `git_dir`.
    pub(crate) fn own(git: Git, git_dir: PathBuf, limit: Duration) -> Self {
        Self { git, place: Place::Own(git_dir), limit, reader: Seat::default() }
    }

    /// The working copy that `folder` lies in.
    pub(crate) fn somebodys(git: Git, folder: PathBuf, limit: Duration) -> Self {
        Self { git, place: Place::Somebodys(folder), limit, reader: Seat::default() }
    }

    /// A git command in this repository.
    pub(crate) fn command(&self, verb: &str) -> Command {
        match &self.place {
            Place::Own(dir) => Command::isolated(&self.git, self.limit, verb).env("GIT_DIR", dir),
            Place::Somebodys(folder) => Command::as_owner(&self.git, folder, self.limit, verb),
        }
    }

    /// The git directory of the node's own repository, the folder of somebody's.
    pub(crate) fn path(&self) -> &Path {
        match &self.place {
            Place::Own(path) | Place::Somebodys(path) => path,
        }
    }

    /// How long one command may take.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }
}
