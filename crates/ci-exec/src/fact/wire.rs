//! Facts and outcomes as they are stored. A stored form is never changed, only added to.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    CommandId, Exit, ExitRecord, Fact, FailReason, FailedCommand, Leftovers, Outcome, UnixMillis,
};
use crate::identity::{Identity, WireIdentity};

/// The version of `exit.json` that this program writes.
pub(crate) const EXIT_VERSION: u32 = 1;

/// A stored text that is none of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    /// Not a command id.
    #[error("read {0:?} as a command id")]
    CommandId(String),
}

/// A [`Fact`] as a line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub(crate) enum WireFact {
    RunnerStarted { identity: WireIdentity, at: u64 },
    CommandStarted { command: String, title: String, at: u64 },
    CommandExited { command: String, exit: WireExit, duration_us: u64, log_bytes: u64, at: u64 },
    JobEnded { outcome: WireOutcome, at: u64 },
}

/// An [`ExitRecord`] as `exit.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WireExitRecord {
    version: u32,
    outcome: WireOutcome,
    at: u64,
    /// The first records did not count.
    #[serde(default)]
    leftovers: WireLeftovers,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct WireLeftovers {
    strays: u32,
    survivors: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WireExit {
    OutOfMemory,
    Code(i32),
    Signal(i32),
    TimedOut,
    Cancelled,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WireOutcome {
    Passed,
    Failed { reason: WireFailReason, commands: Vec<WireFailedCommand> },
    Crashed { reason: String },
    Cancelled,
    Orphaned,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WireFailReason {
    Commands,
    JobTimeout,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WireFailedCommand {
    command: String,
    title: String,
    exit: WireExit,
}

impl From<&Fact> for WireFact {
    fn from(fact: &Fact) -> Self {
        match fact {
            Fact::RunnerStarted { identity, at } => {
                Self::RunnerStarted { identity: identity.into(), at: at.0 }
            }
            Fact::CommandStarted { command, title, at } => Self::CommandStarted {
                command: command.to_string(),
                title: title.clone(),
                at: at.0,
            },
            Fact::CommandExited { command, exit, duration, log_bytes, at } => Self::CommandExited {
                command: command.to_string(),
                exit: (*exit).into(),
                duration_us: u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
                log_bytes: *log_bytes,
                at: at.0,
            },
            Fact::JobEnded { outcome, at } => Self::JobEnded { outcome: outcome.into(), at: at.0 },
        }
    }
}

impl TryFrom<WireFact> for Fact {
    type Error = WireError;

    fn try_from(wire: WireFact) -> Result<Self, WireError> {
        Ok(match wire {
            WireFact::RunnerStarted { identity, at } => {
                Self::RunnerStarted { identity: Identity::from(identity), at: UnixMillis(at) }
            }
            WireFact::CommandStarted { command, title, at } => {
                Self::CommandStarted { command: command_id(command)?, title, at: UnixMillis(at) }
            }
            WireFact::CommandExited { command, exit, duration_us, log_bytes, at } => {
                Self::CommandExited {
                    command: command_id(command)?,
                    exit: exit.into(),
                    duration: Duration::from_micros(duration_us),
                    log_bytes,
                    at: UnixMillis(at),
                }
            }
            WireFact::JobEnded { outcome, at } => {
                Self::JobEnded { outcome: outcome.try_into()?, at: UnixMillis(at) }
            }
        })
    }
}

impl From<&ExitRecord> for WireExitRecord {
    fn from(record: &ExitRecord) -> Self {
        let Leftovers { strays, survivors } = record.leftovers;
        Self {
            version: EXIT_VERSION,
            outcome: (&record.outcome).into(),
            at: record.at.0,
            leftovers: WireLeftovers { strays, survivors },
        }
    }
}

impl TryFrom<WireExitRecord> for ExitRecord {
    type Error = WireError;

    fn try_from(wire: WireExitRecord) -> Result<Self, WireError> {
        let WireLeftovers { strays, survivors } = wire.leftovers;
        Ok(Self {
            outcome: wire.outcome.try_into()?,
            at: UnixMillis(wire.at),
            leftovers: Leftovers { strays, survivors },
        })
    }
}

impl From<Exit> for WireExit {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Code(code) => Self::Code(code),
            Exit::Signal(signal) => Self::Signal(signal),
            Exit::OutOfMemory => Self::OutOfMemory,
            Exit::TimedOut => Self::TimedOut,
            Exit::Cancelled => Self::Cancelled,
        }
    }
}

impl From<WireExit> for Exit {
    fn from(wire: WireExit) -> Self {
        match wire {
            WireExit::Code(code) => Self::Code(code),
            WireExit::Signal(signal) => Self::Signal(signal),
            WireExit::OutOfMemory => Self::OutOfMemory,
            WireExit::TimedOut => Self::TimedOut,
            WireExit::Cancelled => Self::Cancelled,
        }
    }
}

impl From<&Outcome> for WireOutcome {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Passed => Self::Passed,
            Outcome::Failed { reason, commands } => Self::Failed {
                reason: match reason {
                    FailReason::Commands => WireFailReason::Commands,
                    FailReason::JobTimeout => WireFailReason::JobTimeout,
                },
                commands: commands.iter().map(WireFailedCommand::from).collect(),
            },
            Outcome::Crashed { reason } => Self::Crashed { reason: reason.clone() },
            Outcome::Cancelled => Self::Cancelled,
            Outcome::Orphaned => Self::Orphaned,
        }
    }
}

impl TryFrom<WireOutcome> for Outcome {
    type Error = WireError;

    fn try_from(wire: WireOutcome) -> Result<Self, WireError> {
        Ok(match wire {
            WireOutcome::Passed => Self::Passed,
            WireOutcome::Failed { reason, commands } => Self::Failed {
                reason: match reason {
                    WireFailReason::Commands => FailReason::Commands,
                    WireFailReason::JobTimeout => FailReason::JobTimeout,
                },
                commands: commands
                    .into_iter()
                    .map(FailedCommand::try_from)
                    .collect::<Result<_, _>>()?,
            },
            WireOutcome::Crashed { reason } => Self::Crashed { reason },
            WireOutcome::Cancelled => Self::Cancelled,
            WireOutcome::Orphaned => Self::Orphaned,
        })
    }
}

impl From<&FailedCommand> for WireFailedCommand {
    fn from(failed: &FailedCommand) -> Self {
        Self {
            command: failed.command.to_string(),
            title: failed.title.clone(),
            exit: failed.exit.into(),
        }
    }
}

impl TryFrom<WireFailedCommand> for FailedCommand {
    type Error = WireError;

    fn try_from(wire: WireFailedCommand) -> Result<Self, WireError> {
        Ok(Self { command: command_id(wire.command)?, title: wire.title, exit: wire.exit.into() })
    }
}

fn command_id(text: String) -> Result<CommandId, WireError> {
    CommandId::parse(&text).ok_or(WireError::CommandId(text))
}

#[cfg(test)]
mod tests {
    use ci_domain::step::NodeId;

    use super::*;

    fn check(fact: &Fact, stored: &str) {
        let text = serde_json::to_string(&WireFact::from(fact)).unwrap();
        assert_eq!(text, stored);
        let read: WireFact = serde_json::from_str(&text).unwrap();
        assert_eq!(&Fact::try_from(read).unwrap(), fact);
    }

    #[test]
    fn facts_keep_their_stored_form() {
        let command = CommandId::new(NodeId::root().child(0), std::num::NonZeroU32::MIN);
        let at = UnixMillis(7);
        let identity = Identity { pid: 5, start_time: 6, boot_id: "b".to_owned() };
        check(
            &Fact::RunnerStarted { identity, at },
            r#"{"fact":"runner_started","identity":{"version":1,"pid":5,"start_time":6,"boot_id":"b"},"at":7}"#,
        );
        check(
            &Fact::CommandStarted { command: command.clone(), title: "make".to_owned(), at },
            r#"{"fact":"command_started","command":"0-1","title":"make","at":7}"#,
        );
        check(
            &Fact::CommandExited {
                command: command.clone(),
                exit: Exit::Code(2),
                duration: Duration::from_millis(3),
                log_bytes: 9,
                at,
            },
            r#"{"fact":"command_exited","command":"0-1","exit":{"code":2},"duration_us":3000,"log_bytes":9,"at":7}"#,
        );
        let failed = FailedCommand { command, title: "make".to_owned(), exit: Exit::TimedOut };
        let outcome = Outcome::Failed { reason: FailReason::JobTimeout, commands: vec![failed] };
        check(
            &Fact::JobEnded { outcome, at },
            r#"{"fact":"job_ended","outcome":{"failed":{"reason":"job_timeout","commands":[{"command":"0-1","title":"make","exit":"timed_out"}]}},"at":7}"#,
        );
    }
}
