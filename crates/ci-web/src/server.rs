//! The web server as a child of the node's tree.
//!
//! Parent: the root supervisor. Children: none; each connection is a task that the server owns. Restart:
//! permanent: the caller's listener lives in the arguments, so what connects meanwhile waits for the next life.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ci_build::NodeHandle;
use ci_github::Secret;
use heights::{ChildSpec, Fault, Shutdown, TaskContext};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::access::{Origin, Peer};
use crate::admin_socket::AdminSocket;
use crate::connections::Connections;
use crate::gate::Gate;
use crate::routes;
use crate::site::Site;
use crate::stopping;
use crate::throttle::Limits;
use crate::webhook::DeliveryCounts;

/// How long requests under way may take when the server stops; streams are told to end.
const DRAIN: Duration = Duration::from_secs(5);
/// When the supervisor ends what should have ended by itself.
const SHUTDOWN: Duration = Duration::from_secs(10);
/// How long nobody is let in after the system refused to, out of file descriptors most likely, or while
/// all connections are busy.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a page waits for an actor, before it shows what that said last: nobody notices less.
pub const PATIENCE: Duration = Duration::from_millis(300);

/// What the web server is started with.
pub struct WebArgs {
    /// The node.
    pub node: NodeHandle,
    /// Bound by the caller, who says so where the port is taken; it survives every restart.
    pub listener: TcpListener,
    /// Where the command line finds the node.
    pub admin_socket: PathBuf,
    /// What deliveries are signed with; without one none is believed. A new one counts from the next
    /// delivery on.
    pub webhook_secret: watch::Receiver<Option<Secret>>,
    /// How long a page waits for an actor that is busy: [`PATIENCE`], where nothing is tried out.
    pub patience: Duration,
    /// Who may look.
    pub read: ReadAccess,
    /// How people come in by their account at the forge, if they do; another way counts from the next of them
    /// on.
    pub gate: watch::Receiver<Option<Gate>>,
    /// Whose word counts on where a request comes from.
    pub proxies: Vec<IpAddr>,
    /// How often everybody may do what.
    pub limits: Limits,
    /// The version of the program.
    pub version: String,
}

/// Who may look at the node over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadAccess {
    /// Whoever has a token.
    Token,
    /// Everyone who reaches the port.
    Public,
}

/// Describes the web server as a child: the last to start, the first to stop.
#[must_use]
pub fn start(args: WebArgs) -> ChildSpec {
    let (args, deliveries) = (Arc::new(args), Arc::new(DeliveryCounts::default()));
    let serve = move |context| serve(args.clone(), deliveries.clone(), context);
    ChildSpec::task("web", serve).shutdown(Shutdown::Timeout(SHUTDOWN))
}

async fn serve(
    args: Arc<WebArgs>,
    deliveries: Arc<DeliveryCounts>,
    context: TaskContext,
) -> Result<(), Fault> {
    let listener = listener(&args.listener)?;
    let admin = AdminSocket::bind(&args.admin_socket)?;
    let (stop, stopping) = stopping::pair();
    let site = Site::new(&args, deliveries, context.process().hub().clone(), stopping.clone());
    let network = routes::all(site.clone(), Origin::Network);
    let operator = routes::all(site, Origin::AdminSocket);
    let mut connections = Connections::new(stopping);
    info!(address = %listener.local_addr()?, "serving");
    loop {
        let has_room = connections.has_room();
        tokio::select! {
            () = context.shutdown() => break,
            (stream, address) = accept(&listener), if has_room => {
                let peer = Peer::Address(address.ip().to_canonical());
                connections.serve_guest(stream, routes::of(network.clone(), peer));
            }
            stream = admin.accept() => {
                let peer = Peer::User(stream.peer_cred().map(|peer| peer.uid()).ok());
                connections.serve_operator(stream, routes::of(operator.clone(), peer));
            }
            () = connections.one_ended() => {}
            () = tokio::time::sleep(ACCEPT_PAUSE), if !has_room => {}
        }
    }
    drop(admin);
    stop.tell();
    connections.drain(DRAIN).await;
    Ok(())
}

fn listener(bound: &TcpListener) -> io::Result<tokio::net::TcpListener> {
    let listener = bound.try_clone()?;
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

async fn accept(listener: &tokio::net::TcpListener) -> (tokio::net::TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                warn!(%error, "failed to accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
