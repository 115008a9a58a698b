//! Heads of GitHub's merge queue: for what it would merge, GitHub makes a branch and waits for the checks of
//! its tip.
//!
//! ```text
//! gh-readonly-queue/<base>/pr-<number>-<commit that it comes after>
//! ```
//!
//! Such a tip holds a pull request and all those before it in the queue, back to the tip of the base. It is
//! a branch in that nobody reviews it, and like a pull request in which jobs it runs and what they see.

use crate::ids::{BranchName, CommitSha, PullNumber};
use crate::may_run::Head;

const PREFIX: &str = "gh-readonly-queue/";

/// What the name of a branch of the merge queue says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueHead {
    /// The branch that it would be merged into.
    pub base: BranchName,
    /// The pull request that it adds.
    pub pull: PullNumber,
    /// What it adds it to: the tip of the base, or the head before it in the queue.
    pub after: CommitSha,
}

/// What is known of a head of the merge queue, beside its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The tip of the base; `None` where that is not known.
    pub base: Option<CommitSha>,
    /// [`Head::Own`] if all that it adds is known to come from the repository itself. Whoever may queue a
    /// pull request may let it run, so a fork's code counts as approved.
    pub head: Head,
}

impl QueueHead {
    /// Reads the name of a branch; `None` for every other one.
    #[must_use]
    pub fn of(branch: &BranchName) -> Option<Self> {
        let (base, added) = branch.as_str().strip_prefix(PREFIX)?.rsplit_once("/pr-")?;
        let (pull, after) = added.split_once('-')?;
        Some(Self {
            base: BranchName::new(base).ok()?,
            pull: PullNumber(pull.parse().ok()?),
            after: CommitSha::new(after).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_that_github_gives_are_heads_of_its_queue() {
        let sha = "9".repeat(40);
        let read = |name: String| QueueHead::of(&BranchName::new(name).unwrap());
        let expected = |base: &str| {
            let base = BranchName::new(base).unwrap();
            let after = CommitSha::new(sha.clone()).unwrap();
            Some(QueueHead { base, pull: PullNumber(104), after })
        };
        assert_eq!(read(format!("gh-readonly-queue/main/pr-104-{sha}")), expected("main"));
        let nested = format!("gh-readonly-queue/release/pr-1/2/pr-104-{sha}");
        assert_eq!(read(nested), expected("release/pr-1/2"));
        for other in [
            "main".to_owned(),
            "gh-readonly-queue/main".to_owned(),
            "gh-readonly-queue/main/pr-104".to_owned(),
            "gh-readonly-queue/main/pr-104-9999".to_owned(),
            format!("gh-readonly-queue/main/pr-x-{sha}"),
            format!("gh-readonly-queue/main/pr--{sha}"),
            format!("gh-readonly-queue/pr-104-{sha}"),
            format!("x/gh-readonly-queue/main/pr-104-{sha}"),
        ] {
            assert_eq!(read(other.clone()), None, "{other}");
        }
    }
}
