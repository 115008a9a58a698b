//! The node's own bare copy of a repository.
//!
//! | reference | is |
//! |---|---|
//! | `refs/heads/*`, `refs/tags/*` | the remote's, forced and pruned by [`Mirror::fetch`] |
//! | `refs/pull/*/head` | the remote's pull heads, likewise |
//! | `refs/ci/<subject>/<commit>` | what a build may still need; never touched by a fetch |
//! | `HEAD` | the remote's default branch |

mod fetch;
mod listings;
mod maintain;
mod merge;
mod open;
mod pin;
mod tags;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use ci_domain::ids::CommitSha;

use crate::command::{Command, CommandError};
use crate::contents::Content;
use crate::git::Git;
use crate::hold::{Hold, Sharing};
use crate::objects::Kind;
use crate::refs::Refs;
use crate::remote::{Credential, RemoteUrl};
use crate::repository::Repository;
use crate::tree::{RepoPath, Tree};

use self::listings::Listings;
use self::write::Writers;

pub use self::fetch::Wanted;
pub use self::merge::{Merge, MergeCommit, MergeError, MergeRequest};
pub use self::open::{OpenError, Opened};
pub(crate) use self::tags::SORTED;

/// Where a mirror is and what it copies.
#[derive(Clone, Debug)]
pub struct MirrorConfig {
    /// The git to use.
    pub git: Git,
    /// The mirror's folder; it is made if absent. A lock file is kept beside it.
    pub dir: PathBuf,
    /// The address of the remote, without user and password.
    pub url: String,
    /// What the remote wants to see; used with https and http only.
    pub credential: Option<Credential>,
    /// How long one git command may take; the first fetch of a large repository takes longest.
    pub timeout: Duration,
}

/// A mirror that has been opened; clones are the same mirror.
#[derive(Clone, Debug)]
pub struct Mirror {
    repository: Repository,
    remote: Arc<RemoteUrl>,
    credential: Option<Credential>,
    lock: PathBuf,
    listings: Listings,
    writers: Writers,
    /// References that were written since all were packed.
    loose_references: Arc<AtomicUsize>,
}

impl Mirror {
    /// The mirror's folder. Jobs need to read its `objects`, at the same path.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.repository.path()
    }

    /// The branches, pull heads and default branch, as of the last fetch.
    ///
    /// # Errors
    /// Git failed.
    pub async fn refs(&self) -> Result<Refs, CommandError> {
        self.repository.refs().await
    }

    /// Lists all files of `commit`; one that was listed lately costs nothing, nor does a merge that was
    /// made lately.
    ///
    /// # Errors
    /// Git failed, or the commit is not there.
    pub async fn tree(&self, commit: &CommitSha) -> Result<Tree, CommandError> {
        if let Some(tree) = self.listings.get(commit) {
            return Ok(tree);
        }
        let tree = self.repository.tree(commit).await?;
        self.listings.keep(&tree);
        Ok(tree)
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

    /// Those of `commits` that the mirror does not have. What a commit refers to is not looked at; that is
    /// there too, unless the mirror is broken.
    ///
    /// # Errors
    /// Git failed.
    pub async fn lacking<'a>(
        &self,
        commits: impl IntoIterator<Item = &'a CommitSha>,
    ) -> Result<Vec<&'a CommitSha>, CommandError> {
        let commits: Vec<&CommitSha> = commits.into_iter().collect();
        let names: Vec<&str> = commits.iter().map(|commit| commit.as_str()).collect();
        let sizes = self.repository.measure(Kind::Commit, &names).await?;
        let absent = commits.into_iter().zip(sizes).filter(|(_, size)| size.is_none());
        Ok(absent.map(|(commit, _)| commit).collect())
    }

    pub(crate) fn command(&self, verb: &str) -> Command {
        self.repository.command(verb)
    }

    /// Keeps the next life of the node from tidying up while a command of this one runs.
    async fn hold(&self) -> Result<Hold, CommandError> {
        Ok(Hold::take(&self.lock, Sharing::Shared, self.repository.limit()).await?)
    }
}
