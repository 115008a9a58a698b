//! What happens to a branch, and what it wants done.

use std::collections::BTreeSet;

use crate::branch::Night;
use crate::build::BuildSpec;
use crate::ids::{BuildNumber, CommitSha, JobId, Login};
use crate::may_run::Head;
use crate::merge_queue::Queued;
use crate::outcome::Outcome;
use crate::outline::{Basis, Prepared};

/// Something that happened to a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BranchEvent {
    /// The forge was read.
    Observed(Tip),
    /// The branch is not there any more, or the policy does not name it any more.
    Gone,
    /// The tip was planned.
    Prepared(Box<Prepared>),
    /// It could not be; nothing is known about why it would not work the next time.
    PrepareFailed {
        /// What was to be prepared.
        basis: Basis,
        /// What went wrong.
        reason: String,
    },
    /// A build was decided on.
    BuildDecided(BuildSpec),
    /// A build of a nightly job was decided on.
    NightDecided(BuildSpec, Night),
    /// The running build is not wanted any more.
    SupersedeDecided,
    /// A job of a build ended.
    JobFinished {
        /// The tip it was run for.
        head: CommitSha,
        /// The job.
        job: JobId,
        /// How it ended.
        outcome: Outcome,
    },
    /// The actor of a build began anew; what it had been sent and had not recorded is lost.
    BuildResumed(BuildNumber),
    /// A build has nothing left to do.
    BuildFinished(BuildNumber),
    /// Somebody asked for jobs to run, even if they have passed or are not affected.
    Forced {
        /// The jobs.
        jobs: BTreeSet<JobId>,
        /// Who.
        by: Login,
    },
    /// Somebody asked for a fresh workspace for the next build.
    Reseed {
        /// Who.
        by: Login,
    },
    /// Somebody asked for nightly jobs to run, whenever they ran last.
    NightForced {
        /// The jobs.
        jobs: BTreeSet<JobId>,
        /// Who.
        by: Login,
    },
    /// Its actors crashed too often and were given up. All that can be found out again is forgotten, as
    /// it may be what made them crash.
    GivenUp,
}

/// What was seen of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip {
    /// The commit that it points to.
    pub commit: CommitSha,
    /// The tip of the default branch, where the policy comes from.
    pub policy: CommitSha,
    /// Whether it was there before the node first looked: nothing is said about it in comments.
    pub preexisting: bool,
    /// What a head of the merge queue is queued for; other branches are not.
    pub queued: Option<Queued>,
}

/// What a branch wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BranchEffect {
    /// Plan the jobs of the tip. Where head and base of the basis are the same commit the branch has not
    /// been built before, or is back where it was: everything is affected.
    Prepare(Basis),
    /// Start a build, or one that was started before the actor did.
    StartBuild(BuildSpec),
    /// Tell the running build to stop.
    Supersede,
    /// Kill what a build has left running, without a look at its record; once that is proven gone, the
    /// build has finished.
    AbandonBuild(BuildNumber),
    /// End the actors of a finished build; they are gone before the next effect.
    EndBuild(BuildNumber),
    /// Free the workspace and end: the branch is gone.
    Close,
}

/// What to write down and then do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BranchStep {
    /// Events to append, the one applied first; empty where nothing changed.
    pub record: Vec<BranchEvent>,
    /// What to do once they are on record.
    pub effects: Vec<BranchEffect>,
}

/// An event that does not fit the state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the branch does not expect this: {0}")]
pub struct UnexpectedBranchEvent(pub &'static str);

impl Tip {
    /// Whether all of it is known to come from the repository itself.
    pub(super) fn is_own(&self) -> bool {
        self.queued.as_ref().is_none_or(|queued| queued.head == Head::Own)
    }
}

impl BranchEvent {
    /// Whether a restarted machine must know of it.
    pub(super) fn is_recorded(&self) -> bool {
        !matches!(self, Self::PrepareFailed { .. } | Self::BuildResumed(_))
    }
}
