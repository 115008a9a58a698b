//! Bringing the mirror up to date: all of it, or just what somebody waits for.

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

/// What nobody needs here and each costs a process, a file or a walk: notes for a person's next pull,
/// words about what was forced, tags that come along, submodules. Maintenance and a graph of commits
/// are off in every call; that what arrived is complete is checked by git, and stays on.
const PLAIN: [&str; 6] = [
    "--quiet",
    "--force",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-show-forced-updates",
    "--no-recurse-submodules",
];

/// Branches are what the remote is asked to start from: it has never seen our merges, which would
/// otherwise be named first, a round trip for every few of them.
const KNOWN_TO_THE_REMOTE: &str = "--negotiation-tip=refs/heads/*";

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

impl Mirror {
    /// Fetches all branches, tags and pull heads, forgets those that are gone, and learns the
    /// remote's default branch.
    ///
    /// # Errors
    /// The remote cannot be reached or does not let us, or the disk is full. Nothing is half done: each
    /// reference is either the old or the new one.
    pub async fn fetch(&self) -> Result<(), CommandError> {
        let hold = self.hold().await?;
        let fetch = self.remote_command("fetch").arg("--prune").args(PLAIN);
        let fetch = fetch.args(["--", "origin"]).args(EVERYTHING).holding(&hold);
        let (_, default_branch) = tokio::try_join!(fetch.run(), self.remote_default_branch())?;
        if let Some(branch) = default_branch {
            self.point_head_at(&branch, &hold).await?;
        }
        self.pack_references(&hold).await?;
        self.list_tags().await
    }

    /// Fetches a few things at once and nothing else: the quick way after a webhook. Answers with those
    /// that the remote does not have, such as a branch that was deleted; the others are there then.
    ///
    /// Nothing is pruned, so a branch `a/b` that replaces a branch `a` fails until the next
    /// [`fetch`](Self::fetch).
    ///
    /// # Errors
    /// Like [`fetch`](Self::fetch); some of what was wanted may be there.
    pub async fn fetch_some(&self, wanted: &[Wanted]) -> Result<Vec<Wanted>, CommandError> {
        let hold = self.hold().await?;
        let (mut wanted, mut gone) = (wanted.to_vec(), Vec::new());
        while !wanted.is_empty() {
            let Err(error) = self.fetch_exactly(&wanted, &hold).await else { break };
            // Git gives up at the first that is gone, and names it.
            match wanted.iter().position(|wanted| wanted.is_missed_by(error.stderr())) {
                Some(index) => gone.push(wanted.remove(index)),
                None => return Err(error),
            }
        }
        self.has_written(wanted.len(), &hold).await?;
        Ok(gone)
    }

    async fn fetch_exactly(&self, wanted: &[Wanted], hold: &Hold) -> Result<(), CommandError> {
        let fetch = self.remote_command("fetch").args(PLAIN).arg(KNOWN_TO_THE_REMOTE);
        let fetch = fetch.args(wanted.iter().filter_map(Wanted::earlier));
        let fetch = fetch.args(["--", "origin"]).args(wanted.iter().map(Wanted::refspec));
        fetch.holding(hold).run().await.map(drop)
    }

    async fn remote_default_branch(&self) -> Result<Option<BranchName>, CommandError> {
        let list = self.remote_command("ls-remote").args(["--symref", "--", "origin", "HEAD"]);
        let output = list.run().await?;
        Ok(output.text().lines().find_map(symbolic_head))
    }

    async fn point_head_at(&self, branch: &BranchName, hold: &Hold) -> Result<(), CommandError> {
        let command = self.command("symbolic-ref").args(["HEAD", &format!("refs/heads/{branch}")]);
        command.holding(hold).run().await?;
        Ok(())
    }

    fn remote_command(&self, verb: &str) -> Command {
        self.remote.open(self.command(verb), self.credential.as_ref())
    }
}

impl Wanted {
    /// The reference in full.
    fn name(&self) -> String {
        match self {
            Self::Branch(name) => format!("refs/heads/{name}"),
            Self::Pull(number) => format!("refs/pull/{number}/head"),
        }
    }

    fn refspec(&self) -> String {
        let name = self.name();
        format!("+{name}:{name}")
    }

    /// The head that the pull request had, if there is one: the new one is probably close to it. As a
    /// pattern, because a name that is not there would be an error.
    fn earlier(&self) -> Option<String> {
        match self {
            Self::Pull(number) => Some(format!("--negotiation-tip=refs/pull/{number}/*")),
            Self::Branch(_) => None,
        }
    }

    /// Whether a fetch has failed because the remote does not have this.
    fn is_missed_by(&self, stderr: &str) -> bool {
        let missed = stderr.lines().filter_map(|line| line.split_once(NO_SUCH_REF));
        missed.into_iter().any(|(_, missed)| missed == self.name())
    }
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
    fn only_what_is_named_is_missing() {
        let pull = |number| Wanted::Pull(PullNumber(number));
        let check = |stderr: &str, wanted: &Wanted, expected: bool| {
            assert_eq!(wanted.is_missed_by(stderr), expected, "{wanted:?} in {stderr:?}");
        };
        let missed = "fatal: couldn't find remote ref refs/pull/8/head\nother words";
        check(missed, &pull(8), true);
        check(missed, &pull(18), false);
        check(missed, &Wanted::Branch(BranchName::new("8").unwrap()), false);
        check("fatal: unable to access 'http://ce01/'", &pull(8), false);
    }

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
