//! Whether a condition holds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answer to `GET /v1/judge?condition=…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Judgement {
    /// When the tree was seen, in milliseconds since 1970.
    pub taken_ms: u64,
    /// Whether the condition holds.
    pub holds: bool,
    /// What speaks against it, in the words of the condition: `mailbox(ci/queue)=10412`.
    pub against: Vec<String>,
}
