//! Why there is no answer.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why there is no answer. Each variant is an exit code of the command line.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("reach a node at {}: none listens there", .socket.display())]
    NoServer {
        /// The socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The socket, or the node, does not let us.
    #[error("be let in: {detail}")]
    NotPermitted {
        /// Who says no, and why.
        detail: String,
    },
    /// There is no such thing.
    #[error("find it: {detail}")]
    NotFound {
        /// What there is not.
        detail: String,
    },
    /// The node says no.
    #[error("get it done: {detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Why.
        detail: String,
    },
    /// It took too long.
    #[error("get an answer within {0:?}")]
    TimedOut(Duration),
    /// The connection broke before the answer was whole: the node is probably gone.
    #[error("read the whole answer")]
    Lost(#[source] hyper::Error),
    /// The answer makes no sense: the node is probably of another version.
    #[error("understand the answer")]
    Garbled(#[source] Box<dyn std::error::Error + Send + Sync>),
}
