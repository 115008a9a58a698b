//! Why an actor does what it does: links of a chain, and what is at its end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answer to `GET /v1/actors/{ref}/why`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Why {
    /// When it was seen, in milliseconds since 1970.
    pub taken_ms: u64,
    /// The chain, from the actor that was asked about to the cause.
    pub links: Vec<Link>,
    /// What is at its end.
    pub verdict: Verdict,
}

/// One actor of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// Its path.
    pub path: String,
    /// Its pid; a child that waits to be started again has none.
    pub pid: Option<String>,
    /// What is known of it, in the order in which one tells it.
    pub facts: Vec<Fact>,
}

/// Something that keeps an actor from doing what one expects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "fact", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fact {
    /// Messages wait.
    Backlog {
        /// How many.
        waiting: u64,
        /// For how long the oldest has waited.
        oldest_ms: Option<u64>,
        /// How long they will take at the pace of this life so far, if no more come.
        drain_ms: Option<u64>,
    },
    /// It handles a message.
    Handling {
        /// The kind of message.
        label: String,
        /// For how long.
        since_ms: u64,
    },
    /// It does not give the thread back that it runs on, so nobody else runs there.
    Blocking {
        /// The name and the number of the thread.
        thread: String,
        /// For how long.
        since_ms: u64,
    },
    /// It could go on, but every thread is blocked: by the next actor for the longest time.
    NoThread,
    /// It awaits the answer of the next actor.
    Awaiting {
        /// The path of that actor.
        path: String,
    },
    /// It awaits the answer of an actor that has ended.
    AwaitingGone {
        /// The pid of that life.
        pid: String,
    },
    /// It is handling what the actor before it asked for.
    Serving,
    /// What the actor before it asked for waits behind other messages.
    InLine {
        /// How many messages are before it, at most.
        ahead: u64,
        /// How long those will take at the pace of this life so far.
        wait_ms: Option<u64>,
    },
    /// Its supervisor will start it again.
    Restarting {
        /// In how long.
        in_ms: Option<u64>,
        /// How it ended, if that is remembered.
        exit: Option<String>,
        /// How many of its crashes are remembered.
        crashes: u64,
    },
    /// It has been suspended.
    Suspended,
    /// It is not up yet.
    Starting {
        /// For how long.
        since_ms: Option<u64>,
    },
    /// It has been told to end.
    Stopping,
    /// It waits for this child to come up, or to be gone.
    Child {
        /// The path of the child.
        path: String,
    },
    /// It is a task, into which one cannot look.
    Running,
    /// It has nothing to do.
    Idle,
    /// Something that this version does not know.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// What is at the end of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// What it is.
    pub cause: Cause,
    /// The path of the actor where the cause is.
    pub path: String,
    /// For a deadlock: the paths of those that await each other, in order.
    pub cycle: Vec<String>,
    /// The paths of all actors that await an answer of the cause.
    pub waiting: Vec<String>,
}

/// What keeps an actor, or a whole chain of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Nothing keeps it.
    Nothing,
    /// It handles a message, and awaits no actor while it does so.
    Handling,
    /// It handles a message, and keeps a thread from all others while it does so.
    Blocking,
    /// More waits than it can handle at once.
    Backlog,
    /// Actors await each other in a circle.
    Deadlock,
    /// It awaits an answer that nobody is there to give.
    Gone,
    /// It was suspended.
    Suspended,
    /// It crashed and waits to be started again.
    Restarting,
    /// It has not come up yet.
    Starting,
    /// It has been told to end and has not done so yet.
    Stopping,
    /// Something that this version does not know.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}
