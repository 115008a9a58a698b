//! What listens at a process, and what all that listen for one trace share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use heights_supervisor::{Handled, Hub, ProcessId, Tracer};
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::view::since_1970;
use crate::wire::{TraceBooks, TraceRequest, TracedMessage};

/// The budget of a trace, and what became of all messages of the wanted kinds.
#[derive(Debug)]
pub(super) struct Session {
    /// The wanted kinds; all if there is none.
    labels: Vec<String>,
    bytes: usize,
    /// Thousandths of messages that may be told in the present moment.
    credit: AtomicU64,
    /// How many thousandths there are in a second.
    rate: u64,
    /// How many may be told in all, and how many of them have not been yet.
    max: u64,
    left: AtomicU64,
    shown: AtomicU64,
    suppressed: AtomicU64,
    dropped: AtomicU64,
    since: Instant,
    closed: AtomicBool,
    told: Sender<TracedMessage>,
}

impl Session {
    pub(super) fn new(budget: &TraceRequest, queue: usize) -> (Arc<Self>, Receiver<TracedMessage>) {
        let (told, hears) = mpsc::channel(queue);
        let rate = u64::from(budget.rate) * 1_000;
        let session = Self {
            labels: budget.messages.clone(),
            bytes: budget.bytes,
            credit: AtomicU64::new((rate / 10).max(1_000)),
            rate,
            max: budget.max,
            left: AtomicU64::new(budget.max),
            shown: AtomicU64::new(0),
            suppressed: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            since: Instant::now(),
            closed: AtomicBool::new(false),
            told,
        };
        (Arc::new(session), hears)
    }

    /// Allows what may be told in so much time; what was not used is lost, but for one message.
    pub(super) fn refill(&self, time: Duration) {
        let more =
            u64::try_from(time.as_millis()).unwrap_or(u64::MAX).saturating_mul(self.rate) / 1_000;
        let most = more.max(1_000);
        let refilled = |credit: u64| Some((credit + more).min(most));
        // It never refuses.
        let _before = self.credit.fetch_update(Ordering::Relaxed, Ordering::Relaxed, refilled);
    }

    /// Tells whether as many were told as may be, those included that nobody read in time.
    pub(super) fn is_spent(&self) -> bool {
        let told = self.shown.load(Ordering::Acquire) + self.dropped.load(Ordering::Acquire);
        told >= self.max
    }

    /// Counts no more; `false` if it did not before.
    pub(super) fn close(&self) -> bool {
        !self.closed.swap(true, Ordering::AcqRel)
    }

    /// Each message is in exactly one of the three, so the sum is what was handled.
    pub(super) fn books(&self) -> TraceBooks {
        let read = |count: &AtomicU64| count.load(Ordering::Acquire);
        let (shown, suppressed, dropped) =
            (read(&self.shown), read(&self.suppressed), read(&self.dropped));
        TraceBooks {
            handled: shown + suppressed + dropped,
            shown,
            suppressed,
            dropped,
            lasted_ms: crate::view::millis(self.since.elapsed()),
        }
    }

    fn may_tell(&self) -> bool {
        let spend = |counter: &AtomicU64, price: u64| {
            let spent = |left: u64| left.checked_sub(price);
            counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spent).is_ok()
        };
        spend(&self.credit, 1_000) && spend(&self.left, 1)
    }
}

/// What listens at one process.
pub(super) struct Ear {
    pub(super) session: Arc<Session>,
    pub(super) hub: Hub,
    pub(super) pid: ProcessId,
    pub(super) path: String,
    /// Whether it is known how long its messages wait.
    pub(super) is_server: bool,
}

impl Tracer for Ear {
    fn wants(&self, label: &'static str) -> bool {
        let Session { labels, closed, suppressed, .. } = &*self.session;
        let wanted = labels.is_empty() || labels.iter().any(|wanted| wanted == label);
        if !wanted || closed.load(Ordering::Relaxed) {
            return false;
        }
        let may = self.session.may_tell();
        if !may {
            suppressed.fetch_add(1, Ordering::Relaxed);
        }
        may
    }

    fn tell(&self, handled: Handled) {
        let from_path = handled.from.and_then(|from| self.hub.process(from));
        let message = TracedMessage {
            at_ms: since_1970(SystemTime::now()),
            pid: self.pid.to_string(),
            path: self.path.clone(),
            from: handled.from.map(|from| from.to_string()),
            from_path: from_path.map(|from| from.path().to_owned()),
            label: handled.label.to_owned(),
            waited_us: self.is_server.then(|| micros(handled.waited)),
            took_us: micros(handled.took),
            well: handled.well,
            text: handled.text.map(|text| cut(text, self.session.bytes)),
        };
        let taken = self.session.told.try_send(message).is_ok();
        let count = if taken { &self.session.shown } else { &self.session.dropped };
        count.fetch_add(1, Ordering::Release);
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn cut(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ear(request: &TraceRequest, queue: usize) -> (Ear, Receiver<TracedMessage>) {
        let (session, hears) = Session::new(request, queue);
        let pid = "7".parse().unwrap();
        (
            Ear { session, hub: Hub::new(), pid, path: "app/queue".to_owned(), is_server: true },
            hears,
        )
    }

    fn hear(ear: &Ear, times: u64) {
        for _ in 0..times {
            if ear.wants("add") {
                ear.tell(Handled {
                    label: "add",
                    from: None,
                    waited: Duration::ZERO,
                    took: Duration::from_micros(7),
                    well: true,
                    text: Some("ü".repeat(200)),
                });
            }
        }
    }

    #[test]
    fn the_rate_is_kept_and_the_books_balance() {
        let request = TraceRequest { rate: 100, ..TraceRequest::default() };
        let (ear, mut hears) = ear(&request, 10_000);
        for _tick in 0..10 {
            hear(&ear, 10_000);
            ear.session.refill(Duration::from_millis(100));
        }
        let books = ear.session.books();
        assert_eq!((books.handled, books.shown, books.dropped), (100_000, 100, 0));
        let text = hears.try_recv().unwrap().text.unwrap();
        assert_eq!(text.len(), 256 + '…'.len_utf8());
    }

    #[test]
    fn a_reader_that_does_not_read_loses_messages_that_are_counted() {
        let request = TraceRequest { rate: 1_000, max: 50, ..TraceRequest::default() };
        let (ear, _hears) = ear(&request, 8);
        hear(&ear, 80);
        let books = ear.session.books();
        assert_eq!((books.handled, books.shown, books.dropped), (80, 8, 42));
        assert!(ear.session.is_spent());
        assert!(ear.session.close() && !ear.session.close());
        assert!(!ear.wants("add"));
    }

    #[test]
    fn only_the_wanted_kinds_count() {
        let request =
            TraceRequest { messages: vec!["claim".to_owned()], ..TraceRequest::default() };
        let (ear, _hears) = ear(&request, 8);
        hear(&ear, 80);
        assert_eq!(ear.session.books().handled, 0);
        assert!(ear.wants("claim"));
    }
}
