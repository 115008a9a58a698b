//! What commands have left: files, and what is said of them.

use serde::{Deserialize, Serialize};

/// What the commands of an attempt have left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifacts {
    /// The files, by command and path.
    pub artifacts: Vec<Artifact>,
    /// What was asked for and is not there.
    pub notes: Vec<KeptNote>,
}

/// A file that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// The execution that has left it.
    pub command: String,
    /// Its path from the root of the repository.
    pub path: String,
    /// How much it holds.
    pub bytes: u64,
    /// The digest of what it holds, in hexadecimal.
    pub sha256: String,
    /// Where it is, on this server.
    pub url: String,
}

/// Something that was asked for and could not be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptNote {
    /// The execution that has asked.
    pub command: String,
    /// A path or a pattern.
    pub what: String,
    /// What is the matter with it.
    pub why: String,
}
