//! The health of the runtime that the actors run on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is known of the application's runtime, and of the inspector itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Runtime {
    /// How many threads run actors.
    pub workers: usize,
    /// How many tasks there are.
    pub tasks: usize,
    /// How many tasks wait for a thread outside the threads' own queues.
    pub queued: usize,
    /// How many milliseconds ago the runtime last gave a sign of life; it gives ten in a second.
    pub silent_ms: u64,
    /// The processor time that the inspector's thread has used, in microseconds.
    pub inspector_cpu_us: Option<u64>,
    /// The threads that an actor has not given back for a while, the longest first.
    #[serde(default)]
    pub blocked: Vec<Blocked>,
    /// What the inspector costs.
    #[serde(default)]
    pub cost: Option<Cost>,
}

/// A thread that runs one actor without end, and nobody else meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Blocked {
    /// The name and the number of the thread.
    pub thread: String,
    /// The actor; one that belongs to another tree has a pid only.
    pub path: Option<String>,
    /// The life of it.
    pub pid: String,
    /// The kind of message that it handles.
    pub label: Option<String>,
    /// For how long, give or take a tenth of a second.
    pub since_ms: u64,
}

/// What the inspector costs, and how much it may.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// The processor time of the last seconds, in millionths of one core.
    pub cpu_ppm: u32,
    /// The most that answers may cost, in the same unit; what would cost more has to wait.
    pub budget_ppm: u32,
    /// How many connections there are.
    pub clients: usize,
    /// The most that there may be.
    pub clients_max: usize,
    /// How often an answer had to wait because of the budget.
    pub delayed: u64,
    /// How many requests were refused because too many waited already.
    pub refused: u64,
}
