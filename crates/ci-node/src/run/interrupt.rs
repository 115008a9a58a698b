//! Being asked to end: Ctrl-C, and the signal that asks politely.
//!
//! A hangup is left to its usual effect: this process dies, and the runners, which nobody follows any
//! more, end their commands.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interrupt {
    /// The signal's number.
    number: u8,
    /// What people call it.
    pub(super) name: &'static str,
}

/// Waits for them.
#[derive(Debug)]
pub(super) struct Interrupts {
    keyboard: Signal,
    terminate: Signal,
}

impl Interrupt {
    /// The exit code, as shells have it.
    pub(super) fn code(self) -> u8 {
        128 + self.number
    }
}

impl Interrupts {
    /// From now on they do not end the process.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            keyboard: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The next one. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Interrupt {
        tokio::select! {
            _ = self.keyboard.recv() => Interrupt { number: 2, name: "interrupted" },
            _ = self.terminate.recv() => Interrupt { number: 15, name: "terminated" },
        }
    }
}
