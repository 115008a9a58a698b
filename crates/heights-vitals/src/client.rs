//! The client side: one request, one connection, one deadline.

mod watch;

use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use crate::condition::Condition;
use crate::wire::{
    ActorDetail, ControlOutcome, ControlRequest, Crashes, ErrorBody, Hello, Judgement, PROTOCOL,
    Picture, Sort, Tree, Why,
};

pub use self::watch::Watch;

/// The largest answer read: a tree of a hundred thousand actors is a quarter of it.
const ANSWER_LIMIT: usize = 128 * 1024 * 1024;

/// How long the server has to answer, unless said otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the inspector of one process.
#[derive(Debug, Clone)]
pub struct Client {
    way: Way,
    patience: Duration,
}

/// How a request gets to the inspector.
#[derive(Debug, Clone)]
enum Way {
    /// To a socket of this machine.
    Socket(PathBuf),
    /// Through a command that is connected to one.
    Program(Vec<String>),
}

/// Both directions of a connection.
trait Stream: AsyncRead + AsyncWrite + Debug + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Debug + Send + Unpin> Stream for S {}

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

impl Client {
    /// Makes a client for a socket; nothing is sent yet.
    pub fn new(socket: impl AsRef<Path>) -> Self {
        Self { way: Way::Socket(socket.as_ref().to_owned()), patience: PATIENCE }
    }

    /// Makes a client that runs a command for every request, and speaks to its standard input and
    /// output as if they were the socket. What it writes to standard error goes to ours.
    pub fn over(command: Vec<String>) -> Self {
        Self { way: Way::Program(command), patience: PATIENCE }
    }

    /// Sets how long each answer may take.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Asks who is there; fails if its protocol is not ours.
    pub async fn hello(&self) -> Result<Hello, ClientError> {
        let hello: Hello = self.get("/v1/hello").await?;
        if hello.protocol == PROTOCOL {
            Ok(hello)
        } else {
            Err(ClientError::Protocol { theirs: hello.protocol })
        }
    }

    /// Asks for the whole tree.
    pub async fn tree(&self) -> Result<Tree, ClientError> {
        self.get("/v1/tree").await
    }

    /// Asks for the first actors in some order, those whose path contains `filter` where one is given.
    pub async fn top(
        &self,
        sort: Sort,
        limit: usize,
        filter: Option<&str>,
    ) -> Result<Tree, ClientError> {
        let sort =
            serde_json::to_value(sort).map_err(|error| ClientError::Garbled(error.into()))?;
        let sort = sort.as_str().unwrap_or_default();
        let filter = filter.map(|filter| format!("&filter={}", escape(filter))).unwrap_or_default();
        self.get(&format!("/v1/actors?sort={sort}&limit={limit}{filter}")).await
    }

    /// Asks for the remembered crashes.
    pub async fn crashes(&self) -> Result<Crashes, ClientError> {
        self.get("/v1/crashes").await
    }

    /// Asks for one actor.
    pub async fn actor(&self, reference: &str) -> Result<ActorDetail, ClientError> {
        self.get(&format!("/v1/actors/{}", escape(reference))).await
    }

    /// Asks for everything at once.
    pub async fn picture(&self) -> Result<Picture, ClientError> {
        self.get("/v1/picture").await
    }

    /// Asks why an actor does what it does.
    pub async fn why(&self, reference: &str) -> Result<Why, ClientError> {
        self.get(&format!("/v1/actors/{}/why", escape(reference))).await
    }

    /// Asks whether a condition holds.
    pub async fn judge(&self, condition: &Condition) -> Result<Judgement, ClientError> {
        let text = condition.to_string();
        self.get(&format!("/v1/judge?condition={}", escape(&text))).await
    }

    /// Asks for all figures in the OpenMetrics text format.
    pub async fn metrics(&self) -> Result<String, ClientError> {
        let answer = self.answer(Method::GET, "/v1/metrics", Bytes::new()).await?;
        String::from_utf8(answer.into()).map_err(|error| ClientError::Garbled(error.into()))
    }

    /// Hears what happens from now on, or after the event `seen`.
    pub async fn watch(&self, seen: Option<u64>) -> Result<Watch, ClientError> {
        let mut request = Request::get("/v1/watch").header("host", "localhost");
        if let Some(seen) = seen {
            request = request.header("last-event-id", seen.to_string());
        }
        let request =
            request.body(Full::default()).map_err(|error| ClientError::Garbled(error.into()))?;
        let beginning = async {
            let (mut sender, mut driver, command) = self.connect().await?;
            let response = tokio::select! {
                response = sender.send_request(request) => response.map_err(ClientError::Lost)?,
                // What goes wrong with the connection goes wrong with the answer, too.
                Err(lost) = &mut driver => return Err(ClientError::Lost(lost)),
            };
            let (status, body) = (response.status(), response.into_body());
            if status.is_success() {
                return Ok(Watch::new(body, driver, command));
            }
            let body = alongside(Limited::new(body, ANSWER_LIMIT).collect(), driver).await;
            Err(refusal(status, &body.map_err(ClientError::Garbled)?.to_bytes()))
        };
        let begun = tokio::time::timeout(self.patience, beginning).await;
        begun.map_err(|_elapsed| ClientError::TimedOut(self.patience))?
    }

    /// Acts on an actor, or tells what that would do; actions are called as in
    /// [`ControlOutcome::action`].
    pub async fn act(
        &self,
        action: &str,
        reference: &str,
        request: &ControlRequest,
    ) -> Result<ControlOutcome, ClientError> {
        self.post(&format!("/v1/actors/{}/{}", escape(reference), escape(action)), request).await
    }

    /// Stops an actor in good order, or tells what that would do.
    pub async fn stop(
        &self,
        reference: &str,
        request: &ControlRequest,
    ) -> Result<ControlOutcome, ClientError> {
        self.act("stop", reference, request).await
    }

    /// Kills an actor, or tells what that would do.
    pub async fn kill(
        &self,
        reference: &str,
        request: &ControlRequest,
    ) -> Result<ControlOutcome, ClientError> {
        self.act("kill", reference, request).await
    }

    async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, ClientError> {
        self.ask(Method::GET, path, Bytes::new()).await
    }

    async fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<A, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| ClientError::Garbled(error.into()))?;
        self.ask(Method::POST, path, body.into()).await
    }

    async fn ask<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<A, ClientError> {
        let answer = self.answer(method, path, body).await?;
        serde_json::from_slice(&answer).map_err(|error| ClientError::Garbled(error.into()))
    }

    async fn answer(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, ClientError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::new(body))
            .map_err(|error| ClientError::Garbled(error.into()))?;
        let exchange = tokio::time::timeout(self.patience, self.exchange(request));
        let (status, answer) =
            exchange.await.map_err(|_elapsed| ClientError::TimedOut(self.patience))??;
        if status.is_success() { Ok(answer) } else { Err(refusal(status, &answer)) }
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), ClientError> {
        let (mut sender, connection, _command) = self.connect().await?;
        let answer = async move {
            let response = sender.send_request(request).await.map_err(ClientError::Lost)?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_LIMIT).collect().await;
            Ok((status, body.map_err(ClientError::Garbled)?.to_bytes()))
        };
        alongside(answer, connection).await
    }

    /// Opens a connection: what sends on it, what drives it, and the command that it lives by.
    async fn connect(&self) -> Result<(Sender, Driver, Option<Child>), ClientError> {
        let (stream, command) = self.way.connect().await?;
        let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (sender, driver) = shaken.map_err(ClientError::Lost)?;
        Ok((sender, driver, command))
    }
}

type Sender = hyper::client::conn::http1::SendRequest<Full<Bytes>>;
type Driver = hyper::client::conn::http1::Connection<TokioIo<Box<dyn Stream>>, Full<Bytes>>;

/// Reads why the server says no.
fn refusal(status: StatusCode, answer: &[u8]) -> ClientError {
    match serde_json::from_slice(answer) {
        Ok(body) => ClientError::Refused { status: status.as_u16(), body },
        Err(error) => ClientError::Garbled(error.into()),
    }
}

impl Way {
    /// Returns the connection, and the command that it lives by, if it does.
    async fn connect(&self) -> Result<(Box<dyn Stream>, Option<Child>), ClientError> {
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

/// Polls the connection for as long as the answer needs it. What goes wrong with the connection
/// goes wrong with the answer too, which says it better.
async fn alongside<A>(answer: impl Future<Output = A>, connection: impl Future) -> A {
    tokio::join!(answer, connection).0
}

/// Escapes a reference so that it is one segment of a path.
fn escape(reference: &str) -> String {
    let mut escaped = String::with_capacity(reference.len());
    for byte in reference.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn a_reference_is_one_segment_of_a_path() {
        assert_eq!(escape("ci/pull-7"), "ci%2Fpull-7");
        assert_eq!(escape("@root ü%"), "%40root%20%C3%BC%25");
    }
}
