//! Messages as they are handled, within a budget.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of `POST /v1/traces`. The answer is a stream of [`TraceEvent`]s, which ends with the
/// connection, when the budget is spent, and when nobody is left who could be traced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TraceRequest {
    /// Whose messages: references as in a path, or patterns such as `ci/pulls/*`.
    pub actors: Vec<String>,
    /// The kinds of message; all where none is named.
    pub messages: Vec<String>,
    /// The most messages that are told in a second; the rest is counted.
    pub rate: u32,
    /// The most messages that are told in all.
    pub max: u64,
    /// The longest it goes on, in milliseconds.
    pub for_ms: u64,
    /// How many bytes are told of each message, where its server wants messages written down.
    pub bytes: usize,
}

impl Default for TraceRequest {
    /// Enough to see a pattern, too little to do harm.
    fn default() -> Self {
        Self {
            actors: Vec::new(),
            messages: Vec::new(),
            rate: 50,
            max: 500,
            for_ms: 15_000,
            bytes: 256,
        }
    }
}

/// One event of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TraceEvent {
    /// It has begun.
    Began {
        /// The paths of those that are traced.
        actors: Vec<String>,
        /// What is kept to: no more than was asked for, and than this server allows.
        budget: TraceRequest,
    },
    /// A message has been handled.
    Message(TracedMessage),
    /// Where it stands; told once a second.
    Books(TraceBooks),
    /// It has ended.
    Ended {
        /// Why.
        reason: TraceEnd,
        /// The final count.
        books: TraceBooks,
    },
    /// Something that this version does not know.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// A message that has been handled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TracedMessage {
    /// When its handling ended, in milliseconds since 1970.
    pub at_ms: u64,
    /// Who handled it.
    pub pid: String,
    /// The path of that actor.
    pub path: String,
    /// The pid of the actor that sent it, if one did.
    pub from: Option<String>,
    /// The path of that actor, if it lives.
    pub from_path: Option<String>,
    /// The kind of message.
    pub label: String,
    /// How long it waited, in microseconds, where that is known.
    pub waited_us: Option<u64>,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// Whether its handling went well.
    pub well: bool,
    /// The message itself, as far as its server wants it written down.
    #[serde(default)]
    pub text: Option<String>,
}

/// The books of a trace: `shown + suppressed + dropped = handled`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceBooks {
    /// How many messages of the wanted kinds were handled.
    pub handled: u64,
    /// How many of them were told.
    pub shown: u64,
    /// How many were left out because of the rate.
    pub suppressed: u64,
    /// How many were lost because the reader was too slow.
    pub dropped: u64,
    /// How long it has gone on.
    pub lasted_ms: u64,
}

/// Why a trace has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TraceEnd {
    /// As many messages were told as were asked for.
    Count,
    /// It went on as long as was asked for.
    Time,
    /// All that were traced have ended, and nobody takes their place.
    NobodyLeft,
    /// The process ends.
    Shutdown,
    /// Something that this version does not know.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

impl TraceEnd {
    /// Returns the word that stands for it on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Time => "time",
            Self::NobodyLeft => "nobody_left",
            Self::Shutdown => "shutdown",
            Self::Unknown => "unknown",
        }
    }
}
