//! What happened in a run: the facts of its journal, and the outcome they add up to.

mod wire;

use std::fmt;
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ci_domain::step::NodeId;

use crate::identity::Identity;

pub(crate) use wire::{EXIT_VERSION, WireExitRecord, WireFact};

/// A moment of the wall clock, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub u64);

/// One execution of one command: its place in the tree and which try it is.
///
/// Written `<node>-<try>`, such as `0.2-1`; unique within a run, and a plain file name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId {
    /// The command's place in the tree.
    pub node: NodeId,
    /// Which try it is; the first is 1.
    pub number: NonZeroU32,
}

/// How an execution of a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The shell ended by itself with this code; 0 is success.
    Code(i32),
    /// The shell was ended by this signal, which the runner did not send.
    Signal(i32),
    /// It failed, and the kernel killed something of the job since the job had used up its memory.
    OutOfMemory,
    /// The runner stopped it because the command's time, or the job's, was over.
    TimedOut,
    /// The runner stopped it because the job was cancelled, or a sibling failed under `fail_fast`.
    Cancelled,
}

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The runner holds the run directory.
    RunnerStarted {
        /// Which process it is.
        identity: Identity,
        /// When it started.
        at: UnixMillis,
    },
    /// A command is about to run; its log exists from now on.
    CommandStarted {
        /// Which execution.
        command: CommandId,
        /// What people call it.
        title: String,
        /// When it started.
        at: UnixMillis,
    },
    /// A command ended, its log is complete and its process group is empty.
    CommandExited {
        /// Which execution.
        command: CommandId,
        /// How it ended.
        exit: Exit,
        /// How long it took.
        duration: Duration,
        /// The final length of its log.
        log_bytes: u64,
        /// When it ended.
        at: UnixMillis,
    },
    /// The job ended, and no process of it is left; always the last fact.
    JobEnded {
        /// How it ended.
        outcome: Outcome,
        /// When it ended.
        at: UnixMillis,
    },
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every command that counts succeeded.
    Passed,
    /// The code under test failed.
    Failed {
        /// Why it counts as failed.
        reason: FailReason,
        /// The executions that failed, in the order of the tree.
        commands: Vec<FailedCommand>,
    },
    /// The machine failed, which says nothing about the code under test.
    Crashed {
        /// What broke, a fragment that fits after "the runner could not".
        reason: String,
    },
    /// Somebody asked for its end.
    Cancelled,
    /// Nobody followed it for the whole of its orphan limit.
    Orphaned,
}

/// Why a job counts as failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailReason {
    /// A command failed.
    Commands,
    /// The time of the whole job was over.
    JobTimeout,
}

/// An execution that made its job fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedCommand {
    /// Which execution; of several tries the last.
    pub command: CommandId,
    /// What people call it.
    pub title: String,
    /// How it ended.
    pub exit: Exit,
}

/// The outcome of a run as it is kept in the run directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitRecord {
    /// How the job ended.
    pub outcome: Outcome,
    /// When it ended.
    pub at: UnixMillis,
    /// What its commands had left.
    pub leftovers: Leftovers,
}

/// How many processes there were when all commands of a job had ended and their process groups were empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Those that had left their command, as daemons do, and were ended with the job.
    pub strays: u32,
    /// Those that were killed and did not end.
    pub survivors: u32,
}

impl UnixMillis {
    /// The present moment; a clock before 1970 counts as 1970.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

impl CommandId {
    /// Try number `number` of the command at `node`.
    #[must_use]
    pub fn new(node: NodeId, number: NonZeroU32) -> Self {
        Self { node, number }
    }

    /// Reads an id as it was displayed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (node, number) = text.rsplit_once('-')?;
        let id = Self { node: NodeId::parse(node)?, number: number.parse().ok()? };
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.node, self.number)
    }
}

impl Exit {
    /// Whether the command succeeded.
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Self::Code(0)
    }
}

impl Fact {
    /// Whether no other fact can follow.
    #[must_use]
    pub fn is_last(&self) -> bool {
        matches!(self, Self::JobEnded { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_id_reads_what_it_writes() {
        let id = CommandId::parse("0.12-3").unwrap();
        assert_eq!((id.node.as_str(), id.number.get()), ("0.12", 3));
        assert_eq!(id.to_string(), "0.12-3");
        for bad in ["", "0", "0-0", "0-01", "0-+1", "a-1", "../x-1", "0--1", "0-1/.."] {
            assert_eq!(CommandId::parse(bad), None, "{bad}");
        }
    }
}
