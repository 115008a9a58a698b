//! How a git command can end.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitStatus;
use std::time::Duration;

use crate::hold::LockError;
use crate::process::Finished;

/// An external command, nearly always git, that could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The program could not be started, or its pipes broke.
    #[error("run {command}")]
    Broken {
        /// The command, such as `git fetch`.
        command: String,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The command took too long and was killed with everything it had started.
    #[error("finish {command} within {limit:?}")]
    TimedOut {
        /// The command, such as `git fetch`.
        command: String,
        /// How long it may take.
        limit: Duration,
    },
    /// The command gave up; its own words say why.
    #[error("run {command} ({status}): {stderr}")]
    Failed {
        /// The command, such as `git fetch`.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it said.
        stderr: String,
    },
    /// The node's last life has left a command running, which must end first.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// The command printed something that its documentation does not foresee.
    #[error("read the output of {command} at {text:?}")]
    Unexpected {
        /// The command, such as `git ls-tree`.
        command: String,
        /// The part that cannot be read.
        text: String,
    },
}

/// What a successful command printed.
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// What decides whether a command succeeded, and knows what its error must not say.
#[derive(Debug)]
pub(crate) struct Judge {
    pub(super) command: String,
    pub(super) limit: Duration,
    pub(super) accepted: &'static [i32],
    pub(super) secret: Option<String>,
}

impl CommandError {
    /// The words of a command that gave up; empty for other errors.
    pub(crate) fn stderr(&self) -> &str {
        match self {
            Self::Failed { stderr, .. } => stderr,
            _ => "",
        }
    }

    pub(crate) fn unexpected(command: &str, text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text).chars().take(200).collect();
        Self::Unexpected { command: command.to_owned(), text }
    }
}

impl Output {
    /// The one line that was printed, as it is.
    pub(crate) fn line(&self) -> &OsStr {
        OsStr::from_bytes(self.stdout.strip_suffix(b"\n").unwrap_or(&self.stdout))
    }

    /// The output as text, without the line end that closes it.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end_matches('\n').to_owned()
    }
}

impl Judge {
    /// How long one answer may take.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    pub(crate) fn ruling(&self, finished: Finished) -> Result<Output, CommandError> {
        let Finished { status, stdout, stderr } = finished;
        let stderr = match &self.secret {
            Some(secret) => stderr.replace(secret, "***"),
            None => stderr,
        };
        match status.code() {
            Some(code) if self.accepted.contains(&code) => Ok(Output { code, stdout, stderr }),
            _ => {
                let command = self.command.clone();
                Err(CommandError::Failed { command, status, stderr })
            }
        }
    }

    pub(crate) fn broken(&self, source: io::Error) -> CommandError {
        CommandError::Broken { command: self.command.clone(), source }
    }

    pub(crate) fn timed_out(&self) -> CommandError {
        CommandError::TimedOut { command: self.command.clone(), limit: self.limit }
    }
}
