//! Where the code of a build comes from, as far as its commands, what they see, and whether they may run
//! depend on it.

use std::collections::BTreeSet;

use ci_domain::ids::BranchName;
use ci_domain::may_run::Head;
use ci_domain::outline::Prepared;
use ci_domain::policy::{Forks, Policy, Sandbox};
use ci_domain::pull::Pull;
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
    /// When heads of forks run; `None` where no policy ever said so.
    pub(crate) forks: Option<Forks>,
    /// What is to stand between its jobs and the world.
    pub(crate) sandbox: Sandbox,
    /// The names of the secrets that its jobs see.
    pub(crate) secrets: BTreeSet<String>,
    /// What its jobs wait behind.
    pub(crate) kind: JobKind,
}

/// Why a job runs, as far as it waits for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobKind {
    /// Somebody pushed, or waits for it.
    OnPush,
    /// It is night.
    Nightly,
}

impl Origin {
    /// A pull request; what is not known of it is taken for a fork's.
    pub(crate) fn pull(pull: &Pull) -> Self {
        let (facts, prepared) = (pull.facts(), pull.prepared());
        let is_fork = facts.is_none_or(|facts| facts.from_fork(&pull.config().repo));
        let head = match (is_fork, pull.is_approved_to_run()) {
            (false, _) => Head::Own,
            (true, true) => Head::ForkApproved,
            (true, false) => Head::ForkUnapproved,
        };
        let subject = Subject::Pull(pull.config().number);
        Self {
            secrets: secrets(prepared, &subject, head),
            forks: forks(prepared),
            sandbox: sandbox(prepared),
            subject,
            head,
            branch: facts.map(|facts| facts.head.branch.clone()),
            base: facts.map(|facts| facts.base.clone()),
            kind: JobKind::OnPush,
        }
    }

    /// A branch of the repository itself.
    pub(crate) fn branch(
        name: BranchName,
        prepared: Option<&Prepared>,
        kind: JobKind,
    ) -> Self {
        let subject = Subject::Branch(name.clone());
        Self {
            secrets: secrets(prepared, &subject, Head::Own),
            forks: forks(prepared),
            sandbox: sandbox(prepared),
            subject,
            head: Head::Own,
            branch: Some(name.clone()),
            base: Some(name),
            kind,
        }
    }
}

fn forks(prepared: Option<&Prepared>) -> Option<Forks> {
    prepared.map(|prepared| prepared.policy.forks)
}

fn sandbox(prepared: Option<&Prepared>) -> Sandbox {
    prepared.map_or(Policy::default().sandbox, |prepared| prepared.policy.sandbox)
}

/// What the policy shows that the build was planned by.
fn secrets(prepared: Option<&Prepared>, subject: &Subject, head: Head) -> BTreeSet<String> {
    prepared.map(|prepared| prepared.policy.secrets_for(subject, head)).unwrap_or_default()
}
