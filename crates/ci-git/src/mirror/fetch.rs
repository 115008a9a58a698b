//! Bringing the mirror up to date: all of it, or just what a webhook named.

use ci_domain::ids::{BranchName, PullNumber};

use super::Mirror;
use crate::command::{Command, CommandError};
use crate::hold::Hold;
use crate::refs;

/// All that is mirrored. Deleted references go; `refs/ci/` is no destination, so it stays.
const EVERYTHING: [&str; 3] = [
    "+refs/heads/*:refs/heads/*",
    "+refs/tags/*:refs/tags/*",
    "+refs/pull/*/head:refs/pull/*/head",
];

/// How git begins to say that the remote lacks a reference.
const NO_SUCH_REF: &str = "couldn't find remote ref ";

/// One reference to fetch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wanted {
    /// The tip of a branch.
    Branch(BranchName),
    /// The head of a pull request.
    Pull(PullNumber),
}

/// Why a fetch failed. Nothing is half done: each reference is either the old or the new one.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The remote no longer has a reference that was asked for, such as a deleted branch.
    #[error("fetch {reference}: the remote does not have it")]
    NoSuchRef {
        /// The reference in full.
        reference: String,
    },
    /// Anything else: no network, no permission, no space. A later attempt may succeed.
    #[error(transparent)]
    Git(#[from] CommandError),
}

impl Mirror {
    /// Fetches all branches, tags and pull heads, forgets those that are gone, and learns the
    /// remote's default branch.
    ///
    /// # Errors
    /// The remote cannot be reached or does not let us, or the disk is full.
    pub async fn fetch(&self) -> Result<(), FetchError> {
        let hold = self.hold().await?;
        let fetch = self.remote_command("fetch").args(["--prune"]);
        let fetch = run_fetch(fetch, &hold, EVERYTHING.map(str::to_owned));
        let ((), default_branch) = tokio::try_join!(fetch, self.remote_default_branch())?;
        if let Some(branch) = default_branch {
            self.point_head_at(&branch, &hold).await?;
        }
        Ok(self.list_tags().await?)
    }

    /// Fetches a few references and nothing else: the quick way after a webhook.
    ///
    /// Nothing is pruned, so a branch `a/b` that replaces a branch `a` fails until the next
    /// [`fetch`](Self::fetch).
    ///
    /// # Errors
    /// Like [`fetch`](Self::fetch); and if one of the references is gone, none is fetched.
    pub async fn fetch_some(&self, wanted: &[Wanted]) -> Result<(), FetchError> {
        if wanted.is_empty() {
            return Ok(());
        }
        let hold = self.hold().await?;
        let references = wanted.iter().map(Wanted::reference);
        let refspecs = references.map(|reference| format!("+{reference}:{reference}"));
        run_fetch(self.remote_command("fetch"), &hold, refspecs).await
    }

    /// Fetches the head of one pull request.
    ///
    /// # Errors
    /// Like [`fetch_some`](Self::fetch_some).
    pub async fn fetch_pull(&self, pull: PullNumber) -> Result<(), FetchError> {
        self.fetch_some(&[Wanted::Pull(pull)]).await
    }

    async fn remote_default_branch(&self) -> Result<Option<BranchName>, FetchError> {
        let list = self.remote_command("ls-remote").args(["--symref", "--", "origin", "HEAD"]);
        let output = list.run().await?;
        Ok(output.text().lines().find_map(symbolic_head))
    }

    async fn point_head_at(&self, branch: &BranchName, hold: &Hold) -> Result<(), FetchError> {
        let command = self.command("symbolic-ref").args(["HEAD", &format!("refs/heads/{branch}")]);
        command.holding(hold).run().await?;
        Ok(())
    }

    fn remote_command(&self, verb: &str) -> Command {
        self.remote.open(self.command(verb), self.credential.as_ref())
    }
}

impl Wanted {
    fn reference(&self) -> String {
        match self {
            Self::Branch(name) => format!("refs/heads/{name}"),
            Self::Pull(number) => format!("refs/pull/{number}/head"),
        }
    }
}

async fn run_fetch(
    fetch: Command,
    hold: &Hold,
    refspecs: impl IntoIterator<Item = String>,
) -> Result<(), FetchError> {
    let fetch = fetch
        .args(["--quiet", "--force", "--no-tags", "--no-write-fetch-head"])
        .args(["--no-show-forced-updates", "--no-recurse-submodules", "--", "origin"])
        .args(refspecs);
    match fetch.holding(hold).run().await {
        Ok(_) => Ok(()),
        Err(error) => Err(missing_ref(&error).unwrap_or(FetchError::Git(error))),
    }
}

fn missing_ref(error: &CommandError) -> Option<FetchError> {
    let (_, reference) = error.stderr().split_once(NO_SUCH_REF)?;
    let reference = reference.lines().next()?.trim().to_owned();
    Some(FetchError::NoSuchRef { reference })
}

/// Reads `ref: refs/heads/<branch> TAB HEAD`.
fn symbolic_head(line: &str) -> Option<BranchName> {
    let (target, name) = line.strip_prefix("ref: ")?.split_once('\t')?;
    (name == "HEAD").then(|| refs::branch(target)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_branch_is_what_head_points_at() {
        let check = |line: &str, expected: Option<&str>| {
            assert_eq!(symbolic_head(line).as_ref().map(BranchName::as_str), expected, "{line:?}");
        };
        check("ref: refs/heads/main\tHEAD", Some("main"));
        check("ref: refs/heads/--x\tHEAD", Some("--x"));
        check("ref: refs/heads/main\trefs/remotes/origin/HEAD", None);
        check("ref: refs/tags/v1\tHEAD", None);
        check("ce013625030ba8dba906f756967f9e9ca394464a\tHEAD", None);
    }
}
