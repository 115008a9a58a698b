//! What can be seen of a breaker from outside.

use std::sync::Arc;
use std::time::Duration;

/// Shows what a breaker does with calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Makes them.
    Closed,
    /// Refuses them.
    Open,
    /// Makes a few to see.
    HalfOpen,
}

/// Tells that a breaker has changed its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerEvent {
    /// The name of the breaker.
    pub breaker: Arc<str>,
    /// Its new state.
    pub state: BreakerState,
}

/// Shows a breaker as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerInfo {
    /// What it does with calls.
    pub state: BreakerState,
    /// How long until it lets a call try, while it is open.
    pub retry_in: Option<Duration>,
    /// Calls of the window that failed; only while closed.
    pub failed: usize,
    /// Calls of the window that count: all, or those of the present row.
    pub counted: usize,
    /// Calls refused so far.
    pub refused: u64,
}

impl From<heights_core::BreakerState> for BreakerState {
    fn from(state: heights_core::BreakerState) -> Self {
        match state {
            heights_core::BreakerState::Closed => Self::Closed,
            heights_core::BreakerState::Open(_) => Self::Open,
            heights_core::BreakerState::HalfOpen => Self::HalfOpen,
        }
    }
}
