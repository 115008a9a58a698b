//! The connections of a server: each is a task, and all of them end with their owner.

use std::future::pending;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::HttpServer;
use super::stopping::Stopping;

/// How long a client may take to send the head of a request, and to think between two.
const HEAD_LIMIT: Duration = Duration::from_secs(30);

/// How long nobody is let in after the system refused to: out of file descriptors, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Lets clients in until the server stops, and then waits for those that are in.
pub(super) async fn serve(listener: TcpListener, server: HttpServer, stopping: Stopping) {
    let routes = server.routes.layer(Extension(stopping.clone()));
    let mut open = JoinSet::new();
    let told = stopping.told();
    tokio::pin!(told);
    loop {
        tokio::select! {
            () = &mut told => break,
            stream = accept(&listener), if open.len() < server.max_connections => {
                open.spawn(converse(stream, routes.clone(), stopping.clone()));
            }
            () = one_ended(&mut open) => {}
        }
    }
    // From here on who comes is refused at once, and not let wait for nothing.
    drop(listener);
    drain(open, server.drain).await;
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _client)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "failed to accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Waits until a connection has ended; for ever while there is none.
async fn one_ended(open: &mut JoinSet<()>) {
    match open.join_next().await {
        Some(Ok(())) => {}
        Some(Err(error)) => tracing::error!(%error, "a request crashed"),
        None => pending().await,
    }
}

async fn drain(mut open: JoinSet<()>, limit: Duration) {
    let all = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(limit, all).await.is_err() {
        tracing::warn!(open = open.len(), "closed connections that did not end");
        open.shutdown().await;
    }
}

async fn converse(stream: TcpStream, routes: Router, stopping: Stopping) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes))
        .with_upgrades();
    tokio::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = stopping.told() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection broke");
    }
}
