//! What goes over the wire, to the command line and to other programs.
//!
//! Texts are as they came: whoever shows them escapes them. Moments are milliseconds since 1970 and end
//! in `_ms`, as durations do. A reader ignores fields that it does not know.

mod audit;
mod branch;
mod job;
mod kept;
mod nightly;
mod node;
mod pull;
mod shell;
mod store;
mod tests;
mod token;

use serde::{Deserialize, Serialize};

pub use audit::{ActorKind, AuditEntry};
pub use branch::{BranchDetail, BranchSummary};
pub use job::{Command, CommandEnd, CommandRef, JobRun, LogTime};
pub use kept::{Artifact, Artifacts, KeptNote};
pub use nightly::{Nightly, NightlyJob, NightlyRun};
pub use node::{
    IsolationLevel, Leftovers, NodeIsolation, NodeStatus, Quarantined, Queue, Quota, Readiness,
    Reload, Repo, Undelivered, VerdictCounts,
};
pub use pull::{
    Job, JobAction, JobState, Jobs, PullDetail, PullEnd, PullSummary, Unmet, VerdictState,
};
pub use shell::{Shell, ShellBounds, ShellRequest};
pub use store::{StoreAudit, StoreFinding, StoreStats};
pub use tests::{JobTests, JudgedTest, Judgement};
pub use token::{NewToken, Role, Token, TokenRequest};

/// An error, as RFC 9457 has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Always `about:blank`: the status says which kind it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong, for people.
    pub detail: String,
}
