//! Web servers as children.
//!
//! A [`HttpServer`] is a child spec like any other: its start returns when the port is bound, and
//! fails with a name for what is wrong ([`BindError`]) where it is not; its stop returns when requests
//! under way have been answered.
//!
//! | | then |
//! |---|---|
//! | a stop | nobody new is let in, idle connections are closed, requests go on for [`drain`](HttpServer::drain) at most |
//! | a handler panics | its connection is closed; no other notices |
//! | the process crashes or is killed | all connections are closed; the next life binds the same port |
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use axum::{Router, routing::get};
//! use heights::http::HttpServer;
//! use heights::prelude::*;
//!
//! let routes = Router::new().route("/", get(async || "good morning"));
//! let (spec, web) = HttpServer::new("127.0.0.1:0".parse()?, routes).child_spec("web");
//! let root = Supervisor::builder("root").child(spec).start().await?;
//! println!("http://{}", web.running().await);
//! root.stop().await;
//! # Ok(())
//! # }
//! ```

mod connections;
mod server;
mod stopping;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use heights_supervisor::{ChildId, ChildSpec, Shutdown};
use tokio::sync::watch;

use self::server::{Args, Listener};
pub use self::stopping::Stopping;

/// How long requests under way may take when the server stops, unless told otherwise.
const DRAIN: Duration = Duration::from_secs(5);

/// What a stop takes beyond the drain: closing what did not end by itself.
const DRAIN_MARGIN: Duration = Duration::from_secs(2);

/// Connections at once, unless told otherwise; each is a few dozen kilobytes.
const MAX_CONNECTIONS: usize = 1024;

/// Describes a web server.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use axum::{Router, routing::get};
/// use heights::http::HttpServer;
/// use heights::prelude::*;
///
/// let routes = Router::new().route("/health", get(async || "fine"));
/// let (web, address) = HttpServer::new("127.0.0.1:0".parse()?, routes)
///     .drain(Duration::from_secs(30))
///     .max_connections(200)
///     .child_spec("web");
/// let root = Supervisor::builder("root").child(web).start().await?;
/// assert!(address.running().await.ip().is_loopback());
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a server runs only as a child"]
pub struct HttpServer {
    address: SocketAddr,
    routes: Router,
    drain: Duration,
    max_connections: usize,
}

/// Tells where a web server is.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::Router;
/// use heights::http::HttpServer;
/// use heights::prelude::*;
///
/// let (web, address) = HttpServer::new("127.0.0.1:0".parse()?, Router::new()).child_spec("web");
/// let root = Supervisor::builder("root").child(web).start().await?;
/// let first = address.running().await;
/// root.terminate_child("web").await?;
/// root.restart_child("web").await?;
/// assert_eq!(address.running().await, first, "the port is kept through all lives");
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct HttpRef(watch::Receiver<Option<SocketAddr>>);

/// Why a server cannot listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another program has the port.
    #[error("listen on {0}: the port is in use")]
    InUse(SocketAddr),
    /// It takes rights that the program does not have.
    #[error("listen on {0}: not permitted")]
    NotPermitted(SocketAddr),
    /// This machine does not have the address, or the system refused in another way.
    #[error("listen on {address}")]
    Refused {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl HttpServer {
    /// Describes a server of these routes; port 0 is one that is free, the same in all lives.
    pub fn new(address: SocketAddr, routes: Router) -> Self {
        Self { address, routes, drain: DRAIN, max_connections: MAX_CONNECTIONS }
    }

    /// Sets how long requests under way may take when the server stops; what is left is cut off.
    pub fn drain(mut self, limit: Duration) -> Self {
        self.drain = limit;
        self
    }

    /// Lets in at most so many connections at once; more wait outside.
    pub fn max_connections(mut self, most: usize) -> Self {
        self.max_connections = most.max(1);
        self
    }

    /// Makes it a child, which is given a little longer to stop than it drains.
    pub fn child_spec(self, id: impl Into<ChildId>) -> (ChildSpec, HttpRef) {
        let (bound, address) = watch::channel(None);
        let shutdown = Shutdown::Timeout(self.drain.saturating_add(DRAIN_MARGIN));
        let args = Args { server: self, bound: Arc::new(bound) };
        let (spec, _server) = ChildSpec::server::<Listener>(id, move || args.clone());
        (spec.shutdown(shutdown), HttpRef(address))
    }
}

impl HttpRef {
    /// Returns where it listens, once it has begun to.
    pub fn address(&self) -> Option<SocketAddr> {
        *self.0.borrow()
    }

    /// Waits until it listens for the first time and returns where.
    pub async fn running(&self) -> SocketAddr {
        let mut address = self.0.clone();
        loop {
            if let Some(address) = *address.borrow_and_update() {
                return address;
            }
            if address.changed().await.is_err() {
                // Whoever could start the server is gone.
                std::future::pending::<()>().await;
            }
        }
    }
}

impl BindError {
    fn new(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::InUse(address),
            io::ErrorKind::PermissionDenied => Self::NotPermitted(address),
            _ => Self::Refused { address, source },
        }
    }
}
