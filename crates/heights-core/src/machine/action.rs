//! What a machine says.

use std::time::Duration;

use crate::{ChildId, ChildRun, Shutdown, SpecError};

/// What to do about it.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Start this child and say how it went.
    Start(ChildRun),
    /// Stop this child in this way and say when it is gone.
    Stop(ChildRun, Shutdown),
    /// Come back with this ticket after this delay; zero means through the queue, not at once.
    Retry {
        /// The child to start again.
        id: ChildId,
        /// What to put into the `Retry` event.
        ticket: u64,
        /// How long to wait.
        after: Duration,
    },
    /// Drop what is kept for this child: it is no longer known.
    Forget(ChildId),
    /// A child ended by itself and stays down.
    Left(ChildRun),
    /// Answer the pending administrative request.
    Answer(Answer),
    /// End the supervisor: all children are gone.
    Exit(Verdict),
}

/// The answer to an administrative request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The child runs.
    Started(ChildRun),
    /// The child did not come up.
    StartFailed(ChildId),
    /// The child found nothing to do.
    Ignored(ChildId),
    /// It is done.
    Done,
    /// It is not possible now.
    Refused(Refusal),
}

/// Why an administrative request is not possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A child with this id runs already.
    AlreadyStarted(ChildRun),
    /// A child with this id is known but does not run.
    AlreadyPresent,
    /// The spec itself is wrong.
    Invalid(SpecError),
    /// No child has this id.
    NotFound,
    /// The child runs.
    Running,
    /// The child is being restarted.
    Restarting,
    /// The child is bound to this one, which does not run.
    DependencyDown(ChildId),
}

/// Why a supervisor ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was told to.
    Stopped,
    /// This child did not come up while the supervisor was starting.
    StartFailed(ChildId),
    /// There were more restarts than its intensity allows.
    ReachedMaxIntensity,
    /// Its significant children have ended.
    AutoShutdown,
}
