//! A developer's working copy, which is only ever read.
//!
//! Git runs here with the developer's environment and configuration, because both are theirs; without
//! hooks, without a file system monitor, and without optional locks, so that nothing is written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ci_domain::ids::{BranchName, CommitSha};

use crate::changes::{self, Change, ChangeKind, NAMES_AND_STATES};
use crate::command::CommandError;
use crate::contents::Content;
use crate::git::Git;
use crate::repository::Repository;
use crate::tree::{RepoPath, Tree};

/// Reading a working copy that takes longer than this is stuck, on a network file system perhaps.
const LIMIT: Duration = Duration::from_secs(120);

/// Tells the copies of one process apart.
static COPIES: AtomicU64 = AtomicU64::new(0);

/// Where a default branch is looked for when the remote has not told it, best first.
const USUAL_DEFAULTS: [&str; 4] = [
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
];

/// A working copy of somebody.
#[derive(Clone, Debug)]
pub struct WorkingCopy {
    repository: Repository,
}

/// Why a working copy cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WorkingCopyError {
    /// The folder does not lie in one.
    #[error("find a git working copy at {}", path.display())]
    NotAWorkingCopy {
        /// The folder.
        path: PathBuf,
        /// What git says.
        #[source]
        source: CommandError,
    },
    /// There is no commit of that name.
    #[error("find the commit {name:?}")]
    NoSuchCommit {
        /// The name as it was given, or `HEAD`.
        name: String,
    },
    /// Nothing tells which branch changes are meant for.
    #[error("find the default branch: origin names none, and there is neither main nor master")]
    NoDefaultBase,
    /// `HEAD` and the other commit have nothing in common.
    #[error("find a common ancestor of HEAD and {name:?}")]
    NoCommonAncestor {
        /// The name as it was given.
        name: String,
    },
    /// Git failed.
    #[error(transparent)]
    Git(#[from] CommandError),
}

impl WorkingCopy {
    /// Opens the working copy that `path` lies in.
    ///
    /// # Errors
    /// `path` does not lie in one, or does not exist.
    pub async fn open(git: Git, path: &Path) -> Result<Self, WorkingCopyError> {
        let folder = Repository::somebodys(git.clone(), path.to_owned(), LIMIT);
        let found = folder.command("rev-parse").arg("--show-toplevel").run().await;
        match found {
            Ok(output) => {
                let root = PathBuf::from(output.line());
                Ok(Self { repository: Repository::somebodys(git, root, LIMIT) })
            }
            Err(source) => Err(WorkingCopyError::NotAWorkingCopy { path: path.to_owned(), source }),
        }
    }

    /// The folder that the working copy's paths start from.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.repository.path()
    }

    /// The reference that changes are compared with unless told otherwise: the remote's default
    /// branch, or what is usually called that.
    ///
    /// # Errors
    /// There is none, or git failed.
    pub async fn default_base(&self) -> Result<String, WorkingCopyError> {
        let list = self.repository.command("for-each-ref");
        let list = list.args(["--format=%(refname) %(symref)", "--", "refs/remotes/origin/HEAD"]);
        let listing = list.args(USUAL_DEFAULTS).run().await?.text();
        let references: BTreeMap<&str, &str> =
            listing.lines().filter_map(|line| line.split_once(' ')).collect();
        let named = references.get("refs/remotes/origin/HEAD").copied();
        let usual = USUAL_DEFAULTS.into_iter().find(|name| references.contains_key(name));
        let base = named.filter(|target| !target.is_empty()).or(usual);
        base.map(str::to_owned).ok_or(WorkingCopyError::NoDefaultBase)
    }

    /// The commit that is checked out.
    ///
    /// # Errors
    /// There is no commit yet, or git failed.
    pub async fn head(&self) -> Result<CommitSha, WorkingCopyError> {
        self.commit("HEAD").await
    }

    /// Where `HEAD` and the commit called `name` parted.
    ///
    /// # Errors
    /// There is no such commit, or no common ancestor, or git failed.
    pub async fn merge_base(&self, name: &str) -> Result<CommitSha, WorkingCopyError> {
        let (head, other) = tokio::try_join!(self.head(), self.commit(name))?;
        let find = self.repository.command("merge-base").args([head.as_str(), other.as_str()]);
        let output = find.accepting(&[0, 1]).run().await?;
        CommitSha::new(output.text())
            .map_err(|_| WorkingCopyError::NoCommonAncestor { name: name.to_owned() })
    }

    /// What differs between `from` and the files as they are: committed, staged, unstaged and
    /// untracked, but not ignored. Of a submodule, only the commit that is checked out counts.
    ///
    /// # Errors
    /// Git failed.
    pub async fn changed_paths(&self, from: &CommitSha) -> Result<Vec<Change>, CommandError> {
        let diff = self.repository.command("diff").args(NAMES_AND_STATES);
        // Files that were touched and are as before make `git diff` write the index, which it does although
        // optional locks are off; so it gets a copy.
        let index = self.copy_index().await?;
        let diff = match &index {
            Some(copy) => diff.env("GIT_INDEX_FILE", &copy.0),
            None => diff,
        };
        let diff = diff.args(["--no-textconv", "--ignore-submodules=dirty", from.as_str(), "--"]);
        let others = self.repository.command("ls-files");
        let others = others.args(["--others", "--exclude-standard", "-z"]);
        let (diff, others) = tokio::try_join!(diff.run(), others.run())?;
        let mut changed: BTreeMap<RepoPath, ChangeKind> = BTreeMap::new();
        for Change { path, kind } in changes::parse("git diff", &diff.stdout)? {
            changed.insert(path, kind);
        }
        let untracked = others.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        for path in untracked {
            // A repository inside this one is listed as a folder, with a slash at its end.
            let path = RepoPath::from_bytes(path.strip_suffix(b"/").unwrap_or(path));
            // A file that was removed from the index only is both deleted and untracked.
            let known = changed.entry(path).and_modify(|kind| *kind = ChangeKind::Modified);
            known.or_insert(ChangeKind::Added);
        }
        Ok(changed.into_iter().map(|(path, kind)| Change { path, kind }).collect())
    }

    /// A copy of the index; `None` where nothing was ever added.
    async fn copy_index(&self) -> Result<Option<IndexCopy>, CommandError> {
        let path = self.repository.command("rev-parse").args(["--git-path", "index"]).run().await?;
        let index = self.root().join(path.text().trim_end_matches('\n'));
        let name =
            format!("ci-index-{}-{}", std::process::id(), COPIES.fetch_add(1, Ordering::Relaxed));
        let copy = IndexCopy(std::env::temp_dir().join(name));
        match tokio::fs::copy(&index, &copy.0).await {
            Ok(_) => Ok(Some(copy)),
            // Without a copy git uses the index itself, which is right, if not as quiet.
            Err(_) => Ok(None),
        }
    }

    /// Lists all files of `commit`.
    ///
    /// # Errors
    /// Git failed, or the commit is not there.
    pub async fn tree(&self, commit: &CommitSha) -> Result<Tree, CommandError> {
        self.repository.tree(commit).await
    }

    /// Reads what `tree` has at the paths that are `wanted`, in their order; a file that is larger than
    /// `most` bytes is measured instead.
    ///
    /// # Errors
    /// Git failed, or does not have what the tree names.
    pub async fn read_files(
        &self,
        tree: &Tree,
        wanted: impl Fn(&str) -> bool,
        most: u64,
    ) -> Result<Vec<(RepoPath, Content)>, CommandError> {
        self.repository.read_files(tree, wanted, most).await
    }

    /// The branch that is checked out; `None` where `HEAD` is a commit and no branch.
    ///
    /// # Errors
    /// Git failed.
    pub async fn branch(&self) -> Result<Option<BranchName>, CommandError> {
        let read = self.repository.command("symbolic-ref").args(["--quiet", "HEAD"]);
        let output = read.accepting(&[0, 1]).run().await?.text();
        let name = output.strip_prefix("refs/heads/");
        Ok(name.and_then(|name| BranchName::new(name).ok()))
    }

    /// The commit called `name`.
    ///
    /// # Errors
    /// There is none, or git failed.
    pub async fn commit(&self, name: &str) -> Result<CommitSha, WorkingCopyError> {
        let commit = format!("{name}^{{commit}}");
        let parse = self.repository.command("rev-parse");
        let parse = parse.args(["--verify", "--quiet", "--end-of-options", &commit]);
        let output = parse.accepting(&[0, 1, 128]).run().await?;
        CommitSha::new(output.text())
            .map_err(|_| WorkingCopyError::NoSuchCommit { name: name.to_owned() })
    }
}

/// A copy of an index, gone when it is dropped.
struct IndexCopy(PathBuf);

impl Drop for IndexCopy {
    fn drop(&mut self) {
        // What is left behind is small, and in the folder for such things.
        let _left = std::fs::remove_file(&self.0);
    }
}
