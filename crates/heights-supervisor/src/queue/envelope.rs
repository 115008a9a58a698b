//! What stands in line.

use tokio::time::Instant;

use crate::process::ProcessId;
use crate::timer::TimerId;

/// Tells the actor of a server that something waits for it.
pub(crate) struct Wake;

/// A message on its way: when it was sent and by whom is what the figures of a server are made of.
pub(crate) struct Envelope<M> {
    pub(crate) message: M,
    pub(crate) sent: Instant,
    pub(crate) from: Option<ProcessId>,
    pub(crate) origin: Origin,
}

impl<M> Envelope<M> {
    pub(crate) fn new(message: M, from: Option<ProcessId>, origin: Origin) -> Self {
        Self { message, sent: Instant::now(), from, origin }
    }
}

/// What made a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Sender,
    /// A timer of this life, which may be cancelled while its message waits.
    Timer(TimerId),
    /// A monitor of this life.
    Monitor,
}
