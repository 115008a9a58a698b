//! The connections of a server: each is a task, and all of them end with their owner.

use std::future::pending;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tracing::{debug, error, warn};

use crate::stopping::Stopping;

/// Connections from the network at once; more wait until one has ended. Each is a few dozen kilobytes.
const MAX_CONNECTIONS: usize = 1024;
/// How long a client may take to send the head of a request, and to think between two.
const HEAD_LIMIT: Duration = Duration::from_secs(30);

/// The connections that are open. Dropping it closes them.
pub(crate) struct Connections {
    tasks: JoinSet<()>,
    stopping: Stopping,
}

impl Connections {
    /// None yet; all are told to end by `stopping`.
    pub(crate) fn new(stopping: Stopping) -> Self {
        Self { tasks: JoinSet::new(), stopping }
    }

    /// Whether another one from the network may come.
    pub(crate) fn has_room(&self) -> bool {
        self.tasks.len() < MAX_CONNECTIONS
    }

    /// Answers what comes over `stream`.
    pub(crate) fn serve<S>(&mut self, stream: S, routes: Router)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.tasks.spawn(converse(stream, routes, self.stopping.clone()));
    }

    /// Waits until a connection has ended; for ever while there is none.
    pub(crate) async fn one_ended(&mut self) {
        match self.tasks.join_next().await {
            Some(Ok(())) => {}
            // A handler that panics costs its own connection, and no other.
            Some(Err(error)) => error!(%error, "a request crashed"),
            None => pending().await,
        }
    }

    /// Waits until all have ended, for at most `limit`; then ends them.
    pub(crate) async fn drain(mut self, limit: Duration) {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, all).await.is_err() {
            warn!(open = self.tasks.len(), "closed connections that did not end");
            self.tasks.shutdown().await;
        }
    }
}

async fn converse<S>(stream: S, routes: Router, mut stopping: Stopping)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = TowerToHyperService::new(routes);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = stopping.told() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        debug!(%error, "a connection broke");
    }
}
