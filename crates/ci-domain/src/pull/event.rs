//! What happens to a pull request, and what it wants done.

use std::collections::{BTreeMap, BTreeSet};

use crate::build::{BuildSpec, Order};
use crate::forge::{CommentId, PullFacts};
use crate::ids::{BuildNumber, CommitSha, JobId, Login};
use crate::outcome::Outcome;
use crate::outline::{Basis, Prepared};
use crate::pull::{Question, Request};

/// Something that happened to a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullEvent {
    /// The forge was read.
    Observed(Observation),
    /// Head and base were merged and planned.
    Prepared(Box<Prepared>),
    /// They could not be; nothing is known about why it would not work the next time.
    PrepareFailed {
        /// What was to be prepared.
        basis: Basis,
        /// What went wrong.
        reason: String,
    },
    /// A build was decided on.
    BuildDecided(BuildSpec),
    /// An order to the running build was decided on.
    OrderDecided(Order),
    /// The running build is not wanted any more.
    SupersedeDecided,
    /// A job of a build ended.
    JobFinished {
        /// The head it was run for.
        head: CommitSha,
        /// The job.
        job: JobId,
        /// How it ended.
        outcome: Outcome,
    },
    /// The actor of a build began anew; what it had been sent and had not recorded is lost.
    BuildResumed {
        /// The build.
        build: BuildNumber,
        /// How many orders it has on record.
        orders: u64,
    },
    /// A build has nothing left to do.
    BuildFinished {
        /// The build.
        build: BuildNumber,
        /// How many orders it had taken by then.
        orders: u64,
    },
    /// Somebody asked for something.
    Requested {
        /// What.
        request: Request,
        /// Who.
        by: Login,
        /// The comment that says so, which may be found more than once.
        comment: Option<CommentId>,
    },
    /// The forge said which reviewers belong to which owners.
    BelongingRead(BTreeMap<Question, bool>),
    /// Its actors crashed too often and were given up.
    Quarantined {
        /// The reason of the last crash.
        reason: String,
    },
    /// The quarantine was lifted.
    Lifted,
}

/// What was seen of a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What the forge says.
    pub facts: PullFacts,
    /// The tip of the default branch, where the policy comes from.
    pub policy: CommitSha,
    /// Whether this head was there before the node first saw the repository: nothing is said about it
    /// in comments.
    pub preexisting: bool,
}

/// What a pull request wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullEffect {
    /// Merge and plan.
    Prepare(Basis),
    /// Ask the forge which reviewers belong to which owners.
    Ask(BTreeSet<Question>),
    /// Start a build, or one that was started before the actor did.
    StartBuild(BuildSpec),
    /// Give the running build an order; one it has taken is not taken again.
    Order {
        /// Its position among the build's orders, from 1.
        index: u64,
        /// The order.
        order: Order,
    },
    /// Tell the running build to stop.
    Supersede,
    /// Kill what a build has left running, without a look at its record, which may be what made the
    /// actors crash; once that is proven gone, the build has finished.
    AbandonBuild(BuildNumber),
    /// End the actors of a finished build; they are gone before the next effect.
    EndBuild(BuildNumber),
    /// Free the workspace and end: the pull request is closed.
    Close,
}

/// What to write down and then do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullStep {
    /// Events to append, the one applied first; empty where nothing changed.
    pub record: Vec<PullEvent>,
    /// What to do once they are on record.
    pub effects: Vec<PullEffect>,
}

/// An event that does not fit the state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pull request does not expect this: {0}")]
pub struct UnexpectedPullEvent(pub &'static str);

impl PullEvent {
    /// Whether a restarted machine must know of it.
    pub(super) fn is_recorded(&self) -> bool {
        !matches!(self, Self::PrepareFailed { .. } | Self::BuildResumed { .. })
    }
}
