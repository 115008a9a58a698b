//! What the repository's policy says: when a pull request is mergeable, what may run, and which secrets
//! what runs may see.

use std::collections::{BTreeMap, BTreeSet};

use crate::may_run::Head;
use crate::subject::Subject;

/// The whole policy, complete with its defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// When a pull request is mergeable.
    pub mergeable: Mergeable,
    /// What a moved base does to finished outcomes.
    pub base_moved: BaseMoved,
    /// Glob patterns of the branches that are built on push; empty means the default branch.
    pub branches: Vec<String>,
    /// Glob patterns of paths that affect nothing.
    pub ignore: Vec<String>,
    /// What a changed path affects that nothing claims.
    pub unowned: Unowned,
    /// When heads from forks run.
    pub forks: Forks,
    /// The secrets that jobs see, by the names of their variables.
    pub secrets: BTreeMap<String, Expose>,
}

/// When a pull request is mergeable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mergeable {
    /// How many distinct people with write access must approve.
    pub approvals: u32,
    /// Whether a request for changes holds the pull request back.
    pub block_on_changes_requested: bool,
    /// Whether an approval outlives the head it was given on.
    pub stale_approvals: StaleApprovals,
    /// Patterns `component:job` of jobs that never block.
    pub optional: Vec<String>,
    /// Jobs that must exist, written `component:job`.
    pub required: Vec<crate::ids::JobId>,
}

/// Whether an approval outlives the head it was given on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleApprovals {
    /// It does.
    Keep,
    /// It counts only for that head.
    Dismiss,
}

/// What a moved base does to finished outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseMoved {
    /// Nothing.
    Keep,
    /// Jobs whose inputs changed run again.
    Rerun,
}

/// What a changed path affects that nothing claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unowned {
    /// Every component.
    All,
    /// Nothing.
    None,
}

/// When heads from forks run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forks {
    /// Never.
    Never,
    /// Once someone with write access has approved that very head.
    AfterApproval,
    /// Like heads of the repository itself.
    Always,
}

/// To whose jobs a secret is shown; never to those of a fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expose {
    /// To those of branches.
    Branches,
    /// To those of branches, and of pull requests from branches of this repository.
    Internal,
}

impl Policy {
    /// The names of the secrets that jobs of `subject` see, whose code comes from `head`.
    ///
    /// | | branch | pull request, own | pull request of a fork |
    /// |---|---|---|---|
    /// | `branches` | yes | no | no |
    /// | `internal` | yes | yes | no |
    #[must_use]
    pub fn secrets_for(&self, subject: &Subject, head: Head) -> BTreeSet<String> {
        let is_shown = |expose: Expose| match (subject, head, expose) {
            (_, Head::ForkApproved | Head::ForkUnapproved, _) => false,
            (Subject::Branch(_), Head::Own, Expose::Branches | Expose::Internal) => true,
            (Subject::Pull(_), Head::Own, expose) => expose == Expose::Internal,
        };
        let shown = self.secrets.iter().filter(|(_, expose)| is_shown(**expose));
        shown.map(|(name, _)| name.clone()).collect()
    }
}

impl Default for Policy {
    /// The policy of a repository without a policy file.
    fn default() -> Self {
        Self {
            mergeable: Mergeable {
                approvals: 1,
                block_on_changes_requested: true,
                stale_approvals: StaleApprovals::Keep,
                optional: Vec::new(),
                required: Vec::new(),
            },
            base_moved: BaseMoved::Keep,
            branches: Vec::new(),
            ignore: Vec::new(),
            unowned: Unowned::All,
            forks: Forks::AfterApproval,
            secrets: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{BranchName, PullNumber};

    #[test]
    fn forks_see_no_secret_and_pull_requests_only_what_is_for_them() {
        let named = |name: &str, expose| (name.to_owned(), expose);
        let secrets = [named("B", Expose::Branches), named("I", Expose::Internal)];
        let policy = Policy { secrets: secrets.into(), ..Policy::default() };
        let check = |subject: &Subject, head, expected: &str| {
            let names = Vec::from_iter(policy.secrets_for(subject, head)).concat();
            assert_eq!(names, expected, "{subject} {head:?}");
        };
        let branch = Subject::Branch(BranchName::new("main").unwrap());
        let pull = Subject::Pull(PullNumber(1));
        check(&branch, Head::Own, "BI");
        check(&pull, Head::Own, "I");
        for subject in [&branch, &pull] {
            check(subject, Head::ForkApproved, "");
            check(subject, Head::ForkUnapproved, "");
        }
    }
}
