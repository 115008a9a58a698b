//! What the repository's policy says: when a pull request is mergeable and what may run.

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
        }
    }
}
