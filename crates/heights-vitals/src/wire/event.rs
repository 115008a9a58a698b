//! What happens in a tree, as it happens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One event of `GET /v1/watch`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Counts from one; a gap means that events were missed.
    pub id: u64,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// What happened.
    pub kind: EventKind,
    /// The path of the actor.
    pub path: String,
    /// The life of it, if it has one.
    pub pid: Option<String>,
    /// A sentence for people.
    pub text: String,
    /// For a crash: what of it recurs.
    #[serde(default)]
    pub fingerprint: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// An actor is up.
    Started,
    /// An actor ended by itself and is not started again.
    Left,
    /// An actor panicked or said that it is broken.
    Crashed,
    /// An actor did not come up, did not end in order, or ended abnormally: its supervisor says so.
    Failed,
    /// A supervisor gives up: its children failed too often.
    GaveUp,
    /// An actor does not end although it was killed.
    Zombie,
    /// An actor crashes for the same reason in one life after the other.
    Repeated,
    /// An actor does not give its thread back.
    Blocked,
    /// So many events happened before the next one that some are forgotten.
    Missed,
    /// Something that this version does not know.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

impl EventKind {
    /// Returns the word that stands for it on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Left => "left",
            Self::Crashed => "crashed",
            Self::Failed => "failed",
            Self::GaveUp => "gave_up",
            Self::Zombie => "zombie",
            Self::Repeated => "repeated",
            Self::Blocked => "blocked",
            Self::Missed => "missed",
            Self::Unknown => "unknown",
        }
    }
}
