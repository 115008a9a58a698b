//! Remembered crashes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answer to `GET /v1/crashes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Crashes {
    /// When it was taken, in milliseconds since 1970.
    pub taken_ms: u64,
    /// The remembered crashes, the latest first.
    pub crashes: Vec<Crash>,
}

/// A remembered crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Crash {
    /// The path of the actor.
    pub path: String,
    /// The life that ended.
    pub pid: String,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Which life it was.
    pub incarnation: u32,
    /// How it ended.
    pub exit: String,
    /// The message it was handling.
    pub message: Option<String>,
    /// What of it recurs: crashes of one type, in one kind of message, at one place or with one
    /// error, have the same; numbers in an error do not count.
    #[serde(default)]
    pub fingerprint: String,
    /// The type that implements the actor.
    #[serde(default)]
    pub type_name: Option<String>,
    /// Where it panicked, `file:line:column`.
    #[serde(default)]
    pub site: Option<String>,
    /// How long that life had lasted.
    #[serde(default)]
    pub age_ms: Option<u64>,
    /// How many messages it had handled.
    #[serde(default)]
    pub handled: Option<u64>,
    /// How many messages waited, and were lost unless the mailbox keeps them.
    #[serde(default)]
    pub queued: Option<u64>,
    /// The message itself, as far as its server wants it kept.
    #[serde(default)]
    pub last_message: Option<String>,
    /// When the inspector of the process that it happened in started, in milliseconds since 1970,
    /// if that is another process than this one.
    #[serde(default)]
    pub earlier_process_ms: Option<u64>,
}

impl Crash {
    /// Describes a crash of which nothing is known but where and how.
    pub fn at(path: impl Into<String>, pid: impl Into<String>, exit: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            pid: pid.into(),
            at_ms: 0,
            incarnation: 1,
            exit: exit.into(),
            message: None,
            fingerprint: String::new(),
            type_name: None,
            site: None,
            age_ms: None,
            handled: None,
            queued: None,
            last_message: None,
            earlier_process_ms: None,
        }
    }
}
