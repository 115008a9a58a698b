//! What a process has done and is doing, counted where it happens.

mod extra;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use self::extra::{Extra, Told};
pub use self::extra::{Handled, MessageCount, Tracer, TracerId};
use super::ProcessId;
use crate::guard::Receipt;
use crate::inspect::{Exhibit, Exhibition, Window};
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
    /// What was done by kind of message; the first kinds that it met.
    pub messages: Vec<MessageCount>,
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
    /// What most processes have nothing of.
    extra: Option<Box<Extra>>,
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

    /// Takes nothing more, and makes the server end when it has handled what waits.
    fn drain(&self);

    /// Tells whether nothing more is taken.
    fn is_draining(&self) -> bool;
}

impl Activity {
    /// Notes that a message is being handled now, and that the one before, if any, went well.
    pub(crate) fn begin(&self, receipt: Receipt, batch: Batch) {
        let now = Instant::now();
        let mut work = self.work();
        let told = work.finish(now, true);
        work.meet(receipt.label);
        work.from = receipt.from;
        work.since = Some(now);
        work.waited = receipt.sent.map_or_else(Nanos::default, |sent| Nanos::of(now - sent));
        work.batch = batch;
        drop(work);
        tell(told);
    }

    /// Notes that the message that was being handled, if any, has been handled.
    pub(crate) fn finish(&self, well: bool) {
        let now = Instant::now();
        let told = self.work().finish(now, well);
        tell(told);
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
        let mut page = self.work().extra().page.take().unwrap_or_default();
        write(&mut page);
        self.work().extra().page = Some(page);
    }

    /// Returns what was written down last.
    pub(crate) fn last_message(&self) -> Option<String> {
        let work = self.work();
        work.extra.as_ref()?.page.as_ref().map(|page| page.text().to_owned())
    }

    /// Has a tracer hear of every message, from the one that is being handled on.
    pub(crate) fn trace(&self, tracer: Arc<dyn Tracer>) -> TracerId {
        self.work().extra().add_tracer(tracer)
    }

    pub(crate) fn untrace(&self, id: TracerId) {
        let removed = self.work().extra().remove_tracer(id);
        // Not under the lock: it may be the last reference to a lot.
        drop(removed);
    }

    /// Keeps where a server shows its state.
    pub(crate) fn exhibit(&self, exhibit: Arc<Exhibit>) {
        self.work().extra().exhibition = Some(Exhibition::OnRequest(exhibit));
    }

    /// Keeps where one can look in.
    pub(crate) fn open(&self, window: Window) {
        let before = self.work().extra().exhibition.replace(Exhibition::Open(window));
        // Not under the lock: it may be the last reference to a lot.
        drop(before);
    }

    /// Returns how the process shows its state, if it does.
    pub(crate) fn exhibition(&self) -> Option<Exhibition> {
        self.work().extra.as_ref()?.exhibition.clone()
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
            messages: work.messages(),
        }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Notes what kind of message comes next. Only who meets a second kind keeps books by kind:
    /// until then all that was done was done with the first.
    fn meet(&mut self, label: &'static str) {
        let before = self.label.replace(label);
        let only = before.filter(|before| *before != label && self.handled + self.failed > 0);
        if let Some(first) = only
            && self.extra.as_ref().is_none_or(|extra| extra.messages.is_empty())
        {
            let count = self.all_as(first);
            self.extra().messages.push(count);
        }
    }

    fn all_as(&self, label: &'static str) -> MessageCount {
        let (handled, failed, busy) = (self.handled, self.failed, self.busy.duration());
        MessageCount { label, handled, failed, busy }
    }

    fn messages(&self) -> Vec<MessageCount> {
        match &self.extra {
            Some(extra) if !extra.messages.is_empty() => extra.messages.clone(),
            _ => {
                let label = self.label.filter(|_| self.handled + self.failed > 0);
                label.map(|label| self.all_as(label)).into_iter().collect()
            }
        }
    }

    fn finish(&mut self, now: Instant, well: bool) -> Option<Told> {
        let took = now - self.since.take()?;
        self.busy.add(took);
        let (handled, failed) = if well { (1, 0) } else { (0, 1) };
        self.handled += handled;
        self.failed += failed;
        let extra = self.extra.as_mut()?;
        let label = self.label?;
        extra.count(label, took, well);
        extra.told(label, |text| Handled {
            label,
            from: self.from,
            waited: self.waited.duration(),
            took,
            well,
            text,
        })
    }
}

/// Tells tracers what has been handled; not under the lock, as what they do is theirs.
fn tell(told: Option<Told>) {
    if let Some(told) = told {
        told.tell();
    }
}
