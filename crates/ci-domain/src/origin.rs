//! Where the code of a build comes from, as far as its commands, what they see, and whether they may run
//! depend on it.
//!
//! It is made anew whenever something is recorded that it depends on, and looked at where a command is
//! about to be spawned: nothing of it is kept with a build or a job.

use std::collections::BTreeSet;

use crate::branch::Branch;
use crate::ids::{BranchName, CommitSha, Login, RepoName};
use crate::may_run::{Circumstances, Disk, Head, Isolation, MayRun};
use crate::merge_queue::QueueHead;
use crate::outline::Prepared;
use crate::policy::{Forks, Policy, Sandbox};
use crate::pull::Pull;
use crate::subject::Subject;

/// Where the code of a build comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The pull request or branch that is built.
    pub subject: Subject,
    /// Whether it is the repository's own.
    pub head: Head,
    /// The branch that the code is on.
    pub branch: Option<BranchName>,
    /// The branch that the code is meant for.
    pub base: Option<BranchName>,
    /// When heads of forks run; `None` where no policy ever said so.
    pub forks: Option<Forks>,
    /// What is to stand between its jobs and the world.
    pub sandbox: Sandbox,
    /// The names of the secrets that its jobs see.
    pub secrets: BTreeSet<String>,
    /// Which of its jobs are run.
    pub kind: JobKind,
    /// Who proposes it; nobody does on a branch.
    pub author: Option<Login>,
}

/// On whose behalf jobs wait: people take turns, and so does each branch; the pull requests of one author
/// take turns among themselves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Party {
    /// The author, or the branch.
    pub who: String,
    /// The pull request.
    pub what: Option<String>,
}

/// Which jobs of some code are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// Those that a push calls for.
    OnPush,
    /// Those of the night.
    Nightly,
}

impl Origin {
    /// That commit of a pull request, whatever its head is by now; what is not known of it is taken for a
    /// fork's.
    #[must_use]
    pub fn pull(pull: &Pull, commit: &CommitSha) -> Self {
        let (facts, prepared) = (pull.facts(), pull.last_prepared());
        let is_fork = facts.is_none_or(|facts| facts.from_fork(&pull.config().repo));
        let head = match (is_fork, pull.has_leave(commit)) {
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
            author: facts.map(|facts| facts.author.clone()),
        }
    }

    /// A branch of the repository itself, or a head of the merge queue.
    #[must_use]
    pub fn branch(branch: &Branch, kind: JobKind) -> Self {
        let (name, prepared, head) = (&branch.config().name, branch.prepared(), branch.head());
        let subject = Subject::Branch(name.clone());
        let base = QueueHead::of(name).map_or_else(|| name.clone(), |queued| queued.base);
        Self {
            secrets: secrets(prepared, &subject, head),
            forks: forks(prepared),
            sandbox: sandbox(prepared),
            subject,
            head,
            branch: Some(name.clone()),
            base: Some(base),
            kind,
            author: None,
        }
    }

    /// On whose behalf its jobs wait, in a repository.
    #[must_use]
    pub fn party(&self, repo: &RepoName) -> Party {
        match (&self.author, &self.subject) {
            (Some(author), Subject::Pull(number)) => {
                Party { who: format!("@{author}"), what: Some(format!("{repo}#{number}")) }
            }
            (Some(author), Subject::Branch(_)) => Party { who: format!("@{author}"), what: None },
            (None, subject) => Party { who: subject.to_string(), what: None },
        }
    }

    /// Whether a command of it may run on a node that offers `offered`.
    #[must_use]
    pub fn may_run(&self, offered: Isolation, disk: Disk) -> MayRun {
        let isolation = self.sandbox.on(offered);
        MayRun::decide(Circumstances { head: self.head, forks: self.forks, isolation, disk })
    }
}

fn forks(prepared: Option<&Prepared>) -> Option<Forks> {
    prepared.map(|prepared| prepared.policy.forks)
}

fn sandbox(prepared: Option<&Prepared>) -> Sandbox {
    prepared.map_or(Policy::default().sandbox, |prepared| prepared.policy.sandbox)
}

/// What the policy shows that was read last.
fn secrets(prepared: Option<&Prepared>, subject: &Subject, head: Head) -> BTreeSet<String> {
    prepared.map(|prepared| prepared.policy.secrets_for(subject, head)).unwrap_or_default()
}
