//! Requests that change something, their answers, and errors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kind;

/// The body of `POST /v1/actors/{ref}/stop` and of the other actions.
///
/// Requests are strict where answers are lenient: a field that is not understood may be one that
/// was meant to hold something back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlRequest {
    /// Only tell what would happen.
    #[serde(default)]
    pub dry_run: bool,
    /// Why; it goes to the log.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What a control call did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ControlOutcome {
    /// `stop`, `drain`, `kill`, `restart`, `suspend` or `resume`.
    pub action: String,
    /// Whether nothing was done.
    pub dry_run: bool,
    /// The actor it was done to.
    pub pid: String,
    /// Its path.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// The paths of those who end: the actor and all below it, deepest last, and those that are
    /// stopped along with it and stay down.
    pub ends: Vec<String>,
    /// How many queued messages are lost, as far as that can be known.
    pub messages_lost: Option<u64>,
    /// The paths of siblings that its supervisor stops and starts along with it.
    pub siblings: Vec<String>,
    /// How many actors go down besides those that end: those siblings, supervisors that give up,
    /// and all that is below them.
    #[serde(default)]
    pub along: usize,
    /// The paths of those that are started again, each with all that is below it.
    #[serde(default)]
    pub restarts: Vec<String>,
    /// The paths of supervisors that give up because of it, the nearest first.
    #[serde(default)]
    pub escalates: Vec<String>,
    /// Whether the root ends, and with it everything.
    #[serde(default)]
    pub ends_all: bool,
    /// How many more restarts its supervisor takes before it gives up.
    pub restarts_left: Option<u32>,
    /// What may not go as one expects.
    pub cautions: Vec<String>,
    /// Whether the actor has ended, for a call that was to wait for it: `?wait_ms=5000`.
    #[serde(default)]
    pub ended: Option<bool>,
}

/// The body of every error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    /// A word for programs: `not_found`, `ambiguous`, `gone`, `forbidden`, `bad_request`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// For `ambiguous`: the paths that match.
    #[serde(default)]
    pub matches: Vec<String>,
    /// For `gone`: the path, and the pid of the actor that is there now.
    #[serde(default)]
    pub heir: Option<Heir>,
}

/// Who is where a process was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Heir {
    /// The pid that was asked for.
    pub gone: String,
    /// The path it had.
    pub path: String,
    /// The pid that is there now, if there is one.
    pub now: Option<String>,
}
