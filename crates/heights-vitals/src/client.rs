//! The client side: one request, one connection, one deadline.

mod error;
mod feed;
mod way;

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use self::error::ClientError;
use self::error::refusal;
pub use self::feed::{Feed, Trace, Watch};
use self::way::{Connected, Way};
use crate::condition::Condition;
use crate::wire::{
    ActorDetail, ControlOutcome, ControlRequest, Crashes, Groups, Hello, Judgement, PROTOCOL,
    Picture, Registries, Sort, StateView, TraceRequest, Tree, Why,
};

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
        let sort = serde_json::to_value(sort).map_err(garbled)?;
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
        String::from_utf8(answer.into()).map_err(garbled)
    }

    /// Asks for the [`schema`](crate::wire::schema) of all answers.
    pub async fn schema(&self) -> Result<Value, ClientError> {
        self.get("/v1/schema").await
    }

    /// Hears what happens from now on, or after the event `seen`.
    pub async fn watch(&self, seen: Option<u64>) -> Result<Watch, ClientError> {
        let mut request = Request::get("/v1/watch").header("host", "localhost");
        if let Some(seen) = seen {
            request = request.header("last-event-id", seen.to_string());
        }
        self.listen(request.body(Full::default())).await
    }

    /// Hears of messages as they are handled; the trace ends when it is dropped.
    pub async fn trace(&self, request: &TraceRequest) -> Result<Trace, ClientError> {
        let body = serde_json::to_vec(request).map_err(garbled)?;
        let request = Request::post("/v1/traces").header("host", "localhost");
        let request = request.header("content-type", "application/json");
        self.listen(request.body(Full::from(body))).await
    }

    /// Asks what can be seen of an actor's state, within `bytes` of text where that is given.
    pub async fn state(
        &self,
        reference: &str,
        bytes: Option<usize>,
    ) -> Result<StateView, ClientError> {
        let bytes = bytes.map(|bytes| format!("?bytes={bytes}")).unwrap_or_default();
        self.get(&format!("/v1/actors/{}/state{bytes}", escape(reference))).await
    }

    /// Asks who answers to which name; of each registry at most `limit` entries.
    pub async fn registry(&self, limit: Option<usize>) -> Result<Registries, ClientError> {
        self.get(&limited("/v1/registry", limit)).await
    }

    /// Asks for ractor's process groups; of each group at most `limit` members.
    pub async fn groups(&self, limit: Option<usize>) -> Result<Groups, ClientError> {
        self.get(&limited("/v1/groups", limit)).await
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

    /// Acts on an actor, and waits until it has ended, or for `wait` at most: which of both is in
    /// [`ControlOutcome::ended`].
    pub async fn act_and_wait(
        &self,
        action: &str,
        reference: &str,
        request: &ControlRequest,
        wait: Duration,
    ) -> Result<ControlOutcome, ClientError> {
        let (reference, action) = (escape(reference), escape(action));
        let path = format!("/v1/actors/{reference}/{action}?wait_ms={}", wait.as_millis());
        let client = self.clone().patience(self.patience.saturating_add(wait));
        client.post(&path, request).await
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
        let body = serde_json::to_vec(body).map_err(garbled)?;
        self.ask(Method::POST, path, body.into()).await
    }

    async fn ask<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<A, ClientError> {
        let answer = self.answer(method, path, body).await?;
        serde_json::from_slice(&answer).map_err(garbled)
    }

    async fn answer(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, ClientError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::new(body))
            .map_err(garbled)?;
        let exchange = tokio::time::timeout(self.patience, self.exchange(request));
        let (status, answer) =
            exchange.await.map_err(|_elapsed| ClientError::TimedOut(self.patience))??;
        if status.is_success() { Ok(answer) } else { Err(refusal(status, &answer)) }
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), ClientError> {
        let Connected { mut sender, driver, command: _command } = self.way.connect().await?;
        let answer = async move {
            let response = sender.send_request(request).await.map_err(ClientError::Lost)?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_LIMIT).collect().await;
            Ok((status, body.map_err(ClientError::Garbled)?.to_bytes()))
        };
        alongside(answer, driver).await
    }

    /// Begins to hear an answer that has no end of its own.
    async fn listen<T: DeserializeOwned>(
        &self,
        request: hyper::http::Result<Request<Full<Bytes>>>,
    ) -> Result<Feed<T>, ClientError> {
        let request = request.map_err(garbled)?;
        let beginning = async {
            let Connected { mut sender, mut driver, command } = self.way.connect().await?;
            let response = tokio::select! {
                response = sender.send_request(request) => response.map_err(ClientError::Lost)?,
                // What goes wrong with the connection goes wrong with the answer, too.
                Err(lost) = &mut driver => return Err(ClientError::Lost(lost)),
            };
            // Nothing more is asked, so the connection ends with the answer.
            drop(sender);
            let (status, body) = (response.status(), response.into_body());
            if status.is_success() {
                return Ok(Feed::new(body, driver, command));
            }
            let body = alongside(Limited::new(body, ANSWER_LIMIT).collect(), driver).await;
            Err(refusal(status, &body.map_err(ClientError::Garbled)?.to_bytes()))
        };
        let begun = tokio::time::timeout(self.patience, beginning).await;
        begun.map_err(|_elapsed| ClientError::TimedOut(self.patience))?
    }
}

/// Polls the connection for as long as the answer needs it. What goes wrong with the connection
/// goes wrong with the answer too, which says it better.
async fn alongside<A>(answer: impl Future<Output = A>, connection: impl Future) -> A {
    tokio::join!(answer, connection).0
}

fn garbled(error: impl std::error::Error + Send + Sync + 'static) -> ClientError {
    ClientError::Garbled(error.into())
}

fn limited(path: &str, limit: Option<usize>) -> String {
    limit.map_or_else(|| path.to_owned(), |limit| format!("{path}?limit={limit}"))
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
