//! What happens in a session.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use ci_domain::ids::JobId;
use ci_exec::{CommandId, Exit, FailReason, Outcome};

/// Something that happened.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A runner is about to start.
    Started {
        /// Whose.
        job: JobId,
        /// Its run directory.
        run_dir: PathBuf,
    },
    /// A command of it started.
    CommandStarted {
        /// Of which job.
        job: JobId,
        /// Which execution.
        command: CommandId,
        /// What people call it.
        title: String,
    },
    /// A command of it ended.
    CommandExited {
        /// Of which job.
        job: JobId,
        /// Which execution.
        command: CommandId,
        /// How it ended.
        exit: Exit,
        /// How long it took.
        took: Duration,
    },
    /// It is over with a job.
    Ended(Ended),
}

/// A job that is over.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    /// The job.
    pub(super) job: JobId,
    /// How it ended.
    pub(super) end: End,
    /// How long it ran; zero where it did not.
    pub(super) took: Duration,
    /// What is kept of it, where it ran.
    pub(super) run_dir: Option<PathBuf>,
}

/// How a job ended.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// Its runner had a last word.
    Ran(Outcome),
    /// Its runner did not start, or died; or it could not be cancelled.
    Broken(String),
    /// It did not run, because these did not pass.
    Blocked(BTreeSet<JobId>),
    /// It did not run, because the session was interrupted.
    GivenUp,
}

/// The four ways in which a job can end, in the order in which people are told: the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Passed,
    Blocked,
    Cancelled,
    Crashed,
    Failed,
}

impl End {
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Ran(Outcome::Passed) => Verdict::Passed,
            Self::Ran(Outcome::Failed { .. }) => Verdict::Failed,
            Self::Ran(Outcome::Cancelled | Outcome::Orphaned) | Self::GivenUp => Verdict::Cancelled,
            Self::Ran(Outcome::Crashed { .. }) | Self::Broken(_) => Verdict::Crashed,
            Self::Blocked(_) => Verdict::Blocked,
        }
    }

    /// What people should know of it, if anything.
    pub(super) fn detail(&self) -> Option<String> {
        match self {
            Self::Ran(Outcome::Failed { reason, commands }) => {
                let mut parts: Vec<String> = commands
                    .iter()
                    .map(|command| format!("{}: {}", command.title, exit_text(command.exit)))
                    .collect();
                if *reason == FailReason::JobTimeout {
                    parts.push("the time of the job was over".to_owned());
                }
                Some(parts.join("; "))
            }
            Self::Ran(Outcome::Crashed { reason }) => {
                Some(format!("the runner could not {reason}"))
            }
            Self::Broken(reason) => Some(reason.clone()),
            Self::Blocked(by) => {
                let by: Vec<String> = by.iter().map(ToString::to_string).collect();
                Some(format!("needs {}", by.join(", ")))
            }
            Self::GivenUp => Some("did not start".to_owned()),
            Self::Ran(Outcome::Passed | Outcome::Cancelled | Outcome::Orphaned) => None,
        }
    }
}

impl Verdict {
    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Blocked => "blocked",
            Self::Cancelled => "cancelled",
            Self::Crashed => "crashed",
            Self::Failed => "failed",
        }
    }
}

/// How a command ended, in words.
pub(super) fn exit_text(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exit code {code}"),
        Exit::Signal(signal) => format!("signal {signal}"),
        Exit::OutOfMemory => "out of memory".to_owned(),
        Exit::TimedOut => "timed out".to_owned(),
        Exit::Cancelled => "cancelled".to_owned(),
    }
}
