//! What the repository's policy says: when a pull request is mergeable, what may run, and which secrets
//! what runs may see.

mod differences;

use std::collections::{BTreeMap, BTreeSet};

use crate::may_run::{Head, Isolation};
use crate::nightly::{Mention, Nightly};
use crate::pipeline::On;
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
    /// What stands between jobs and the world.
    pub sandbox: Sandbox,
    /// When nightly jobs run.
    pub nightly: Nightly,
    /// Who is called where one of them fails.
    pub mention_on_nightly_failure: Option<Mention>,
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
    /// Whether somebody must approve of those who own each changed path.
    pub code_owners: bool,
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

/// What stands between jobs and the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sandbox {
    /// The least that must keep jobs from the node; `None` leaves it to the node.
    pub isolation: Option<Demand>,
    /// What jobs reach of the network.
    pub network: Network,
    /// What those of forks reach.
    pub forks_network: Network,
}

/// The least that must keep jobs from the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Namespaces, or a container.
    Namespaces,
    /// A container.
    Container,
}

/// What jobs reach of the network. Without isolation nothing can keep them from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// What the node reaches.
    Shared,
    /// Nothing but themselves.
    None,
}

impl Sandbox {
    /// What the jobs have on a node that offers `offered`. What is demanded is never lowered.
    ///
    /// | the policy says | `none` | `namespaces` | `container` |
    /// |---|---|---|---|
    /// | nothing | `none` | `namespaces` | `container` |
    /// | no network | unavailable | `namespaces` | `container` |
    /// | `namespaces` | unavailable | `namespaces` | `container` |
    /// | `container` | unavailable | unavailable | `container` |
    #[must_use]
    pub fn on(self, offered: Isolation) -> Isolation {
        match (self.isolation, offered) {
            (Some(_), Isolation::None) | (Some(Demand::Container), Isolation::Namespaces) => {
                Isolation::Unavailable
            }
            (None, Isolation::None) if self.network == Network::None => Isolation::Unavailable,
            (None | Some(Demand::Namespaces | Demand::Container), offered) => offered,
        }
    }

    /// Why the jobs have no better isolation on a node that offers `offered` and says `why` not more.
    #[must_use]
    pub fn trouble_on(self, offered: Isolation, why: &str) -> String {
        let offers = match offered {
            Isolation::None => "none",
            Isolation::Namespaces => "namespaces",
            Isolation::Container | Isolation::Unavailable => return why.to_owned(),
        };
        if self.on(offered) != Isolation::Unavailable {
            return why.to_owned();
        }
        let demand = self.isolation.map_or("no network", Demand::word);
        format!("the policy demands {demand}, this node offers {offers}")
    }

    /// What jobs reach whose code comes from `head`: those of a fork no more than others.
    #[must_use]
    pub fn network_for(self, head: Head) -> Network {
        match (head, self.network) {
            (Head::Own, network) => network,
            (Head::ForkApproved | Head::ForkUnapproved, Network::Shared) => self.forks_network,
            (Head::ForkApproved | Head::ForkUnapproved, Network::None) => Network::None,
        }
    }
}

impl Demand {
    /// What the policy calls it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::Container => "container",
        }
    }
}

impl Policy {
    /// The names of the secrets that jobs of `subject` see, whose code comes from `head`.
    ///
    /// | | branch | pull request, own | pull request of a fork |
    /// |---|---|---|---|
    /// | `branches` | yes | no | no |
    /// | `internal` | yes | yes | no |
    ///
    /// A head of the merge queue sees what a pull request would.
    #[must_use]
    pub fn secrets_for(&self, subject: &Subject, head: Head) -> BTreeSet<String> {
        let is_shown = |expose: Expose| match (subject, head, expose) {
            (_, Head::ForkApproved | Head::ForkUnapproved, _) => false,
            (_, Head::Own, Expose::Internal) => true,
            (subject, Head::Own, Expose::Branches) => subject.runs() == On::Branch,
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
                code_owners: false,
                optional: Vec::new(),
                required: Vec::new(),
            },
            base_moved: BaseMoved::Keep,
            branches: Vec::new(),
            ignore: Vec::new(),
            unowned: Unowned::All,
            forks: Forks::AfterApproval,
            secrets: BTreeMap::new(),
            sandbox: Sandbox {
                isolation: None,
                network: Network::Shared,
                forks_network: Network::None,
            },
            nightly: Nightly::default(),
            mention_on_nightly_failure: None,
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
        let queued = format!("gh-readonly-queue/main/pr-1-{}", "a".repeat(40));
        let queued = Subject::Branch(BranchName::new(queued).unwrap());
        let pull = Subject::Pull(PullNumber(1));
        check(&branch, Head::Own, "BI");
        check(&pull, Head::Own, "I");
        check(&queued, Head::Own, "I");
        for subject in [&branch, &pull, &queued] {
            check(subject, Head::ForkApproved, "");
            check(subject, Head::ForkUnapproved, "");
        }
    }

    fn sandbox(isolation: Option<Demand>) -> Sandbox {
        Sandbox { isolation, ..Policy::default().sandbox }
    }

    #[test]
    fn what_is_demanded_is_never_lowered() {
        use Isolation::{Container, Namespaces, None as Nothing, Unavailable};
        let offers = [Nothing, Namespaces, Container, Unavailable];
        let check = |demand, expected| {
            assert_eq!(offers.map(|offer| sandbox(demand).on(offer)), expected, "{demand:?}");
        };
        check(None, offers);
        let cut = Sandbox { network: Network::None, ..sandbox(None) };
        assert_eq!(
            offers.map(|offer| cut.on(offer)),
            [Unavailable, Namespaces, Container, Unavailable]
        );
        check(Some(Demand::Namespaces), [Unavailable, Namespaces, Container, Unavailable]);
        check(Some(Demand::Container), [Unavailable, Unavailable, Container, Unavailable]);
    }

    #[test]
    fn what_is_missing_is_told_by_whoever_misses_it() {
        let check = |demand, offered, expected| {
            assert_eq!(sandbox(demand).trouble_on(offered, "no bwrap"), expected);
        };
        let by_policy = "the policy demands container, this node offers namespaces";
        check(Some(Demand::Container), Isolation::Namespaces, by_policy);
        check(
            Some(Demand::Namespaces),
            Isolation::None,
            "the policy demands namespaces, this node offers none",
        );
        let cut = Sandbox { network: Network::None, ..sandbox(None) };
        assert_eq!(
            cut.trouble_on(Isolation::None, ""),
            "the policy demands no network, this node offers none"
        );
        check(Some(Demand::Container), Isolation::Unavailable, "no bwrap");
        check(None, Isolation::None, "no bwrap");
        check(Some(Demand::Namespaces), Isolation::Namespaces, "no bwrap");
    }

    #[test]
    fn forks_reach_no_more_of_the_network_than_others() {
        use Network::{None as Cut, Shared};
        for (network, forks_network, expected) in
            [(Shared, Shared, Shared), (Shared, Cut, Cut), (Cut, Shared, Cut), (Cut, Cut, Cut)]
        {
            let sandbox = Sandbox { isolation: None, network, forks_network };
            assert_eq!(sandbox.network_for(Head::Own), network);
            assert_eq!(sandbox.network_for(Head::ForkApproved), expected);
            assert_eq!(sandbox.network_for(Head::ForkUnapproved), expected);
        }
    }
}
