//! The connections of a server: each is a task, and all of them end with their owner.
//!
//! Those from the network have a bound. Where it is reached, who comes anew takes the place of whoever has
//! been slowest to say what they want: so a flood of connections costs those who flood, and a request that
//! comes in one piece is answered in the midst of it.

use std::collections::HashMap;
use std::future::pending;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, getrlimit};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::Instant;
use tracing::{debug, error, warn};

use crate::occupancy::{Occupancy, Stage, Watched};
use crate::stopping::Stopping;

/// Connections from the network at once, where the process may open twice as many files: the other half is
/// for its work. Each is a few dozen kilobytes, and what it is sent.
const MAX_CONNECTIONS: usize = 1024;
/// How long a client may take to send the head of a request, and to think between two.
const HEAD_LIMIT: Duration = Duration::from_secs(30);
/// The fields that a head may have before no more is said about it than the status: who has fewer, and still
/// too many, is told why.
const MAX_FIELDS: usize = 256;
/// What waits in memory on its way in or out, in bytes; a head may have little more.
const MAX_BUFFER: usize = 64 * 1024;
/// An answer that has lasted so long is a stream, or its reader does not read. Who follows a log and is cut
/// off comes again and goes on where they were.
const LASTING: Duration = Duration::from_secs(30);
/// How often at most it is said that connections were closed for others.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// The connections that are open. Dropping it closes them.
pub(crate) struct Connections {
    tasks: JoinSet<()>,
    /// Those from the network.
    guests: HashMap<Id, Guest>,
    most: usize,
    told: Option<Instant>,
    stopping: Stopping,
}

struct Guest {
    task: AbortHandle,
    occupancy: Occupancy,
}

impl Connections {
    /// None yet; all are told to end by `stopping`.
    pub(crate) fn new(stopping: Stopping) -> Self {
        let most = MAX_CONNECTIONS.min(open_files() / 2);
        Self { tasks: JoinSet::new(), guests: HashMap::new(), most, told: None, stopping }
    }

    /// Whether another one from the network may come, be it in the place of one that is there.
    pub(crate) fn has_room(&self) -> bool {
        self.guests.len() < self.most || self.idlest().is_some()
    }

    /// Answers what comes from the network over `stream`.
    pub(crate) fn serve_guest<S>(&mut self, stream: S, routes: Router)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        if self.guests.len() >= self.most {
            self.close_idlest();
        }
        let occupancy = Occupancy::new();
        let task = self.serve(stream, routes, occupancy.clone());
        self.guests.insert(task.id(), Guest { task, occupancy });
    }

    /// Answers what the operator asks over `stream`; nothing that happens on the network keeps them out.
    pub(crate) fn serve_operator<S>(&mut self, stream: S, routes: Router)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.serve(stream, routes, Occupancy::new());
    }

    fn serve<S>(&mut self, stream: S, routes: Router, occupancy: Occupancy) -> AbortHandle
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = Watched::new(routes, occupancy);
        self.tasks.spawn(converse(stream, service, self.stopping.clone()))
    }

    /// The one that can best be done without: that has waited longest for the rest of a request, or where
    /// there is none, has been answered longest.
    fn idlest(&self) -> Option<Id> {
        let now = Instant::now();
        let rank = |guest: &Guest| match guest.occupancy.stage() {
            Stage::Incomplete(since) => Some((0, since)),
            Stage::Answering(since) => (now - since > LASTING).then_some((1, since)),
        };
        let ranked = self.guests.iter().filter_map(|(id, guest)| Some((rank(guest)?, *id)));
        ranked.min_by_key(|(rank, _)| *rank).map(|(_, id)| id)
    }

    fn close_idlest(&mut self) {
        let Some(guest) = self.idlest().and_then(|id| self.guests.remove(&id)) else { return };
        guest.task.abort();
        let now = Instant::now();
        if self.told.is_none_or(|told| now - told > TOLD_EVERY) {
            self.told = Some(now);
            warn!(most = self.most, "too many connections: the idlest are closed for others");
        }
    }

    /// Waits until a connection has ended; for ever while there is none.
    pub(crate) async fn one_ended(&mut self) {
        let ended = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => {
                // A handler that panics costs its own connection, and no other.
                if error.is_panic() {
                    error!(%error, "a request crashed");
                }
                error.id()
            }
            None => pending().await,
        };
        self.guests.remove(&ended);
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

/// How many files the process may have open.
fn open_files() -> usize {
    let limit = getrlimit(Resource::Nofile).current;
    limit.and_then(|limit| limit.try_into().ok()).unwrap_or(usize::MAX)
}

async fn converse<S>(stream: S, service: Watched, mut stopping: Stopping)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(MAX_BUFFER)
        .max_headers(MAX_FIELDS)
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

#[cfg(test)]
mod tests;
