//! The health of the runtime that the actors run on.

use serde::{Deserialize, Serialize};

/// What is known of the application's runtime, and of the inspector itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
}
