//! What a process has done and is doing, counted where it happens.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::ProcessId;
use crate::guard::Receipt;
use crate::last_message::Page;

/// The counters of a process at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Messages that wait; known for servers only.
    pub queued: Option<u64>,
    /// The most messages that ever waited; known for servers only.
    pub peak: Option<u64>,
    /// How long the oldest message that waits has been waiting; known for servers only.
    pub head_age: Option<Duration>,
    /// Messages that a full mailbox made disappear.
    pub dropped: u64,
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

/// What a process does, noted by itself and read by anyone.
#[derive(Default)]
pub(crate) struct Activity(Mutex<Work>);

#[derive(Default)]
struct Work {
    handled: u64,
    failed: u64,
    busy: Nanos,
    waited: Nanos,
    /// What kind of message is being handled, or was handled last, and who sent it.
    label: Option<&'static str>,
    from: Option<ProcessId>,
    /// Since when it is being handled.
    since: Option<Instant>,
    waiting_for: Option<ProcessId>,
    batch: Batch,
    /// For servers that want their messages written down.
    page: Option<Box<Page>>,
}

/// A time in half the space of a [`Duration`]; the longest is more than five hundred years.
#[derive(Clone, Copy, Default)]
struct Nanos(u64);

impl Nanos {
    fn of(time: Duration) -> Self {
        Self(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
    }

    fn add(&mut self, time: Duration) {
        self.0 = self.0.saturating_add(Self::of(time).0);
    }

    const fn duration(self) -> Duration {
        Duration::from_nanos(self.0)
    }
}

/// What a server has taken out of its queue and not handled yet.
#[derive(Clone, Copy, Default)]
pub(crate) struct Batch {
    pub(crate) length: usize,
    /// When the first of it was sent.
    pub(crate) oldest: Option<Instant>,
}

/// What waits for a server behind that.
pub(crate) struct Backlog {
    pub(crate) length: usize,
    pub(crate) peak: usize,
    pub(crate) dropped: u64,
    /// When the first of it was sent.
    pub(crate) oldest: Option<Instant>,
}

/// The queue of a server, whatever its messages are.
pub(crate) trait Mailroom: Send + Sync {
    fn backlog(&self) -> Backlog;

    /// Makes the server see what waits.
    fn wake(&self);
}

impl Activity {
    /// Notes that a message is being handled now, and that the one before, if any, went well.
    pub(crate) fn begin(&self, receipt: Receipt, batch: Batch) {
        let now = Instant::now();
        let mut work = self.work();
        work.finish(now, true);
        work.label = Some(receipt.label);
        work.from = receipt.from;
        work.since = Some(now);
        work.waited = receipt.sent.map_or_else(Nanos::default, |sent| Nanos::of(now - sent));
        work.batch = batch;
    }

    /// Notes that the message that was being handled, if any, has been handled.
    pub(crate) fn finish(&self, well: bool) {
        let now = Instant::now();
        self.work().finish(now, well);
    }

    /// Returns how many messages the server has taken out of its queue and not handled yet.
    pub(crate) fn left(&self) -> usize {
        self.work().batch.length
    }

    pub(crate) fn last_label(&self) -> Option<&'static str> {
        self.work().label
    }

    /// Has a message written down before it is handled.
    pub(crate) fn write_down(&self, write: impl FnOnce(&mut Page)) {
        // What writes is code of others, so nothing is locked meanwhile.
        let mut page = self.work().page.take().unwrap_or_default();
        write(&mut page);
        self.work().page = Some(page);
    }

    /// Returns what was written down last.
    pub(crate) fn last_message(&self) -> Option<String> {
        self.work().page.as_ref().map(|page| page.text().to_owned())
    }

    pub(crate) fn waits_for(&self, other: Option<ProcessId>) {
        self.work().waiting_for = other;
    }

    pub(crate) fn figures(&self, mailroom: Option<&dyn Mailroom>) -> Figures {
        // The queue first: what is taken out of it in between is then counted twice, not lost.
        let backlog = mailroom.map(Mailroom::backlog);
        let work = self.work();
        let working = work.label.zip(work.since).map(|(label, since)| {
            let (from, since) = (work.from, since.elapsed());
            Working { label, from, since }
        });
        let left = work.batch.length;
        let oldest = work.batch.oldest.or(backlog.as_ref().and_then(|backlog| backlog.oldest));
        Figures {
            queued: backlog.as_ref().map(|backlog| (backlog.length + left) as u64),
            peak: backlog.as_ref().map(|backlog| backlog.peak as u64),
            head_age: oldest.map(|sent| sent.elapsed()),
            dropped: backlog.map_or(0, |backlog| backlog.dropped),
            handled: work.handled,
            failed: work.failed,
            busy: work.busy.duration() + working.map_or(Duration::ZERO, |working| working.since),
            waited: work.waited.duration(),
            working,
            waiting_for: work.waiting_for,
        }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    fn finish(&mut self, now: Instant, well: bool) {
        if let Some(since) = self.since.take() {
            self.busy.add(now - since);
            let (handled, failed) = if well { (1, 0) } else { (0, 1) };
            self.handled += handled;
            self.failed += failed;
        }
    }
}
