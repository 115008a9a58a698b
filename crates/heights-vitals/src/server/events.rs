//! Keeps what happened lately for those who watch, however slowly they do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use heights_supervisor::{Hub, Recipient, Report, ReportContext};
use tokio::sync::watch;

use crate::crash;
use crate::view::since_1970;
use crate::wire::{Event, EventKind};

/// How many events are kept: a watcher that falls behind by more is told so.
const KEPT: usize = 4_096;

/// The latest events, the oldest first. Watchers read from it, and it knows none of them: the
/// slowest of them costs no more than the fastest.
#[derive(Debug)]
pub(crate) struct Events {
    kept: Mutex<VecDeque<Event>>,
    latest: watch::Sender<u64>,
}

impl Events {
    /// Keeps what the tree of a hub reports, for as long as somebody holds the events.
    pub(crate) fn of(hub: &Hub) -> Arc<Self> {
        let events = Arc::new(Self { kept: Mutex::default(), latest: watch::Sender::new(0) });
        let kept = Arc::downgrade(&events);
        hub.subscribe(Recipient::from_fn(move |report: Report| {
            if let Some(events) = kept.upgrade() {
                events.note(&report);
            }
        }));
        events
    }

    /// Returns the id of the latest event.
    pub(crate) fn latest(&self) -> u64 {
        *self.latest.borrow()
    }

    /// Waits for the first event after `seen`.
    pub(crate) async fn after(&self, seen: u64) -> Event {
        let mut latest = self.latest.subscribe();
        loop {
            if let Some(event) = self.first_after(seen) {
                return event;
            }
            // We hold the sender, so it does not close.
            let _closed = latest.changed().await;
        }
    }

    fn first_after(&self, seen: u64) -> Option<Event> {
        let kept = self.kept();
        let oldest = kept.front()?.id;
        if oldest > seen + 1 {
            let missed = oldest - seen - 1;
            let at_ms = since_1970(SystemTime::now());
            return Some(Event {
                id: oldest - 1,
                at_ms,
                kind: EventKind::Missed,
                path: String::new(),
                pid: None,
                text: format!("{missed} events are forgotten"),
                fingerprint: None,
            });
        }
        let at = usize::try_from(seen + 1 - oldest).ok()?;
        kept.get(at).cloned()
    }

    fn note(&self, report: &Report) {
        let mut kept = self.kept();
        let id = kept.back().map_or(1, |event| event.id + 1);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(told(id, report));
        drop(kept);
        self.latest.send_replace(id);
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Event>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn told(id: u64, report: &Report) -> Event {
    let child = |supervisor: &str, child: &dyn std::fmt::Display| format!("{supervisor}/{child}");
    let (kind, path, pid, fingerprint) = match report {
        Report::Progress(up) => {
            (EventKind::Started, child(&up.supervisor, &up.child), Some(up.pid), None)
        }
        Report::Left(left) => {
            (EventKind::Left, child(&left.supervisor, &left.child), Some(left.pid), None)
        }
        Report::Supervisor(failed) if failed.context == ReportContext::Shutdown => {
            (EventKind::GaveUp, failed.supervisor.to_string(), None, None)
        }
        Report::Supervisor(failed) => {
            (EventKind::Failed, child(&failed.supervisor, &failed.child), failed.pid, None)
        }
        Report::Crash(crash) => {
            let fingerprint = crash::describe(crash).fingerprint;
            (EventKind::Crashed, crash.path.to_string(), Some(crash.pid), Some(fingerprint))
        }
        Report::Zombie(zombie) => {
            (EventKind::Zombie, zombie.path.to_string(), Some(zombie.pid), None)
        }
        _ => (EventKind::Unknown, report.path().to_owned(), None, None),
    };
    Event {
        id,
        at_ms: since_1970(SystemTime::now()),
        kind,
        path,
        pid: pid.map(|pid| pid.to_string()),
        text: report.to_string(),
        fingerprint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heights_supervisor::{ChildSpec, Supervisor};

    #[tokio::test]
    async fn who_falls_behind_is_told_how_much_was_missed() {
        let hub = Hub::new();
        let events = Events::of(&hub);
        let child = ChildSpec::task("child", |cx| async move {
            cx.shutdown().await;
            Ok(())
        });
        let root = Supervisor::builder("root").hub(hub.clone()).child(child).start().await;
        let root = root.expect("it starts");
        let first = events.after(0).await;
        assert_eq!((first.id, first.kind), (1, EventKind::Started));
        let again = Report::Progress(heights_supervisor::ProgressReport {
            supervisor: "root".into(),
            child: "child".into(),
            pid: hub.find("root/child").expect("it lives").pid(),
            incarnation: 1,
        });
        for _ in 0..KEPT + 9 {
            events.note(&again);
        }
        let missed = events.after(3).await;
        assert_eq!(
            (missed.kind, missed.text.as_str()),
            (EventKind::Missed, "7 events are forgotten")
        );
        let next = events.after(missed.id).await;
        assert_eq!((next.kind, next.id), (EventKind::Started, missed.id + 1));
        assert_eq!(events.latest(), KEPT as u64 + 10);
        root.stop().await;
    }
}
