//! Stopping: a tree of signals, each of which fires at most once and says why.

use futures_util::future::{pending, select_all};
use tokio::sync::watch;

use crate::fact::Exit;

/// Why something has to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Somebody cancelled the job.
    Cancelled,
    /// Nobody has followed the job for too long.
    Orphaned,
    /// The time of the job is over.
    JobTimeout,
    /// The machine told the runner to end.
    Terminated,
    /// The runner itself cannot go on.
    Fault,
    /// The time of one command is over.
    CommandTimeout,
    /// A sibling failed in a group that stops at its first failure.
    FailFast,
}

/// Fires one signal, and with it all that were derived from it.
#[derive(Debug)]
pub(super) struct StopSource(watch::Sender<Option<Stop>>);

/// Says whether, when and why to stop.
#[derive(Clone, Debug)]
pub(super) struct StopSignal {
    /// The signal of the whole job first, that of the smallest part last.
    chain: Vec<watch::Receiver<Option<Stop>>>,
}

impl Stop {
    /// How a command that was stopped for this reason has ended.
    pub(super) fn exit(self) -> Exit {
        match self {
            Self::JobTimeout | Self::CommandTimeout => Exit::TimedOut,
            Self::Cancelled | Self::Orphaned | Self::Terminated | Self::Fault | Self::FailFast => {
                Exit::Cancelled
            }
        }
    }
}

impl StopSource {
    /// A signal of its own.
    pub(super) fn new() -> (Self, StopSignal) {
        StopSignal { chain: Vec::new() }.child()
    }

    /// Fires; the first reason is the one that counts.
    pub(super) fn stop(&self, reason: Stop) {
        self.0.send_if_modified(|current| current.is_none() && current.replace(reason).is_none());
    }
}

impl StopSignal {
    /// A signal that fires when this one does, or by itself.
    pub(super) fn child(&self) -> (StopSource, Self) {
        let (sender, receiver) = watch::channel(None);
        let mut chain = self.chain.clone();
        chain.push(receiver);
        (StopSource(sender), Self { chain })
    }

    /// Why to stop, if to stop at all.
    pub(super) fn reason(&self) -> Option<Stop> {
        self.chain.iter().find_map(|signal| *signal.borrow())
    }

    /// Waits until it fires.
    pub(super) async fn fired(mut self) -> Stop {
        let waits = self.chain.iter_mut().map(|signal| {
            Box::pin(async move {
                match signal.wait_for(Option::is_some).await.map(|reason| *reason) {
                    Ok(Some(reason)) => reason,
                    // The source is gone and never fired.
                    Ok(None) | Err(_) => pending().await,
                }
            })
        });
        select_all(waits).await.0
    }
}
