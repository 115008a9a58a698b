//! How a request gets to the inspector.

use std::fmt::Debug;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use super::ClientError;

pub(super) type Sender = hyper::client::conn::http1::SendRequest<Full<Bytes>>;
pub(super) type Driver =
    hyper::client::conn::http1::Connection<TokioIo<Box<dyn Stream>>, Full<Bytes>>;

/// How a request gets to the inspector.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// To a socket of this machine.
    Socket(PathBuf),
    /// Through a command that is connected to one.
    Program(Vec<String>),
}

/// Both directions of a connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Debug + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Debug + Send + Unpin> Stream for S {}

/// A connection.
pub(super) struct Connected {
    /// What requests are sent on.
    pub(super) sender: Sender,
    /// What moves the bytes, for as long as somebody polls it.
    pub(super) driver: Driver,
    /// The command that the connection lives by, if it does.
    pub(super) command: Option<Child>,
}

impl Way {
    /// Opens a connection.
    pub(super) async fn connect(&self) -> Result<Connected, ClientError> {
        let (stream, command) = self.open().await?;
        let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (sender, driver) = shaken.map_err(ClientError::Lost)?;
        Ok(Connected { sender, driver, command })
    }

    /// Returns the connection, and the command that it lives by, if it does.
    async fn open(&self) -> Result<(Box<dyn Stream>, Option<Child>), ClientError> {
        match self {
            Self::Socket(socket) => {
                let unreachable =
                    |source| ClientError::Unreachable { socket: socket.clone(), source };
                let stream = UnixStream::connect(socket).await.map_err(unreachable)?;
                Ok((Box::new(stream), None))
            }
            Self::Program(words) => {
                let failed = |source| ClientError::Command { command: words.join(" "), source };
                let (program, rest) = words
                    .split_first()
                    .ok_or_else(|| failed(io::Error::other("there is no command")))?;
                let mut command = Command::new(program);
                command.args(rest).stdin(Stdio::piped()).stdout(Stdio::piped());
                // Whoever gives the answer up, gives the command up.
                let mut child = command.kill_on_drop(true).spawn().map_err(failed)?;
                let pipes = child.stdout.take().zip(child.stdin.take());
                let (output, input) =
                    pipes.ok_or_else(|| failed(io::Error::other("it has no pipes")))?;
                Ok((Box::new(tokio::io::join(output, input)), Some(child)))
            }
        }
    }
}
