//! One request, one connection.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::ClientError;
use super::byte_stream::{ByteStream, Connection};
use crate::wire::Problem;

/// The largest answer that is read as a whole: thousands of pull requests fit.
const ANSWER_LIMIT: usize = 64 * 1024 * 1024;

type Sender = hyper::client::conn::http1::SendRequest<Full<Bytes>>;

/// Connects; says whether nobody is there or we may not.
pub(super) async fn connect(socket: &Path) -> Result<UnixStream, ClientError> {
    UnixStream::connect(socket).await.map_err(|source| match source.kind() {
        ErrorKind::PermissionDenied => ClientError::NotPermitted {
            detail: format!("{} is for the node's own user and root", socket.display()),
        },
        _ => ClientError::NoServer { socket: socket.to_owned(), source },
    })
}

/// Asks and reads the whole answer.
pub(super) async fn ask(
    socket: &Path,
    patience: Duration,
    method: Method,
    path: &str,
    body: Option<Bytes>,
) -> Result<Bytes, ClientError> {
    let request = request(method, path, body)?;
    let exchange = async {
        let (mut sender, connection) = open(socket).await?;
        let answer = async {
            let response = sender.send_request(request).await.map_err(ClientError::Lost)?;
            whole(response).await
        };
        alongside(answer, connection).await
    };
    tokio::time::timeout(patience, exchange).await.map_err(|_| ClientError::TimedOut(patience))?
}

/// Asks for something that is read as it comes; only its beginning must be there in time.
pub(super) async fn stream(
    socket: &Path,
    patience: Duration,
    path: &str,
) -> Result<ByteStream, ClientError> {
    let request = request(Method::GET, path, None)?;
    let exchange = async {
        let (mut sender, mut connection) = open(socket).await?;
        let response = tokio::select! {
            biased;
            response = sender.send_request(request) => response.map_err(ClientError::Lost)?,
            () = &mut connection => return Err(broken()),
        };
        if response.status().is_success() {
            return Ok(ByteStream::new(response.into_body(), connection));
        }
        let refusal = alongside(whole(response), connection).await;
        Err(refusal.err().unwrap_or_else(broken))
    };
    tokio::time::timeout(patience, exchange).await.map_err(|_| ClientError::TimedOut(patience))?
}

/// Reads an answer as JSON.
pub(super) fn read<A: DeserializeOwned>(answer: &[u8]) -> Result<A, ClientError> {
    serde_json::from_slice(answer).map_err(|error| ClientError::Garbled(error.into()))
}

fn request(
    method: Method,
    path: &str,
    body: Option<Bytes>,
) -> Result<Request<Full<Bytes>>, ClientError> {
    let mut builder = Request::builder().method(method).uri(path).header("host", "localhost");
    if body.is_some() {
        builder = builder.header("content-type", "application/json");
    }
    let body = Full::new(body.unwrap_or_default());
    builder.body(body).map_err(|error| ClientError::Garbled(error.into()))
}

async fn open(socket: &Path) -> Result<(Sender, Connection), ClientError> {
    let stream = TokioIo::new(connect(socket).await?);
    let (sender, connection) =
        hyper::client::conn::http1::handshake(stream).await.map_err(ClientError::Lost)?;
    let connection: Connection = Box::pin(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection to the node broke");
        }
    });
    Ok((sender, connection))
}

async fn whole(response: Response<Incoming>) -> Result<Bytes, ClientError> {
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_LIMIT).collect().await;
    let body = body.map_err(ClientError::Garbled)?.to_bytes();
    if status.is_success() { Ok(body) } else { Err(refusal(status, &body)) }
}

/// Polls the connection for as long as the answer needs it.
async fn alongside<A>(answer: impl Future<Output = A>, mut connection: Connection) -> A {
    tokio::pin!(answer);
    tokio::select! {
        biased;
        answer = &mut answer => return answer,
        () = &mut connection => {}
    }
    answer.await
}

fn refusal(status: StatusCode, body: &[u8]) -> ClientError {
    let detail = match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => problem.detail,
        Err(_) => status.to_string(),
    };
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ClientError::NotPermitted { detail },
        StatusCode::NOT_FOUND => ClientError::NotFound { detail },
        _ => ClientError::Refused { status: status.as_u16(), detail },
    }
}

fn broken() -> ClientError {
    ClientError::Garbled("the node closed the connection without an answer".into())
}
