//! How an attempt at a job ended.

use std::time::Duration;

use crate::ids::{AttemptId, BuildNumber};

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobResult {
    /// Every command that matters succeeded.
    Passed,
    /// A command failed or took too long; the work under test is at fault.
    Failed,
    /// The machinery broke; the work under test is not known to be at fault.
    Crashed {
        /// What broke.
        reason: String,
    },
    /// Somebody asked for it to stop.
    Cancelled,
}

/// What is remembered of a finished job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub result: JobResult,
    /// The attempt that ended so; none where it was cancelled before it began.
    pub attempt: Option<AttemptId>,
    /// The build that it was part of.
    pub build: BuildNumber,
    /// The digest of its inputs in the merged tree.
    pub digest: String,
    /// How long it ran.
    pub duration: Duration,
}

impl JobResult {
    /// Whether dependents may run and the gate is met.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        matches!(self, Self::Passed)
    }

    /// The one word for people.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Crashed { .. } => "crashed",
            Self::Cancelled => "cancelled",
        }
    }
}
