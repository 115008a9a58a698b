//! What can go wrong, and the exit code that says so.

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use heights_vitals::ClientError;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line asks for something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// There is no such process.
    #[error("{0}")]
    NoProcess(String),
    /// Someone said no at the prompt.
    #[error("nothing was done")]
    Declined,
    /// The process could not be asked, or said no.
    #[error("failed to {0}")]
    Client(#[from] ClientError),
    /// What was waited for did not come.
    #[error("timed out after {patience:?}{}", .against.iter().map(|against| format!("\n  {against}")).collect::<String>())]
    NotYet {
        /// How long it was waited for.
        patience: Duration,
        /// What still speaks against it.
        against: Vec<String>,
    },
    /// A snapshot cannot be read or written.
    #[error("{}: {why}", file.display())]
    Snapshot {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The terminal, a pipe or the runtime failed.
    #[error("failed to talk to the system")]
    Io(#[source] io::Error),
    /// An answer could not be printed.
    #[error("failed to write JSON")]
    Json(#[from] serde_json::Error),
}

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const NOT_FOUND: u8 = 3;
const NOT_PERMITTED: u8 = 4;
const TIMED_OUT: u8 = 5;
const PROTOCOL: u8 = 6;

impl Failure {
    /// Says what went wrong and returns the exit code.
    pub fn report(&self) -> ExitCode {
        let mut text = format!("vitals: {self}");
        let mut source = self.source();
        while let Some(cause) = source {
            // A wrapper that is shown through its inner error would say everything twice.
            if !text.contains(&cause.to_string()) {
                text.push_str(&format!(": {cause}"));
            }
            source = cause.source();
        }
        if let Self::Client(ClientError::Refused { body, .. }) = self {
            text.extend(body.matches.iter().map(|path| format!("\n  {path}")));
        }
        // If not even this can be said, the exit code still says it.
        let _closed = writeln!(io::stderr(), "{text}");
        self.code().into()
    }

    fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Snapshot { .. } => USAGE,
            Self::NotYet { .. } => TIMED_OUT,
            Self::NoProcess(_) => NOT_FOUND,
            Self::Declined | Self::Io(_) | Self::Json(_) => FAILED,
            Self::Client(error) => client_code(error),
        }
    }
}

fn client_code(error: &ClientError) -> u8 {
    match error {
        ClientError::Unreachable { source, .. }
            if source.kind() == io::ErrorKind::PermissionDenied =>
        {
            NOT_PERMITTED
        }
        ClientError::Unreachable { .. } | ClientError::Lost(_) => NOT_FOUND,
        ClientError::TimedOut(_) => TIMED_OUT,
        ClientError::Protocol { .. } | ClientError::Garbled(_) => PROTOCOL,
        ClientError::Refused { status: 403, .. } => NOT_PERMITTED,
        ClientError::Refused { status: 404 | 410, .. } => NOT_FOUND,
        ClientError::Refused { status: 400 | 409, .. } => USAGE,
        _ => FAILED,
    }
}
