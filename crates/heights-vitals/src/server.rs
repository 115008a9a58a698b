//! The inspector: a thread that answers questions about a tree.
//!
//! It has a runtime of its own, so that it answers while every worker of the application is blocked.

mod control;
mod events;
mod peer;
mod pulse;
mod refusal;
mod routes;

use std::io;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use heights_supervisor::Hub;
use tokio::sync::oneshot;

use self::peer::Peer;
use self::pulse::Pulse;
use self::routes::Shared;
use crate::place::{Announcement, Place, PlaceError};
use crate::view::since_1970;
use crate::wire::{Hello, PROTOCOL, Tier};

/// The variable that turns the inspector off, with the value `off`.
const SWITCH: &str = "HEIGHTS_VITALS";

/// What the server can do, by the names of the commands that need it.
const CAPABILITIES: [&str; 14] = [
    "tree", "actors", "crashes", "picture", "judge", "why", "stop", "kill", "restart", "suspend",
    "resume", "top", "watch", "metrics",
];

/// Answers questions about a tree until it is dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{Hub, Supervisor};
/// use heights_vitals::{Client, Inspector};
///
/// let hub = Hub::new();
/// let root = Supervisor::builder("shop").hub(hub.clone()).start().await?;
/// let folder = tempfile::tempdir()?;
/// let directory = folder.path().join("heights");
/// let inspector = Inspector::builder("shop", &hub).directory(&directory).start()?;
///
/// // This is what the command line does; it may as well be another program.
/// let tree = Client::new(inspector.socket()).tree().await?;
/// assert_eq!(tree.actors[0].path, "shop");
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Inspector {
    place: Place,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Collects what an [`Inspector`] needs to know.
#[derive(Debug, Clone)]
#[must_use]
pub struct InspectorBuilder {
    hub: Hub,
    name: String,
    version: String,
    tier: Tier,
    place: Option<Place>,
}

/// Says why there is no inspector.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The environment says so.
    #[error("start the inspector: HEIGHTS_VITALS=off")]
    TurnedOff,
    /// There is no safe place for the socket.
    #[error("find a place for the inspector's socket")]
    Place(#[from] PlaceError),
    /// The socket, the thread or its runtime cannot be had.
    #[error("serve the inspector on {socket}")]
    Io {
        /// The socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Inspector {
    /// Starts the description of an inspector for the tree of a hub.
    pub fn builder(name: impl Into<String>, hub: &Hub) -> InspectorBuilder {
        InspectorBuilder {
            hub: hub.clone(),
            name: name.into(),
            version: String::new(),
            tier: Tier::Read,
            place: None,
        }
    }

    /// Returns where it listens.
    pub fn socket(&self) -> PathBuf {
        self.place.socket()
    }
}

impl InspectorBuilder {
    /// Names the version of the application.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Sets the most that a client may do; by default looking.
    pub fn tier(mut self, tier: Tier) -> Self {
        self.tier = tier;
        self
    }

    /// Puts the socket into this directory instead of the usual one.
    pub fn directory(mut self, directory: impl AsRef<Path>) -> Self {
        self.place = Some(Place::new(directory.as_ref(), std::process::id()));
        self
    }

    /// Binds the socket and starts the thread.
    pub fn start(self) -> Result<Inspector, StartError> {
        if std::env::var_os(SWITCH).is_some_and(|value| value == "off") {
            return Err(StartError::TurnedOff);
        }
        let place = self.place.clone().unwrap_or_else(Place::of_this_process);
        place.prepare()?;
        let io = |source| StartError::Io { socket: place.socket(), source };
        let listener = UnixListener::bind(place.socket()).map_err(io)?;
        listener.set_nonblocking(true).map_err(io)?;
        let hello = self.hello();
        place.announce(&Announcement {
            name: hello.name.clone(),
            version: hello.version.clone(),
            os_pid: hello.os_pid,
            started_ms: hello.started_ms,
        })?;
        let (stop, stopped) = oneshot::channel();
        let shared = Shared::new(self.hub, hello, Pulse::of_this_runtime());
        let thread = spawn(listener, shared, stopped).map_err(io)?;
        Ok(Inspector { place, stop: Some(stop), thread: Some(thread) })
    }

    fn hello(&self) -> Hello {
        Hello {
            protocol: PROTOCOL,
            name: self.name.clone(),
            version: self.version.clone(),
            os_pid: std::process::id(),
            started_ms: since_1970(SystemTime::now()),
            tier: self.tier,
            capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
        }
    }
}

impl Drop for Inspector {
    fn drop(&mut self) {
        // Dropping the sender is the signal; the thread then ends on its own.
        self.stop.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the inspector's thread panicked");
        }
        self.place.withdraw();
    }
}

fn spawn(
    listener: UnixListener,
    shared: Shared,
    stopped: oneshot::Receiver<()>,
) -> io::Result<JoinHandle<()>> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let serve = async move {
        let listener = tokio::net::UnixListener::from_std(listener)?;
        let service = routes::router(shared).into_make_service_with_connect_info::<Peer>();
        let serving = axum::serve(listener, service);
        tokio::select! {
            served = serving => served,
            // The sender is only ever dropped. Clients that are still connected are cut off.
            _dropped = stopped => Ok(()),
        }
    };
    thread::Builder::new().name("heights-vitals".to_owned()).spawn(move || {
        if let Err(error) = runtime.block_on(serve) {
            tracing::error!(%error, "the inspector stopped serving");
        }
    })
}
