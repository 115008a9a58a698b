//! Attempts at jobs, and their commands.

use std::fmt;
use std::str::FromStr;

use ci_domain::ids::AttemptId;
use ci_exec::CommandId;
use serde::{Deserialize, Serialize};

/// One attempt at a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRun {
    /// The attempt.
    pub attempt: String,
    /// When its runner started.
    pub started_ms: Option<u64>,
    /// Whether its end is on record.
    pub ended: bool,
    /// Its commands, in the order they started.
    pub commands: Vec<Command>,
}

/// One execution of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Its id, unique within the node: `<attempt>.<command>`.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// When it started.
    pub started_ms: u64,
    /// How it ended; `None` while it runs.
    pub end: Option<CommandEnd>,
    /// How long it took.
    pub duration_ms: Option<u64>,
    /// The bytes of its log so far.
    pub log_bytes: u64,
}

/// When a command printed something: bytes from this offset on, at this time or up to a second later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogTime {
    /// Where in the log.
    pub offset: u64,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandEnd {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// The job had used up its memory.
    OutOfMemory,
    /// Its time was over.
    TimedOut,
    /// It was cancelled.
    Cancelled,
}

/// Names one execution of a command of one attempt, `<attempt>.<command>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRef {
    /// The attempt.
    pub attempt: AttemptId,
    /// The execution within it.
    pub command: CommandId,
}

/// A text that does not name a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read {0:?} as <attempt>.<command>")]
pub struct InvalidCommandRef(pub String);

impl fmt::Display for CommandRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.attempt, self.command)
    }
}

impl FromStr for CommandRef {
    type Err = InvalidCommandRef;

    fn from_str(text: &str) -> Result<Self, InvalidCommandRef> {
        let invalid = || InvalidCommandRef(text.chars().take(100).collect());
        let (attempt, command) = text.split_once('.').ok_or_else(invalid)?;
        Ok(Self {
            attempt: attempt.parse().map_err(|_invalid| invalid())?,
            command: CommandId::parse(command).ok_or_else(invalid)?,
        })
    }
}

impl CommandEnd {
    /// Whether the command succeeded.
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Self::Code(0)
    }
}

impl fmt::Display for CommandEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::OutOfMemory => f.write_str("out of memory"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_reference_reads_what_it_writes() {
        let reference: CommandRef = "a1b2c3-p7-b1-2.0.2-1".parse().unwrap();
        assert_eq!(reference.attempt.as_str(), "a1b2c3-p7-b1-2");
        assert_eq!(reference.to_string(), "a1b2c3-p7-b1-2.0.2-1");
        for bad in ["", "a", "a.", ".0-1", "../x.0-1", "a.0", "A.0-1", "a.0-1/.."] {
            assert!(bad.parse::<CommandRef>().is_err(), "{bad}");
        }
    }
}
