//! What happens to a build, and what it wants done.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::build::{BuildSpec, JobRequest};
use crate::ids::{AttemptId, JobId};
use crate::outcome::{JobResult, Outcome};

/// Something that happened to a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildEvent {
    /// It began. The first event of every build.
    Began(BuildSpec),
    /// The workspace holds the merge.
    WorkspaceReady,
    /// The workspace could not be made to hold the merge.
    WorkspaceFailed {
        /// Why.
        reason: String,
    },
    /// The parent gave an order.
    Ordered {
        /// The position of the order among all, from 1; one that was seen before is not taken again.
        index: u64,
        /// The order.
        order: Order,
    },
    /// An attempt was decided on; nothing runs before this is on record.
    AttemptDecided {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: AttemptId,
    },
    /// An attempt ended.
    AttemptEnded {
        /// The attempt.
        attempt: AttemptId,
        /// How it ended.
        end: AttemptEnd,
    },
    /// The build is not wanted any more.
    Superseded,
}

/// What a build is told to do while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Run more jobs, or finished ones again.
    Run(BTreeMap<JobId, JobRequest>),
    /// Cancel one job, or all.
    Cancel(Option<JobId>),
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// With a result.
    Finished {
        /// The result.
        result: JobResult,
        /// How long it ran.
        duration: Duration,
    },
    /// Its runner was killed and left no result.
    Lost,
    /// The machine was started anew, or the runner ended because no node had followed it for too long:
    /// there is no result, and the job is not to blame.
    Interrupted,
}

/// What a build wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildEffect {
    /// Make the workspace hold the merge; the build is not finished before this is.
    PrepareWorkspace,
    /// Start or adopt the runner of an attempt.
    StartAttempt {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: AttemptId,
    },
    /// Cancel an attempt and prove that it is gone.
    CancelAttempt {
        /// The attempt.
        attempt: AttemptId,
    },
    /// Tell the parent that the actor began anew, so that it repeats what was lost on the way.
    TellResumed {
        /// How many orders are on record.
        orders: u64,
    },
    /// Tell the parent how a job ended.
    TellFinishedJob {
        /// The job.
        job: JobId,
        /// How it ended.
        outcome: Outcome,
    },
    /// Tell the parent that nothing runs any more and nothing will, unless it has given an order since.
    TellFinished {
        /// How many orders had been taken by then.
        orders: u64,
    },
}

/// What to write down and then do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildStep {
    /// Events to append, the one applied first.
    pub record: Vec<BuildEvent>,
    /// What to do once they are on record.
    pub effects: Vec<BuildEffect>,
}

/// An event that does not fit the state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the build does not expect this: {0}")]
pub struct UnexpectedBuildEvent(pub &'static str);
