//! Whether a command may run: the one predicate, asked wherever a command is about to be spawned.

use crate::policy::Forks;

/// All that the answer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// Where the code comes from.
    pub head: Head,
    /// What the policy says of forks; `None` while there has never been a valid policy.
    pub forks: Option<Forks>,
    /// What stands between the command and the node.
    pub isolation: Isolation,
    /// Whether there is room to work.
    pub disk: Disk,
}

/// Where the code of a build comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// The repository itself: a branch, or a pull request from one of its branches.
    Own,
    /// A fork, with a head that someone with write access has approved to run.
    ForkApproved,
    /// A fork, with a head that nobody has approved to run.
    ForkUnapproved,
}

/// What stands between a command and the node that runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Nothing: the node's own configuration chose that.
    None,
    /// Namespaces.
    Namespaces,
    /// A container.
    Container,
    /// What was asked for does not work here; nothing runs.
    Unavailable,
}

/// Whether there is room to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// There is more free space than the reserve.
    Ok,
    /// Free space is below the reserve.
    Low,
}

/// Whether a command may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MayRun {
    /// It may.
    Yes,
    /// It may not, for this reason.
    No(Reason),
}

/// Why a command may not run; the first that applies, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There has never been a valid policy.
    PolicyUnknown,
    /// Free space is below the reserve; this passes.
    DiskLow,
    /// The isolation that was asked for does not work here.
    NoIsolation,
    /// The policy never builds forks.
    ForksNever,
    /// Nobody has approved this head of a fork yet.
    AwaitingApproval,
    /// A fork never runs without isolation, approved or not.
    ForkWithoutIsolation,
}

impl Reason {
    /// Whether it is the code that is not trusted, or not yet. Then what runs of it is stopped; all else
    /// only keeps commands from beginning.
    #[must_use]
    pub fn is_distrust(self) -> bool {
        matches!(self, Self::PolicyUnknown | Self::ForksNever | Self::AwaitingApproval)
    }
}

impl MayRun {
    /// Whether it is the code that is not trusted.
    #[must_use]
    pub fn is_distrust(self) -> bool {
        matches!(self, Self::No(reason) if reason.is_distrust())
    }

    /// Decides.
    ///
    /// | head | `never` | `after_approval` | `always` |
    /// |---|---|---|---|
    /// | own | yes | yes | yes |
    /// | fork, approved | no | yes, if isolated | yes, if isolated |
    /// | fork, not approved | no | no | yes, if isolated |
    #[must_use]
    pub fn decide(circumstances: Circumstances) -> Self {
        match Self::obstacle(circumstances) {
            Some(reason) => Self::No(reason),
            None => Self::Yes,
        }
    }

    fn obstacle(Circumstances { head, forks, isolation, disk }: Circumstances) -> Option<Reason> {
        let Some(forks) = forks else {
            return Some(Reason::PolicyUnknown);
        };
        if disk == Disk::Low {
            return Some(Reason::DiskLow);
        }
        if isolation == Isolation::Unavailable {
            return Some(Reason::NoIsolation);
        }
        match (head, forks) {
            (Head::Own, _) => None,
            (_, Forks::Never) => Some(Reason::ForksNever),
            (Head::ForkUnapproved, Forks::AfterApproval) => Some(Reason::AwaitingApproval),
            (Head::ForkApproved | Head::ForkUnapproved, Forks::AfterApproval | Forks::Always) => {
                (isolation == Isolation::None).then_some(Reason::ForkWithoutIsolation)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADS: [Head; 3] = [Head::Own, Head::ForkApproved, Head::ForkUnapproved];
    const FORKS: [Forks; 3] = [Forks::Never, Forks::AfterApproval, Forks::Always];

    fn check(forks: Option<Forks>, isolation: Isolation, disk: Disk, expected: [MayRun; 3]) {
        let found =
            HEADS.map(|head| MayRun::decide(Circumstances { head, forks, isolation, disk }));
        assert_eq!(found, expected, "{forks:?} {isolation:?} {disk:?}");
    }

    #[test]
    fn a_fork_runs_only_isolated_and_as_the_policy_says() {
        use MayRun::{No, Yes};
        let bare = No(Reason::ForkWithoutIsolation);
        let (never, wait) = (No(Reason::ForksNever), No(Reason::AwaitingApproval));
        for (isolation, isolated) in
            [(Isolation::None, bare), (Isolation::Namespaces, Yes), (Isolation::Container, Yes)]
        {
            check(Some(Forks::Never), isolation, Disk::Ok, [Yes, never, never]);
            check(Some(Forks::AfterApproval), isolation, Disk::Ok, [Yes, isolated, wait]);
            check(Some(Forks::Always), isolation, Disk::Ok, [Yes, isolated, isolated]);
        }
    }

    #[test]
    fn nothing_runs_without_policy_disk_or_isolation() {
        let all = |reason| [MayRun::No(reason); 3];
        check(None, Isolation::Unavailable, Disk::Low, all(Reason::PolicyUnknown));
        for forks in FORKS.map(Some) {
            check(forks, Isolation::Unavailable, Disk::Low, all(Reason::DiskLow));
            check(forks, Isolation::None, Disk::Low, all(Reason::DiskLow));
            check(forks, Isolation::Unavailable, Disk::Ok, all(Reason::NoIsolation));
        }
    }
}
