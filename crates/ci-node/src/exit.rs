//! How the process ends: the exit codes of the command line, and the words on stderr.

use std::fmt;
use std::process::ExitCode;

use anyhow::Result;

use crate::config_file::ConfigFileError;
use crate::output::note;

/// Why a command did not do what was asked, as scripts see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The build failed, or a check found something.
    Failed,
    /// The command line or the configuration is wrong.
    Usage,
    /// There is no such thing.
    NotFound,
    /// Not for this user.
    NotPermitted,
    /// It took too long.
    TimedOut,
    /// No server answers.
    NoServer,
}

/// An error that knows its exit code.
#[derive(Debug)]
struct Refusal {
    exit: Exit,
    message: String,
}

impl Exit {
    /// The exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::NotPermitted => 4,
            Self::TimedOut => 5,
            Self::NoServer => 6,
        }
    }

    /// An error that ends the process with this code.
    pub(crate) fn because(self, message: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Refusal { exit: self, message: message.into() })
    }

    /// The same for an error whose text is a fragment that fits after "failed to".
    pub(crate) fn failed_to(self, error: &dyn std::error::Error) -> anyhow::Error {
        self.because(failed_to(error))
    }

    fn of(error: &anyhow::Error) -> Self {
        if let Some(refusal) = error.downcast_ref::<Refusal>() {
            return refusal.exit;
        }
        if error.is::<ConfigFileError>() { Self::Usage } else { Self::Failed }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

/// A sentence about an error whose text is a fragment that fits after "failed to", with its causes.
pub(crate) fn failed_to(error: &dyn std::error::Error) -> String {
    let mut message = format!("failed to {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    message
}

/// Says what went wrong, if something did, and ends with its code.
pub(crate) fn report(done: Result<ExitCode>) -> ExitCode {
    done.unwrap_or_else(|error| {
        note(&format!("ci-node: {error:#}"));
        Exit::of(&error).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_code_below_its_context() {
        let error = Exit::NotFound.because("no such job").context("failed to look");
        assert_eq!(Exit::of(&error), Exit::NotFound);
        assert_eq!(Exit::of(&anyhow::anyhow!("other")), Exit::Failed);
        let config = anyhow::Error::new(ConfigFileError::Invalid(Vec::new()));
        assert_eq!(Exit::of(&config.context("failed to start")), Exit::Usage);
    }
}
