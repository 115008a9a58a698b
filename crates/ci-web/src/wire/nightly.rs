//! Nightly jobs of branches.

use serde::{Deserialize, Serialize};

use super::Job;

/// The nightly jobs of a repository, and when they run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nightly {
    /// The window, by the clocks of the time zone; `None` before the policy was read.
    pub between: Option<String>,
    /// The name of the time zone.
    pub timezone: Option<String>,
    /// Who is called where one fails.
    pub mention: Option<String>,
    /// The jobs, by branch and name.
    pub jobs: Vec<NightlyJob>,
}

/// One nightly job of a branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightlyJob {
    /// The branch.
    pub branch: String,
    /// The job as it is now, or as it ended last.
    pub job: Job,
    /// What it waits for, in words.
    pub standing: String,
    /// Who has asked for a run that has not come to its end.
    pub asked_by: Option<String>,
    /// The runs that are remembered, the latest first.
    pub runs: Vec<NightlyRun>,
}

/// One run of a nightly job that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightlyRun {
    /// The day on which its night began.
    pub day: String,
    /// The commit.
    pub commit: String,
    /// Who had asked for it; `None` where it was due.
    pub asked_by: Option<String>,
    /// How it ended.
    pub job: Job,
}
