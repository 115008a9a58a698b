//! What can be seen of an actor's state.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Working;

/// The answer to `GET /v1/actors/{ref}/state`.
///
/// The actor makes a view between two messages, in front of all that wait. If it does not get there
/// in time, the answer is the view before, with its age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StateView {
    /// When it was asked for, in milliseconds since 1970.
    pub taken_ms: u64,
    /// The life that was asked.
    pub pid: String,
    /// Its path.
    pub path: String,
    /// The view, if there is one; secrets in it are not readable, and long values are cut.
    pub view: Option<Value>,
    /// Why there is none.
    pub missing: Option<Missing>,
    /// How old the view is.
    pub age_ms: Option<u64>,
    /// Whether the actor has not answered, so that this is what it showed before.
    pub stale: bool,
    /// Whether something was left out because the view would have been too large.
    pub cut: bool,
    /// The message that keeps the actor from answering, if it has not.
    pub working: Option<Working>,
}

/// Why a view is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// The type of the actor shows nothing of its state.
    Unsupported,
    /// It has not come to it yet, and nobody has asked before.
    NotYet,
    /// It has ended, or has not come up.
    NoProcess,
    /// Something that this version does not know.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

impl Missing {
    /// Returns the word that stands for it on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsupported => "unsupported",
            Self::NotYet => "not_yet",
            Self::NoProcess => "no_process",
            Self::Unknown => "unknown",
        }
    }
}
