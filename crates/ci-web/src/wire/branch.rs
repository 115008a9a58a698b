//! Branches that are built on push.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Job, NightlyJob, VerdictState};

/// One branch in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchSummary {
    /// The repository.
    pub repo: String,
    /// Its name.
    pub name: String,
    /// Where its page is, below the public address.
    pub page: String,
    /// The commit that it points to; `None` before that was read.
    pub tip: Option<String>,
    /// How that commit stands.
    pub state: VerdictState,
    /// The same in words.
    pub description: String,
    /// Whether a build is under way.
    pub building: bool,
}

/// One branch with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchDetail {
    /// What a list shows.
    pub branch: BranchSummary,
    /// The number of the build under way.
    pub build: Option<u64>,
    /// The number of the last build; 0 before the first.
    #[serde(default)]
    pub last_build: u64,
    /// The last tip that was built to the end.
    pub built: Option<String>,
    /// The components that were affected since the tip that was built before this one.
    pub affected: Vec<String>,
    /// What each of those depends on.
    #[serde(default)]
    pub depends: BTreeMap<String, Vec<String>>,
    /// The jobs of the tip, by component and name.
    pub jobs: Vec<Job>,
    /// The nightly jobs of the tip.
    pub nightly: Vec<NightlyJob>,
    /// What is wrong with its pipeline files.
    pub findings: Vec<String>,
    /// Why the newest policy does not hold, where an earlier one does.
    pub policy_error: Option<String>,
}
