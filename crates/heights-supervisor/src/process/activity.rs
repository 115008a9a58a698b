//! What a process has done and is doing, counted where it happens.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::ProcessId;
use crate::guard::Receipt;

/// The counters of a process at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Messages that wait; known for servers only.
    pub queued: Option<u64>,
    /// The most messages that ever waited; known for servers only.
    pub peak: Option<u64>,
    /// Messages handled well.
    pub handled: u64,
    /// Messages whose handling ended in a fault or a panic.
    pub failed: u64,
    /// Time spent in handlers, waiting included.
    pub busy: Duration,
    /// How long the latest message waited in the queue.
    pub waited: Duration,
    /// The message being handled now.
    pub working: Option<Working>,
    /// The process whose answer is awaited now.
    pub waiting_for: Option<ProcessId>,
}

/// A message being handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Working {
    /// The kind of message.
    pub label: &'static str,
    /// Who sent it, if a process did.
    pub from: Option<ProcessId>,
    /// How long it has been going on.
    pub since: Duration,
}

#[derive(Default)]
pub(crate) struct Activity {
    queue: Queue,
    work: Mutex<Work>,
}

/// Touched by all senders, so it has a cache line of its own.
#[derive(Default)]
#[repr(align(128))]
struct Queue {
    length: AtomicU64,
    peak: AtomicU64,
}

#[derive(Default)]
struct Work {
    handled: u64,
    failed: u64,
    busy: Duration,
    waited: Duration,
    now: Option<(&'static str, Option<ProcessId>, Instant)>,
    last_label: Option<&'static str>,
    waiting_for: Option<ProcessId>,
}

impl Activity {
    pub(crate) fn enqueued(&self) {
        let queued = self.queue.length.fetch_add(1, Ordering::Relaxed) + 1;
        // Reading is cheap, and a new peak is rare.
        if queued > self.queue.peak.load(Ordering::Relaxed) {
            self.queue.peak.fetch_max(queued, Ordering::Relaxed);
        }
    }

    pub(crate) fn dequeued(&self) {
        self.queue.length.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn queued(&self) -> u64 {
        self.queue.length.load(Ordering::Relaxed)
    }

    /// Notes that a message is being handled now.
    pub(crate) fn begin(&self, receipt: Receipt) {
        let now = Instant::now();
        let mut work = self.work();
        work.now = Some((receipt.label, receipt.from, now));
        work.last_label = Some(receipt.label);
        work.waited = receipt.sent.map_or(Duration::ZERO, |sent| now - sent);
    }

    /// Notes that the message has been handled.
    pub(crate) fn finish(&self, well: bool) {
        let mut work = self.work();
        let (handled, failed) = if well { (1, 0) } else { (0, 1) };
        work.handled += handled;
        work.failed += failed;
        if let Some((_, _, since)) = work.now.take() {
            work.busy += since.elapsed();
        }
    }

    pub(crate) fn last_label(&self) -> Option<&'static str> {
        self.work().last_label
    }

    pub(crate) fn waits_for(&self, other: Option<ProcessId>) {
        self.work().waiting_for = other;
    }

    pub(crate) fn figures(&self, has_queue: bool) -> Figures {
        let work = self.work();
        let working =
            work.now.map(|(label, from, since)| Working { label, from, since: since.elapsed() });
        Figures {
            queued: has_queue.then(|| self.queued()),
            peak: has_queue.then(|| self.queue.peak.load(Ordering::Relaxed)),
            handled: work.handled,
            failed: work.failed,
            busy: work.busy + working.map_or(Duration::ZERO, |working| working.since),
            waited: work.waited,
            working,
            waiting_for: work.waiting_for,
        }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
