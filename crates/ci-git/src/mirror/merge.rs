//! The commit that a pull request is built at: head merged into base.

use ci_domain::ids::CommitSha;
use ci_domain::subject::Subject;

use super::Mirror;
use crate::command::CommandError;
use crate::objects::{Kind, Object};
use crate::tree::{Listing, ObjectId, RepoPath, Tree};

/// Merges are nobody's work, and the same two parents must always give the same commit.
const AUTHOR: &str = "ci-node <ci-node@localhost>";

/// The last second of the year 9999; later dates are mistakes, and git refuses some of them.
const LATEST: i64 = 253_402_300_799;

/// Commits are a few hundred bytes; the date of one that is larger than this is not worth reading it.
const LARGEST_COMMIT: u64 = 1024 * 1024;

/// How git says that two commits have nothing to do with each other.
const UNRELATED: &str = "refusing to merge unrelated histories";

/// What to merge.
#[derive(Clone, Copy, Debug)]
pub struct MergeRequest<'a> {
    /// The commit to merge into; the first parent.
    pub base: &'a CommitSha,
    /// The commit to merge; the second parent.
    pub head: &'a CommitSha,
    /// For whom the merge is kept until it is unpinned.
    pub pin: &'a Subject,
}

/// The outcome of a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Everything fits.
    Clean(MergeCommit),
    /// People have to decide.
    Conflict {
        /// Where both sides changed the same; none where base and head have no common ancestor.
        paths: Vec<RepoPath>,
    },
}

/// A merge without conflicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeCommit {
    /// The merge, a commit of two parents even where one of them contains the other; where they are
    /// the same commit, git keeps one.
    pub commit: CommitSha,
    /// Its tree.
    pub tree: ObjectId,
    /// The first parent.
    pub base: CommitSha,
    /// The second parent.
    pub head: CommitSha,
    /// All its files.
    pub files: Tree,
}

/// Why there is no outcome.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A parent has not been fetched, or is gone from the remote.
    #[error("merge {commit}: the mirror does not have it")]
    MissingCommit {
        /// The one that is missing.
        commit: CommitSha,
    },
    /// Git failed.
    #[error(transparent)]
    Git(#[from] CommandError),
}

enum MergedTree {
    Clean(ObjectId),
    Conflict(Vec<RepoPath>),
}

/// What a merge has to know of the commits that it merges.
struct Parents {
    /// The later committer date, in seconds.
    date: i64,
    base_tree: Option<ObjectId>,
}

impl Mirror {
    /// Merges `request.head` into `request.base` and pins the result.
    ///
    /// The same parents give the same commit, on every node and after every restart.
    ///
    /// # Errors
    /// A commit is missing, or git failed. A conflict is no error.
    pub async fn merge(&self, request: MergeRequest<'_>) -> Result<Merge, MergeError> {
        let MergeRequest { base, head, pin } = request;
        let (parents, merged) =
            tokio::join!(self.parents([base, head]), self.merge_trees(base, head));
        // In this order, because only the parents tell a missing commit from other failures.
        let Parents { date, base_tree } = parents?;
        let tree = match merged? {
            MergedTree::Clean(tree) => tree,
            MergedTree::Conflict(paths) => return Ok(Merge::Conflict { paths }),
        };
        let commit = async {
            let commit = self.commit(&tree, request, date).await?;
            self.pin(pin, &commit).await?;
            Ok(commit)
        };
        let files = self.list_merged(base, base_tree, &tree);
        let (commit, files) = tokio::try_join!(commit, files)?;
        let (base, head, files) = (base.clone(), head.clone(), files.of(commit.clone()));
        self.listings.keep(&files);
        Ok(Merge::Clean(MergeCommit { commit, tree, base, head, files }))
    }

    async fn merge_trees(
        &self,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<MergedTree, CommandError> {
        let merged = self
            .command("merge-tree")
            .args(["--write-tree", "-z", "--name-only", "--no-messages"])
            .args([base.as_str(), head.as_str()])
            // Merge attributes come from the base, not from whatever the default branch has now.
            .env("GIT_ATTR_SOURCE", base.as_str())
            .accepting(&[0, 1])
            .run()
            .await;
        match merged {
            Ok(output) => parse(&output.stdout, output.code == 0).ok_or_else(|| {
                CommandError::unexpected("git merge-tree", output.stderr.as_bytes())
            }),
            Err(error) if error.stderr().contains(UNRELATED) => {
                Ok(MergedTree::Conflict(Vec::new()))
            }
            Err(error) => Err(error),
        }
    }

    /// Reads base and head.
    async fn parents(&self, commits: [&CommitSha; 2]) -> Result<Parents, MergeError> {
        let names = commits.map(CommitSha::as_str);
        let read = self.repository.read(Kind::Commit, &names, LARGEST_COMMIT).await?;
        let base_tree = match read.first() {
            Some(Object::Content(base)) => tree_of(base),
            _ => None,
        };
        let mut later = 0;
        for (commit, object) in commits.into_iter().zip(read) {
            let date = match object {
                Object::Content(text) => committed_at(&text),
                Object::TooLarge { .. } => Some(0),
                Object::Missing => None,
            };
            let missing = || MergeError::MissingCommit { commit: commit.clone() };
            later = date.ok_or_else(missing)?.clamp(later, LATEST);
        }
        Ok(Parents { date: later, base_tree })
    }

    /// Lists the tree of a merge, by what differs from its base.
    async fn list_merged(
        &self,
        base: &CommitSha,
        base_tree: Option<ObjectId>,
        tree: &ObjectId,
    ) -> Result<Listing, CommandError> {
        let listed = self.tree(base).await?;
        match base_tree {
            Some(base_tree) => self.repository.list_like(&listed, base_tree, tree.clone()).await,
            None => self.repository.list(tree.as_str()).await,
        }
    }

    async fn commit(
        &self,
        tree: &ObjectId,
        MergeRequest { base, head, .. }: MergeRequest<'_>,
        date: i64,
    ) -> Result<CommitSha, CommandError> {
        let mut content = format!("tree {tree}\nparent {base}\n");
        if base != head {
            content.push_str(&format!("parent {head}\n"));
        }
        for role in ["author", "committer"] {
            content.push_str(&format!("{role} {AUTHOR} {date} +0000\n"));
        }
        content.push_str(&format!("\nMerge {head} into {base}\n"));
        self.write_commit(&content).await
    }
}

/// Reads `<tree> NUL` and, after a conflict, `<path> NUL` for each file.
fn parse(output: &[u8], clean: bool) -> Option<MergedTree> {
    let mut fields = output.split(|byte| *byte == 0).filter(|field| !field.is_empty());
    let tree = ObjectId::parse(str::from_utf8(fields.next()?).ok()?)?;
    Some(match clean {
        true => MergedTree::Clean(tree),
        false => MergedTree::Conflict(fields.map(RepoPath::from_bytes).collect()),
    })
}

/// Reads the line `tree <object>`, which a commit begins with.
fn tree_of(commit: &[u8]) -> Option<ObjectId> {
    let line = commit.split(|byte| *byte == b'\n').next()?;
    ObjectId::parse(str::from_utf8(line.strip_prefix(b"tree ")?).ok()?)
}

/// Reads the date from the line `committer <name> <<address>> <seconds> <zone>` of a commit's header.
fn committed_at(commit: &[u8]) -> Option<i64> {
    let header = commit.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    let line = header.into_iter().find_map(|line| line.strip_prefix(b"committer "))?;
    let line = String::from_utf8_lossy(line);
    let (_, dated) = line.rsplit_once('>')?;
    // A date that cannot be read is no reason not to build.
    Some(dated.split_whitespace().next().and_then(|date| date.parse().ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committer_date_is_read_from_the_header() {
        let check = |header: &str, expected: Option<i64>| {
            let commit = format!("tree ce01\nauthor A <a@x> 5 +0100\n{header}\n\ncommitter > 9 +0");
            assert_eq!(committed_at(commit.as_bytes()), expected, "{header:?}");
        };
        check("committer A B <a@x> 1700000000 -0330", Some(1_700_000_000));
        check("committer A <a> <b> 17 +0000", Some(17));
        check("committer A <a@x> -17 +0000", Some(-17));
        check("committer A <a@x> soon", Some(0));
        check("committer A <a@x>", Some(0));
        check("committer nobody", None);
        check("encoding latin1", None);
    }
}
