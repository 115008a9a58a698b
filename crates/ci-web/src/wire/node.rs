//! The node as a whole, and its repositories.

use serde::{Deserialize, Serialize};

use super::StoreStats;

/// How the node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Its name.
    pub name: String,
    /// The version of the program.
    pub version: String,
    /// Where its dashboard is.
    pub public_url: String,
    /// When the web server started.
    pub started_ms: u64,
    /// Whether it is ready, and why not.
    pub readiness: Readiness,
    /// What keeps its jobs from it.
    pub isolation: NodeIsolation,
    /// Its repositories.
    pub repos: Vec<Repo>,
    /// Its queues.
    pub queues: Vec<Queue>,
    /// What the forge has not taken.
    pub undelivered: Vec<Undelivered>,
    /// How many calls GitHub still takes, by kind, where it has said so.
    #[serde(default)]
    pub quotas: Vec<Quota>,
    /// Its store.
    pub store: StoreStats,
    /// Processes that jobs have left.
    #[serde(default)]
    pub leftovers: Leftovers,
    /// How its configuration was taken anew the last time, if it was.
    #[serde(default)]
    pub reload: Option<Reload>,
}

/// How many calls of one kind GitHub still takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// `rest`, in calls, or `graphql`, in points.
    pub kind: String,
    /// How many it takes in a window.
    pub limit: u64,
    /// How many are left.
    pub remaining: u64,
    /// When the next window begins.
    pub reset_ms: u64,
}

/// Processes that were there when the commands of their job had ended, or its runner had been killed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftovers {
    /// Those that were ended with their job; of all jobs whose run directories are kept.
    pub strays: u64,
    /// Those that could not be ended; of the same jobs.
    pub survivors: u64,
    /// Those that a killed runner had left and the node has ended; of the same jobs.
    pub swept: u64,
}

/// How a configuration was taken while the node ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reload {
    /// When that was.
    pub at_ms: u64,
    /// What holds since.
    pub taken: Vec<String>,
    /// What had changed too and does not hold, with the reason.
    pub refused: Vec<String>,
}

/// What keeps jobs from the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeIsolation {
    /// How far they are kept.
    pub level: IsolationLevel,
    /// Why not further.
    pub why: String,
}

/// How far jobs are kept from the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IsolationLevel {
    /// Not at all: its configuration says so.
    None,
    /// In namespaces.
    Namespaces,
    /// In containers.
    Container,
    /// What its configuration asks for does not work, so none starts.
    Unavailable,
}

impl NodeIsolation {
    /// How far and why not further, in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        let why = &self.why;
        match self.level {
            IsolationLevel::None => "none: jobs can do whatever the node can".to_owned(),
            IsolationLevel::Namespaces => format!("namespaces ({why})"),
            IsolationLevel::Container => format!("containers ({why})"),
            IsolationLevel::Unavailable => format!("none works: {why}"),
        }
    }
}

/// Whether the node does all that it should.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Why it is not ready; it is where there is no reason.
    pub reasons: Vec<String>,
}

/// One repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repo {
    /// Its name, `owner/name`.
    pub name: String,
    /// The numbers of its open pull requests.
    pub open: Vec<u64>,
    /// How its open pull requests stand.
    pub verdicts: VerdictCounts,
    /// The pull requests that were given up.
    pub quarantined: Vec<Quarantined>,
    /// Polls that worked since the node started.
    pub polls: u64,
    /// Why the last poll did not work.
    pub trouble: Option<String>,
}

/// How many pull requests stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictCounts {
    /// Those that can be merged.
    pub success: u64,
    /// Those that something is awaited for.
    pub pending: u64,
    /// Those whose change is at fault.
    pub failure: u64,
    /// Those that the machinery failed.
    pub error: u64,
    /// Those whose actor did not answer.
    pub unknown: u64,
}

/// A pull request that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// The repository.
    pub repo: String,
    /// The pull request.
    pub number: u64,
    /// Why.
    pub reason: String,
}

/// One queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Its name; a dotted one nests in what is before its last dot.
    pub name: String,
    /// How many may pass at once.
    pub concurrency: Option<u32>,
    /// How many hold a permit.
    pub held: u32,
    /// How many wait.
    pub waiting: u64,
    /// How long the first of them has waited.
    pub oldest_wait_ms: Option<u64>,
    /// Permits given since the node started.
    pub granted: u64,
    /// Whether it lets nobody pass for now.
    pub on_hold: bool,
}

/// A write that the forge has not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    /// The repository.
    pub repo: String,
    /// What was to be written.
    pub what: String,
    /// Why it was not taken.
    pub reason: String,
}

impl Readiness {
    /// Whether the node is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.reasons.is_empty()
    }
}
