//! Where the code of a build comes from, as far as its commands, what they see, and whether they may run
//! depend on it.

use std::collections::BTreeSet;

use ci_domain::forge::PullFacts;
use ci_domain::ids::{BranchName, PullNumber, RepoName};
use ci_domain::may_run::Head;
use ci_domain::outline::Prepared;
use ci_domain::subject::Subject;

/// Where the code of a build comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The pull request or branch that is built.
    pub(crate) subject: Subject,
    /// Whether it is the repository's own.
    pub(crate) head: Head,
    /// The branch that the code is on.
    pub(crate) branch: Option<BranchName>,
    /// The branch that the code is meant for.
    pub(crate) base: Option<BranchName>,
    /// The names of the secrets that its jobs see.
    pub(crate) secrets: BTreeSet<String>,
}

impl Origin {
    /// A pull request; what is not known of it is taken for a fork's.
    pub(crate) fn pull(
        number: PullNumber,
        facts: Option<&PullFacts>,
        prepared: Option<&Prepared>,
        repo: &RepoName,
    ) -> Self {
        let is_fork = facts.is_none_or(|facts| facts.from_fork(repo));
        let head = if is_fork { Head::ForkUnapproved } else { Head::Own };
        let subject = Subject::Pull(number);
        Self {
            secrets: secrets(prepared, &subject, head),
            subject,
            head,
            branch: facts.map(|facts| facts.head.branch.clone()),
            base: facts.map(|facts| facts.base.clone()),
        }
    }

    /// A branch of the repository itself.
    pub(crate) fn branch(name: BranchName, prepared: Option<&Prepared>) -> Self {
        let subject = Subject::Branch(name.clone());
        Self {
            secrets: secrets(prepared, &subject, Head::Own),
            subject,
            head: Head::Own,
            branch: Some(name.clone()),
            base: Some(name),
        }
    }
}

/// What the policy shows that the build was planned by.
fn secrets(prepared: Option<&Prepared>, subject: &Subject, head: Head) -> BTreeSet<String> {
    prepared.map(|prepared| prepared.policy.secrets_for(subject, head)).unwrap_or_default()
}
