//! Keeps what happened lately for those who watch, however slowly they do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use heights_supervisor::{Crash, Hub, Process, Recipient, Report, ReportContext};
use tokio::sync::watch;

use super::turns::LongTurn;
use crate::crash;
use crate::view::since_1970;
use crate::wire::{Event, EventKind};

/// How many events are kept: a watcher that falls behind by more is told so.
const KEPT: usize = 4_096;

/// How many lives have to end in the same way to be called a series.
const REPEATED: usize = 3;

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

    /// Tells that an actor does not give its thread back.
    pub(crate) fn note_blocked(&self, turn: &LongTurn, process: Option<&Process>) {
        let path = process.map(|process| process.path().to_owned()).unwrap_or_default();
        let figures = process.map(Process::figures);
        let label = figures.and_then(|figures| Some(figures.working?.label));
        let label = label.map(|label| format!(" in {label}")).unwrap_or_default();
        self.keep(|id| Event {
            id,
            at_ms: since_1970(SystemTime::now()),
            kind: EventKind::Blocked,
            text: format!("{path} does not give {} back{label}", turn.thread),
            path,
            pid: Some(turn.pid.to_string()),
            fingerprint: None,
        });
    }

    fn note(&self, report: &Report) {
        self.keep(|id| told(id, report));
        if let Report::Crash(crash) = report
            && let Some(repeated) = self.repeated(crash)
        {
            self.keep(|id| Event { id, ..repeated });
        }
    }

    /// Tells of an actor that has just crashed for the same reason in as many lives as make one
    /// suspect that it does so for ever; told once for each such series.
    fn repeated(&self, crash: &Crash) -> Option<Event> {
        let crash = crash::describe(crash);
        let kept = self.kept();
        let own = kept.iter().rev().filter(|event| event.path == crash.path);
        let own = own.filter(|event| event.kind == EventKind::Crashed);
        let series = own.take_while(|event| event.fingerprint.as_ref() == Some(&crash.fingerprint));
        let pids: Vec<&str> = series.filter_map(|event| event.pid.as_deref()).collect();
        (pids.len() == REPEATED).then(|| Event {
            id: 0,
            at_ms: crash.at_ms,
            kind: EventKind::Repeated,
            text: format!("{} crashes again and again: {}", crash.path, crash.exit),
            path: crash.path,
            pid: Some(crash.pid),
            fingerprint: Some(crash.fingerprint),
        })
    }

    fn keep(&self, event: impl FnOnce(u64) -> Event) {
        let mut kept = self.kept();
        let id = kept.back().map_or(1, |event| event.id + 1);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(event(id));
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
