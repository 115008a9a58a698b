//! What travels over the socket. These types are the protocol, and [`schema`] tells it to programs
//! in other languages.
//!
//! | what changes | what becomes of [`PROTOCOL`] |
//! |---|---|
//! | a path, a field of an answer, an optional field of a request, or a word that may stand in a field is added | it stays: a reader ignores what it does not know |
//! | one of them goes, or means something else | it is counted up, and the paths begin with it |

mod control;
mod crash;
mod event;
mod judgement;
mod names;
mod picture;
mod runtime;
mod schema;
mod state;
mod trace;
mod why;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::control::{ControlOutcome, ControlRequest, ErrorBody, Heir};
pub use self::crash::{Crash, Crashes};
pub use self::event::{Event, EventKind};
pub use self::judgement::Judgement;
pub use self::names::{Entry, Group, Groups, Keys, Member, Registries, Registry};
pub use self::picture::Picture;
pub use self::runtime::{Blocked, Cost, Runtime};
pub use self::schema::schema;
pub use self::state::{Missing, StateView};
pub use self::trace::{TraceBooks, TraceEnd, TraceEvent, TraceRequest, TracedMessage};
pub use self::why::{Cause, Fact, Link, Verdict, Why};

/// The version of the protocol; a client refuses a server with another one.
pub const PROTOCOL: u32 = 1;

/// What a client may do, each tier including those before it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Looking.
    Read,
    /// Looking at messages.
    Trace,
    /// Ending processes.
    Control,
}

/// The answer to `GET /v1/hello`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// The version of the protocol.
    pub protocol: u32,
    /// The name that the application gave itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The operating system's process id.
    pub os_pid: u32,
    /// When the inspector started, in milliseconds since 1970.
    pub started_ms: u64,
    /// The most that this client may do.
    pub tier: Tier,
    /// What the server can do, by name.
    pub capabilities: Vec<String>,
}

/// The answer to `GET /v1/tree` and `GET /v1/actors`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tree {
    /// When it was taken, in milliseconds since 1970.
    pub taken_ms: u64,
    /// The actors: as a tree, depth first with children in start order; as a list, sorted as asked.
    pub actors: Vec<Actor>,
    /// How many actors there are in all, those left out by a limit or filter included.
    pub total: usize,
}

/// One actor, or a child that waits to be started again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    /// The id of this life; a child that waits to be started again has none.
    pub pid: Option<String>,
    /// The ids from the root down, joined by slashes; the same in every life.
    pub path: String,
    /// The id within the supervisor.
    pub id: String,
    /// The pid of the supervisor.
    pub parent: Option<String>,
    /// How far below the root it is.
    pub depth: usize,
    /// What it is.
    pub kind: Option<Kind>,
    /// The type that implements it.
    pub type_name: Option<String>,
    /// What it is doing.
    pub state: State,
    /// When it is restarted.
    pub restart: Option<Restart>,
    /// How many lives there have been, this one included.
    pub incarnation: Option<u32>,
    /// How often it was restarted.
    pub restarts: Option<u32>,
    /// How long this life has lasted.
    pub age_ms: Option<u64>,
    /// How many messages wait.
    pub mailbox: Option<u64>,
    /// The most that ever waited.
    pub mailbox_peak: Option<u64>,
    /// How many messages were handled.
    pub handled: Option<u64>,
    /// How many failed.
    pub failed: Option<u64>,
    /// How many a full mailbox made disappear.
    #[serde(default)]
    pub dropped: Option<u64>,
    /// How long the oldest message that waits has been waiting.
    #[serde(default)]
    pub oldest_ms: Option<u64>,
    /// How long the latest message waited before it was handled.
    #[serde(default)]
    pub waited_ms: Option<u64>,
    /// The time spent in handlers, waiting for answers included; of an actor that only its spans
    /// tell of, the time that it ran.
    #[serde(default)]
    pub busy_ms: Option<u64>,
    /// The message being handled.
    pub working: Option<Working>,
    /// The pid of the actor whose answer it awaits.
    pub waiting_for: Option<String>,
    /// How long until it is started again.
    pub restart_in_ms: Option<u64>,
    /// How it treats its children, if it is a supervisor.
    pub supervision: Option<Supervision>,
    /// The ids of the siblings that it cannot do without: it goes before they do, and comes back
    /// after them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binds_to: Vec<String>,
    /// Whether its end can end its supervisor.
    #[serde(default)]
    pub significant: bool,
    /// How many restarts of it alone are too many.
    #[serde(default)]
    pub limit: Option<Limit>,
    /// What it has done, by kind of message; the first kinds that it met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<MessageFigures>,
}

/// What an actor has done with one kind of message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageFigures {
    /// The kind of message.
    pub label: String,
    /// How many were handled.
    pub handled: u64,
    /// How many failed.
    pub failed: u64,
    /// The time spent in the handler, waiting for answers included, in microseconds.
    pub busy_us: u64,
}

impl Actor {
    /// Describes an actor of which nothing is known but where it is in the tree.
    pub fn at(path: impl Into<String>) -> Self {
        let path = path.into();
        let id = path.rsplit('/').next().unwrap_or(&path).to_owned();
        let depth = path.matches('/').count();
        Self {
            pid: None,
            path,
            id,
            parent: None,
            depth,
            kind: None,
            type_name: None,
            state: State::Unknown,
            restart: None,
            incarnation: None,
            restarts: None,
            age_ms: None,
            mailbox: None,
            mailbox_peak: None,
            handled: None,
            failed: None,
            dropped: None,
            oldest_ms: None,
            waited_ms: None,
            busy_ms: None,
            working: None,
            waiting_for: None,
            restart_in_ms: None,
            supervision: None,
            binds_to: Vec::new(),
            significant: false,
            limit: None,
            messages: Vec::new(),
        }
    }

    /// Returns how many milliseconds a message took on average in this life, if any was handled.
    pub fn mean_ms(&self) -> Option<f64> {
        let current = self.working.as_ref().map_or(0, |working| working.since_ms);
        let handled = self.handled.filter(|handled| *handled > 0)?;
        Some(self.busy_ms?.saturating_sub(current) as f64 / handled as f64)
    }
}

/// What an actor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It has children.
    Supervisor,
    /// It does work.
    Worker,
    /// It is a future.
    Task,
    /// It is an actor of ractor's that no supervisor of ours has started: little is known of it.
    Foreign,
    /// Something that this version does not know.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// What an actor is doing, the first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It has been told to end.
    Stopping,
    /// It waits to be started again.
    Restarting,
    /// It is not up yet.
    Starting,
    /// It has been suspended: it leaves its messages waiting until it is resumed.
    Suspended,
    /// It awaits the answer of another actor.
    Waiting,
    /// It handles a message.
    Busy,
    /// It runs, and what it does cannot be seen from outside: a task.
    Running,
    /// It has nothing to do.
    Idle,
    /// Something that this version does not know.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

impl State {
    /// All that have a name, in the order in which the first that applies is shown.
    pub const NAMED: [Self; 8] = [
        Self::Stopping,
        Self::Restarting,
        Self::Starting,
        Self::Suspended,
        Self::Waiting,
        Self::Busy,
        Self::Running,
        Self::Idle,
    ];

    /// Returns the word that stands for it on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopping => "stopping",
            Self::Restarting => "restarting",
            Self::Starting => "starting",
            Self::Suspended => "suspended",
            Self::Waiting => "waiting",
            Self::Busy => "busy",
            Self::Running => "running",
            Self::Idle => "idle",
            Self::Unknown => "unknown",
        }
    }
}

/// When an actor is restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Restart {
    /// Always.
    Permanent,
    /// After abnormal ends.
    Transient,
    /// Never.
    Temporary,
    /// Something that this version does not know.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// A message being handled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Working {
    /// The kind of message.
    pub label: String,
    /// How long it has been going on.
    pub since_ms: u64,
    /// The pid of the actor that sent it, if one did.
    #[serde(default)]
    pub from: Option<String>,
    /// The thread that runs it right now, and nobody else meanwhile.
    #[serde(default)]
    pub thread: Option<String>,
    /// For how long it has not given that thread back, if that is for a while.
    #[serde(default)]
    pub blocks_ms: Option<u64>,
}

/// How a supervisor treats its children.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Supervision {
    /// `one_for_one`, `one_for_all` or `rest_for_one`; a dynamic supervisor has none.
    pub strategy: Option<String>,
    /// How many restarts it takes within the period.
    pub max_restarts: u32,
    /// The period.
    pub period_ms: u64,
    /// How many more restarts it takes now.
    pub restarts_left: Option<u32>,
    /// Which ends of significant children end it: `any_significant`, `all_significant`; else none.
    #[serde(default)]
    pub auto_shutdown: Option<String>,
}

/// How many restarts of one child are too many, whatever its supervisor takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limit {
    /// How many restarts within the period.
    pub max_restarts: u32,
    /// The period.
    pub period_ms: u64,
    /// What one too many leads to: `escalate` or `remove_child`.
    pub then: String,
}

/// How to order a list of actors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// As they stand in the tree.
    #[default]
    Tree,
    /// The longest queue first.
    Mailbox,
    /// The longest waiting message first.
    Wait,
    /// The longest current message first.
    Busy,
    /// The most restarted first.
    Restarts,
    /// The youngest first.
    Age,
}

/// The answer to `GET /v1/actors/{ref}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActorDetail {
    /// The actor.
    pub actor: Actor,
    /// Its children, by path.
    pub children: Vec<String>,
    /// Its remembered crashes, in all its lives, the latest first.
    pub crashes: Vec<Crash>,
}
