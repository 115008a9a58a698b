//! What was done, and by whom.

use serde::{Deserialize, Serialize};

/// Something that was done, or refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number; a later one is greater.
    pub id: u64,
    /// When.
    pub at_ms: u64,
    /// What `who` names.
    pub kind: ActorKind,
    /// Who: a login, the id of a token and its label, or the operator.
    pub who: String,
    /// From which address, or as which user of the machine.
    pub from: String,
    /// What it was, in words; the method where the path says it all.
    pub action: String,
    /// The path of the request.
    pub path: String,
    /// The status of the answer: below 400 it was done.
    pub status: u16,
}

/// Who can do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// Whoever uses the admin socket.
    Operator,
    /// Whoever has a token.
    Token,
    /// Somebody who signed in.
    Person,
    /// Somebody who is not known.
    Nobody,
}
