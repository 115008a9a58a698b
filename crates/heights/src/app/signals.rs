//! The signals a service is told by.

use std::io;
use std::sync::Arc;

use heights_supervisor::shielded;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What to do at each SIGHUP.
type Hangup = Arc<dyn Fn() + Send + Sync>;

/// Listens for signals; those that come before they are waited for are not lost.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Option<(Signal, Hangup)>,
}

impl Signals {
    pub(super) fn listen(hangup: Option<Hangup>) -> io::Result<Self> {
        let hangup = match hangup {
            Some(hook) => Some((signal(SignalKind::hangup())?, hook)),
            None => None,
        };
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup,
        })
    }

    /// Waits for the next request to stop, and calls the hook at each SIGHUP meanwhile.
    pub(super) async fn stop(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                hook = next_hangup(&mut self.hangup) => {
                    shielded("what is called at SIGHUP", || hook());
                }
            }
        }
    }
}

async fn next_hangup(hangup: &mut Option<(Signal, Hangup)>) -> Hangup {
    match hangup {
        None => std::future::pending().await,
        Some((signal, hook)) => {
            signal.recv().await;
            Arc::clone(hook)
        }
    }
}
