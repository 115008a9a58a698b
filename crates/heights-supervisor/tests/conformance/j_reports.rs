//! Section J: reports, and looking in from outside.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use heights_supervisor::{
    Crash, DynamicSupervisor, Exit, Hub, Process, Recipient, Report, ReportContext, Restart,
    Shutdown, Strategy, Supervisor,
};
use tokio::sync::mpsc::UnboundedReceiver;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

use crate::support::{Msg, Probe, SECOND, Start, Stop, Trace, settle, start};

/// Takes out what was reported so far.
fn said(reports: &mut UnboundedReceiver<Report>) -> Vec<Report> {
    std::iter::from_fn(|| reports.try_recv().ok()).collect()
}

fn texts(reports: &[Report]) -> Vec<String> {
    reports.iter().map(|report| without_place(&report.to_string())).collect()
}

/// Cuts off where a panic happened.
fn without_place(text: &str) -> String {
    text.split(" at crates/").next().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn j90_every_start_is_a_progress_report() {
    let trace = Trace::default();
    let [a, b] = ["a", "b"].map(|name| Probe::new(&trace, name));
    let (recipient, mut reports) = Recipient::<Report>::stream();
    let builder = Supervisor::builder("root").on_report(recipient);
    let root = start(builder.child(a.spec.clone())).await;
    root.start_child(b.spec.clone()).await.unwrap();
    root.terminate_child("b").await.unwrap();
    root.restart_child("b").await.unwrap();
    a.crash().await;
    settle().await;
    let progress: Vec<(String, String, u32)> = said(&mut reports)
        .into_iter()
        .filter_map(|report| match report {
            Report::Progress(it) => {
                Some((it.supervisor.to_string(), it.child.to_string(), it.incarnation))
            }
            _ => None,
        })
        .collect();
    let line = |child: &str, life| ("root".to_owned(), child.to_owned(), life);
    assert_eq!(progress, [line("a", 1), line("b", 1), line("b", 2), line("a", 2)]);
}

#[tokio::test(start_paused = true)]
async fn j90b_each_context_of_a_supervisor_report() {
    let trace = Trace::default();
    let bad = Probe::stopping(&trace, "bad", Stop::Takes(SECOND * 6));
    let good = Probe::new(&trace, "good");
    let (recipient, mut reports) = Recipient::<Report>::stream();
    let builder = Supervisor::builder("root").intensity(1, SECOND).on_report(recipient);
    let root = start(builder.child(bad.spec.clone()).child(good.spec.clone())).await;
    let process = root.process().unwrap();
    good.next_starts([Start::Fails("no disk")]);
    let pid = good.process().pid();
    good.panic().await;
    process.gone().await;
    let reports = said(&mut reports);
    let expected = [
        "root: started bad as ",
        "root: started good as ",
        "root: child terminated: good: panic: boom",
        "root: start error: good: error: no disk",
        "root: shutdown error: bad: killed",
        "root: shutdown: good: shutdown: reached max intensity",
    ];
    for (said, expected) in texts(&reports).iter().zip(expected) {
        assert!(said.starts_with(expected), "{said}");
    }
    assert_eq!(reports.len(), expected.len());
    let Report::Supervisor(first) = &reports[2] else { panic!("{reports:?}") };
    assert_eq!((first.context, first.pid), (ReportContext::ChildTerminated, Some(pid)));
    assert_eq!((&*first.supervisor, first.child.as_str()), ("root", "good"));
    assert!(matches!(first.exit, Exit::Panic(_)));
}

#[tokio::test(start_paused = true)]
async fn j90c_a_child_that_ends_as_it_was_told_to_is_no_news() {
    for shutdown in [Shutdown::Brutal, Shutdown::Infinity, Shutdown::Timeout(SECOND)] {
        let trace = Trace::default();
        let probe = || Probe::new(&trace, "a").with(|spec| spec.shutdown(shutdown));
        let hub = Hub::new();
        let root = start(Supervisor::builder("root").hub(hub.clone()).child(probe().spec)).await;
        let dynamic = DynamicSupervisor::builder("dynamic").hub(hub.clone()).start().await.unwrap();
        dynamic.start_child(probe().spec).await.unwrap();
        let started = dynamic.start_child(probe().spec).await.unwrap();
        let temporary = probe().with(|spec| spec.restart(Restart::Temporary));
        dynamic.start_child(temporary.spec).await.unwrap();
        let (recipient, mut reports) = Recipient::<Report>::stream();
        hub.subscribe(recipient);
        dynamic.terminate_child(&started.pid).await.unwrap();
        dynamic.stop().await;
        root.stop().await;
        assert_eq!(texts(&said(&mut reports)), Vec::<String>::new(), "{shutdown:?}");
        assert_eq!(hub.crashes().len(), 0, "{shutdown:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn j90d_a_dynamic_child_that_does_not_end_as_told_is_a_shutdown_error() {
    let trace = Trace::default();
    let dynamic = DynamicSupervisor::builder("root").start().await.unwrap();
    dynamic.start_child(Probe::stopping(&trace, "a", Stop::Takes(SECOND * 6)).spec).await.unwrap();
    let mut reports = dynamic.reports();
    dynamic.stop().await;
    assert_eq!(texts(&said(&mut reports)), ["root: shutdown error: a: killed"]);
}

/// Writes down events that have a report.
#[derive(Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

struct Line<'a>(&'a Log, Level);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "report" {
            let line = without_place(&format!("{} {value:?}", self.1));
            self.0.0.lock().unwrap().push(line);
        }
    }
}

impl Subscriber for Log {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}

    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Line(self, *event.metadata().level()));
    }

    fn enter(&self, _span: &span::Id) {}

    fn exit(&self, _span: &span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn j90e_reports_are_tracing_events_too() {
    let lines = Arc::<Mutex<Vec<String>>>::default();
    let _guard = tracing::subscriber::set_default(Log(Arc::clone(&lines)));
    let trace = Trace::default();
    let a = Probe::new(&trace, "a").with(|spec| spec.restart(Restart::Transient));
    let root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    a.crash().await;
    a.end(Msg::Stop(Exit::Normal)).await;
    settle().await;
    root.stop().await;
    let lines = lines.lock().unwrap().clone();
    let expected = [
        "DEBUG root: started a as ",
        "ERROR root/a crashed: panic: boom",
        "WARN root: child terminated: a: panic: boom",
        "DEBUG root: started a as ",
        "DEBUG root: a left: normal",
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}");
    }
}

/// Crashes the child of a nested supervisor, after half a minute, while two messages wait.
async fn crash() -> (Crash, [Process; 3]) {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let (inner, inner_ref) = Supervisor::builder("inner").child(a.spec.clone()).child_spec();
    let hub = Hub::new();
    let root = start(Supervisor::builder("root").hub(hub.clone()).child(inner)).await;
    a.crash().await;
    let (recipient, mut reports) = Recipient::<Report>::stream();
    hub.subscribe(recipient);
    let family = [root.process().unwrap(), inner_ref.process().unwrap(), a.process()];
    tokio::time::advance(SECOND * 30).await;
    for message in [Msg::Panic("boom"), Msg::Work(SECOND), Msg::Work(SECOND)] {
        a.reference.cast(message).unwrap();
    }
    family[2].gone().await;
    let crash = said(&mut reports).into_iter().find_map(|report| match report {
        Report::Crash(crash) => Some(crash),
        _ => None,
    });
    (crash.unwrap(), family)
}

#[tokio::test(start_paused = true)]
async fn j91_a_crash_report_says_what_is_needed_to_mend_it() {
    let (crash, [root, inner, a]) = crash().await;
    assert_eq!((&*crash.path, crash.pid, crash.incarnation), ("root/inner/a", a.pid(), 2));
    assert_eq!(crash.parents, [inner.pid(), root.pid()]);
    assert_eq!((crash.last_label, crash.figures.queued), (Some("panic"), Some(2)));
    assert_eq!(crash.age, SECOND * 30);
    assert!(crash.type_name.ends_with("Puppet"), "{}", crash.type_name);
    let Exit::Panic(panic) = &crash.exit else { panic!("{crash:?}") };
    assert!(panic.location.as_ref().unwrap().contains("support.rs:"));
    assert!(panic.backtrace.as_ref().unwrap().to_string().contains("Puppet"));
    let text = Report::Crash(crash).to_string();
    assert!(text.starts_with("root/inner/a crashed: panic: boom at "), "{text}");
    assert!(text.contains(", in message \"panic\", 2 waiting ("), "{text}");
    assert!(text.ends_with("life 2, up 30s)"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn j91b_what_was_in_the_last_message_is_nowhere_in_a_report() {
    const SECRET: &str = "a token that nobody may see";
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let hub = Hub::new();
    let (recipient, mut reports) = Recipient::<Report>::stream();
    hub.subscribe(recipient);
    let _root = start(Supervisor::builder("root").hub(hub.clone()).child(a.spec.clone())).await;
    a.end(Msg::Choke(SECRET)).await;
    settle().await;
    let reports = said(&mut reports);
    assert!(reports.iter().any(|report| matches!(report, Report::Crash(_))), "{reports:?}");
    let told = format!("{reports:?} {:?} {:?}", texts(&reports), hub.snapshot());
    assert!(!told.contains(SECRET), "{told}");
}

#[tokio::test(start_paused = true)]
async fn j92_a_picture_of_a_tree_that_is_being_restarted_is_of_one_moment() {
    let trace = Trace::default();
    let [a, b, c] = ["a", "b", "c"].map(|name| Probe::new(&trace, name));
    b.next_starts([Start::Takes(SECOND), Start::Takes(SECOND)]);
    let builder = Supervisor::builder("root").strategy(Strategy::OneForAll);
    let root =
        start(builder.child(a.spec.clone()).child(b.spec.clone()).child(c.spec.clone())).await;
    a.panic().await;
    a.running().await;
    settle().await;
    // `a` is up again, `b` starts, and of `c` neither the old life nor the new one is there.
    let tree = root.tree().unwrap();
    let seen: Vec<String> = tree
        .processes
        .iter()
        .map(|process| format!("{} {:?} {}", process.path, process.state, process.incarnation))
        .collect();
    assert_eq!(seen, ["root Running 1", "root/a Running 2", "root/b Starting 2"]);
    for process in &tree.processes[1..] {
        assert_eq!(process.parent, Some(tree.processes[0].pid));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn j92b_no_picture_shows_two_lives_or_a_child_without_its_parent() {
    let trace = Trace::default();
    let leaves = ["a", "b", "c"].map(|name| Probe::new(&trace, name));
    let mut middle = Supervisor::builder("middle").strategy(Strategy::OneForAll);
    middle = middle.intensity(100_000, SECOND);
    for leaf in &leaves {
        middle = middle.child(leaf.spec.clone());
    }
    let (spec, _) = middle.child_spec();
    let root = start(Supervisor::builder("root").intensity(100_000, SECOND).child(spec)).await;
    let hub = root.hub().unwrap();
    for round in 0..200 {
        if let Some(victim) = hub.snapshot().processes.get(1 + round % 4) {
            hub.kill(victim.pid);
        }
        let processes = hub.snapshot().processes;
        for (at, process) in processes.iter().enumerate() {
            let twice = processes[..at].iter().any(|elder| elder.path == process.path);
            assert!(!twice, "two lives of {}", process.path);
            let parent = |pid| processes[..at].iter().any(|elder| elder.pid == pid);
            assert!(process.parent.is_none_or(parent), "an orphan: {}", process.path);
        }
        tokio::task::yield_now().await;
    }
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn j92c_a_busy_worker_does_not_delay_the_picture() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    a.reference.cast(Msg::Work(SECOND * 3600)).unwrap();
    settle().await;
    let begin = tokio::time::Instant::now();
    let tree = root.tree().unwrap();
    assert_eq!(tree.processes[1].figures.working.unwrap().label, "work");
    assert_eq!(begin.elapsed(), Duration::ZERO);
}
