//! The connections, none of which can hold the inspector up.
//!
//! | what a client may not do | what becomes of it |
//! |---|---|
//! | open more connections than there may be | the new one is told that it is busy |
//! | send the head of a request slowly, or nothing | its connection is closed |
//! | read an answer slowly, or not at all | its connection is closed |
//! | ask for more than may be spent | it has to wait |
//! | send a large body | it is refused |

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Extension;
use axum::Router;
use axum::extract::connect_info::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::cost::Meter;
use super::peer::Peer;

/// How long a client may take to send the head of a request, and to think between two.
const HEAD_LIMIT: Duration = Duration::from_secs(30);

/// How long a client may take to read the next part of an answer.
const STALL_LIMIT: Duration = Duration::from_secs(10);

/// How long a client is heard that is one too many, and how much of what it says.
const HEARING: Duration = Duration::from_secs(1);
const HEAD_MAX: usize = 8 * 1024;

/// How long nobody is let in after the system refused to: out of file descriptors, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a client hears that is one too many.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
    connection: close\r\ncontent-length: 67\r\n\r\n\
    {\"code\":\"busy\",\"message\":\"too many look inside already: try again\"}";

/// Lets clients in, for as long as it is polled.
pub(super) async fn serve(listener: UnixListener, routes: Router, meter: Arc<Meter>) {
    let mut open = JoinSet::new();
    loop {
        let accept = async {
            meter.breathe().await;
            listener.accept().await
        };
        tokio::select! {
            accepted = accept => match accepted {
                Ok((stream, _address)) => {
                    open.spawn(converse(stream, routes.clone(), Arc::clone(&meter)));
                }
                Err(error) => {
                    tracing::warn!(%error, "failed to accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(ended) = open.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a request crashed");
                }
            }
        }
    }
}

async fn converse(mut stream: UnixStream, routes: Router, meter: Arc<Meter>) {
    let client = meter.client();
    if client.is_far_too_many() {
        return;
    }
    if client.is_too_many() {
        // Where nobody reads even that, there is nobody to tell.
        let _unread = tokio::time::timeout(STALL_LIMIT, turn_away(&mut stream)).await;
        return;
    }
    let routes = routes.layer(Extension(ConnectInfo(Peer::of(&stream))));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .serve_connection(TokioIo::new(Impatient::new(stream)), TowerToHyperService::new(routes));
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection broke");
    }
}

/// Hears the client out, for a moment, and says that there is no room: an answer to what was not
/// asked yet makes no sense to it.
async fn turn_away(stream: &mut UnixStream) -> io::Result<()> {
    let mut head = Vec::new();
    let listening = async {
        while head.len() < HEAD_MAX && !head.windows(4).any(|end| end == b"\r\n\r\n") {
            if stream.read_buf(&mut head).await? == 0 {
                break;
            }
        }
        io::Result::Ok(())
    };
    if let Ok(heard) = tokio::time::timeout(HEARING, listening).await {
        heard?;
    }
    stream.write_all(FULL).await
}

/// A stream that breaks when nobody reads what is written to it.
struct Impatient {
    stream: UnixStream,
    /// When it breaks, if a write waits.
    limit: Option<Pin<Box<Sleep>>>,
}

impl Impatient {
    const fn new(stream: UnixStream) -> Self {
        Self { stream, limit: None }
    }

    /// Passes on what came of a write; fails if it has waited for too long.
    fn patiently<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.limit = None;
            return written;
        }
        let limit =
            self.limit.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + STALL_LIMIT)));
        ready!(limit.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Impatient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Impatient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.patiently(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.patiently(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
