//! Why there is no answer.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use hyper::StatusCode;

use crate::wire::{ErrorBody, PROTOCOL};

/// Says why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody listens.
    #[error("reach the inspector at {socket}")]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The command that connects to it cannot be run.
    #[error("run {command}")]
    Command {
        /// The command.
        command: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It took too long.
    #[error("get an answer within {0:?}")]
    TimedOut(Duration),
    /// The server speaks another version of the protocol.
    #[error("speak protocol {theirs} of the process: this is protocol {PROTOCOL}")]
    Protocol {
        /// The version of the server.
        theirs: u32,
    },
    /// The server says no.
    #[error("get what was asked for: {}", .body.message)]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The reason.
        body: Box<ErrorBody>,
    },
    /// The connection broke before the answer was there: the process is probably gone.
    #[error("keep the connection to the inspector")]
    Lost(#[source] hyper::Error),
    /// The answer makes no sense.
    #[error("understand the inspector's answer")]
    Garbled(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ClientError {
    /// Tells whether the actor that was asked about has ended, or never was.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Refused { status: 404 | 410, .. })
    }
}

/// Reads why the server says no.
pub(super) fn refusal(status: StatusCode, answer: &[u8]) -> ClientError {
    match serde_json::from_slice(answer) {
        Ok(body) => ClientError::Refused { status: status.as_u16(), body },
        Err(error) => ClientError::Garbled(error.into()),
    }
}
