//! Pull requests, and what can be asked of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One pull request in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullSummary {
    /// The repository.
    pub repo: String,
    /// Its number.
    pub number: u64,
    /// Its title; `None` before the forge was read.
    pub title: Option<String>,
    /// Who opened it.
    pub author: Option<String>,
    /// The commit that is proposed.
    pub head: Option<String>,
    /// The branch it shall go to.
    pub base: Option<String>,
    /// Whether it is a draft.
    pub draft: bool,
    /// When it was opened.
    #[serde(default)]
    pub opened_ms: Option<u64>,
    /// How it stands.
    pub state: VerdictState,
    /// That in words: those of the umbrella status.
    pub description: String,
    /// Whether a build is under way.
    pub building: bool,
    /// How it ended; `None` while it is open. What is said beside this is how it stood then.
    #[serde(default)]
    pub ended: Option<PullEnd>,
}

/// How a pull request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullEnd {
    /// Closed without a merge.
    Closed,
    /// Merged.
    Merged,
}

impl PullEnd {
    /// As people say it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Merged => "merged",
        }
    }
}

/// How a pull request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictState {
    /// It can be merged.
    Success,
    /// Something is awaited.
    Pending,
    /// The change is at fault.
    Failure,
    /// The machinery is at fault.
    Error,
    /// Its actor did not answer.
    Unknown,
}

/// One pull request with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullDetail {
    /// What a list shows.
    pub pull: PullSummary,
    /// Every condition that is not met, the deciding one first.
    pub unmet: Vec<Unmet>,
    /// The merge of head and base that is built.
    pub merge: Option<String>,
    /// The number of the build under way.
    pub build: Option<u64>,
    /// The number of the last build; 0 before the first.
    #[serde(default)]
    pub last_build: u64,
    /// Whether its head waits for somebody with write access to let its commands run.
    #[serde(default)]
    pub awaits_leave: bool,
    /// The components that the change affects.
    pub affected: Vec<String>,
    /// What each of those depends on.
    #[serde(default)]
    pub depends: BTreeMap<String, Vec<String>>,
    /// Its jobs, by component and name.
    pub jobs: Vec<Job>,
    /// What is wrong with its pipeline files.
    pub findings: Vec<String>,
    /// Why the newest policy does not hold, where an earlier one does.
    pub policy_error: Option<String>,
}

/// A condition that is not met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmet {
    /// The condition as it stands.
    pub condition: String,
    /// The event that would meet it.
    pub met_by: String,
}

/// One job of a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The job, `<component>:<job>`.
    pub job: String,
    /// How far it is.
    pub state: JobState,
    /// Whether the pull request cannot be merged without it.
    pub required: bool,
    /// The attempt under way, or the one that ended last.
    pub attempt: Option<String>,
    /// The queue it waits in.
    pub queue: Option<String>,
    /// Since when it runs.
    pub since_ms: Option<u64>,
    /// How long it took.
    pub duration_ms: Option<u64>,
    /// Why it crashed.
    pub reason: Option<String>,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Nothing of it has begun.
    Pending,
    /// A need of it did not pass.
    Blocked,
    /// It waits for the approval of the pull request.
    AwaitingApproval,
    /// It waits in a queue.
    Waiting,
    /// Its commands run.
    Running,
    /// Its commands are being ended.
    Cancelling,
    /// It passed.
    Passed,
    /// The change is at fault.
    Failed,
    /// The machinery is at fault.
    Crashed,
    /// Somebody asked for its end.
    Cancelled,
}

/// What is asked of one job, or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobAction {
    /// The job, `<component>:<job>`. To retry and to cancel, none means all that it concerns; to force,
    /// `all` means all, and there must be one.
    #[serde(default)]
    pub job: Option<String>,
    /// Whether the next build begins with a fresh workspace; only to force.
    #[serde(default)]
    pub clean: bool,
}

/// The jobs that a request concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jobs {
    /// The jobs.
    pub jobs: Vec<String>,
}

impl JobState {
    /// Whether it will go on by itself.
    #[must_use]
    pub fn is_under_way(self) -> bool {
        matches!(self, Self::Waiting | Self::Running | Self::Cancelling)
    }

    /// The words for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Blocked => "blocked",
            Self::AwaitingApproval => "awaiting approval",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Cancelling => "cancelling",
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Crashed => "crashed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl VerdictState {
    /// The words for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Pending => "pending",
            Self::Failure => "failure",
            Self::Error => "error",
            Self::Unknown => "unknown",
        }
    }
}
