//! The inspector: a thread that answers questions about a tree.
//!
//! It has a runtime of its own, so that it answers while every worker of the application is blocked.

mod control;
mod cost;
mod crash_file;
mod events;
mod gate;
mod names;
mod peer;
mod pulse;
mod refusal;
mod routes;
mod run;
mod serve;
mod shared;
mod state;
mod trace;
mod turns;

use std::fmt::Display;
use std::hash::Hash;
use std::io;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::SystemTime;

use heights_registry::Registry;
use heights_supervisor::Hub;
use tokio::sync::oneshot;

use self::cost::Meter;
use self::crash_file::{CrashFile, Earlier};
use self::names::Names;
use self::pulse::Pulse;
use self::run::Run;
use self::shared::{Seen, Shared};
pub(crate) use self::turns::LongTurn;
use crate::place::{Announcement, Place, PlaceError};
use crate::spans::ActorSpans;
use crate::view::since_1970;
use crate::wire::{Hello, PROTOCOL, Tier};

/// The variable that turns the inspector off, with the value `off`.
const SWITCH: &str = "HEIGHTS_VITALS";

/// What answering may cost unless said otherwise, in millionths of one core.
const BUDGET_PPM: u32 = 50_000;

/// How many connections there may be.
const CLIENTS: usize = 64;

/// How large a file of crashes may grow.
const CRASH_FILE_LIMIT: u64 = 1024 * 1024;

/// What the server can do, by the names of the commands that need it.
const CAPABILITIES: [&str; 20] = [
    "tree", "actors", "crashes", "picture", "judge", "why", "stop", "kill", "restart", "suspend",
    "resume", "top", "watch", "metrics", "state", "trace", "drain", "registry", "groups", "schema",
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
    budget_ppm: u32,
    names: Vec<Names>,
    crash_file: Option<CrashFile>,
    spans: Option<ActorSpans>,
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
            budget_ppm: BUDGET_PPM,
            names: Vec::new(),
            crash_file: None,
            spans: None,
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

    /// Sets what answering may cost, in millionths of one core; by default 50,000, a twentieth.
    ///
    /// What is not spent is saved up, to a second of processor time; beyond that answers wait until
    /// they are paid for.
    pub fn budget_ppm(mut self, budget_ppm: u32) -> Self {
        self.budget_ppm = budget_ppm.max(1);
        self
    }

    /// Shows who answers to which key of a registry, under a name of its own; not what the values
    /// are.
    pub fn registry<K, V>(self, name: impl Into<String>, registry: &Registry<K, V>) -> Self
    where
        K: Clone + Display + Eq + Hash + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        self.registry_with_values(name, registry, |_| None)
    }

    /// Shows a registry, and of its values what `show` makes of them. It runs while the registry is
    /// locked and must not call it.
    pub fn registry_with_values<K, V>(
        mut self,
        name: impl Into<String>,
        registry: &Registry<K, V>,
        show: impl Fn(&V) -> Option<String> + Send + Sync + 'static,
    ) -> Self
    where
        K: Clone + Display + Eq + Hash + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        self.names.push(Names::of(name.into(), registry, show));
        self
    }

    /// Keeps crashes in a file too, of a mebibyte at most, so that they outlive the process: those
    /// of earlier processes are shown behind those of this one.
    ///
    /// Only one process at a time may use the file.
    pub fn crash_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.crash_file = Some(CrashFile::new(path.into(), CRASH_FILE_LIMIT));
        self
    }

    /// Shows plain actors of ractor's, too, that nothing but their spans tells of.
    pub fn actor_spans(mut self, spans: &ActorSpans) -> Self {
        self.spans = Some(spans.clone());
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
        let thread = self.run(listener, hello).spawn(stopped).map_err(io)?;
        Ok(Inspector { place, stop: Some(stop), thread: Some(thread) })
    }

    fn run(self, listener: UnixListener, hello: Hello) -> Run {
        // A file that cannot be read is no reason not to look inside.
        let earlier = self.crash_file.as_ref().map_or_else(Earlier::default, |file| {
            file.earlier().unwrap_or_else(|error| {
                tracing::warn!(%error, "failed to read the crashes of earlier processes");
                Earlier::default()
            })
        });
        let unwritten = self.crash_file.map(|file| file.listen(&self.hub, hello.started_ms));
        let shared = Shared::new(Seen {
            hub: self.hub,
            hello,
            names: self.names,
            spans: self.spans,
            pulse: Pulse::of_this_runtime(),
            meter: Arc::new(Meter::new(self.budget_ppm, CLIENTS)),
            earlier,
        });
        Run { listener, shared, unwritten }
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
