//! Section H, continued: code of others that panics where it is none of their process.

use std::fmt;
use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use heights_supervisor::{
    ChildSpec, Context, DynamicSupervisor, Exit, Fault, Flow, Process, Recipient, Restart, Server,
    Supervisor,
};
use tracing::{Event, Metadata, Subscriber, span};

use crate::j_reports::Log;
use crate::support::{Msg, Probe, Trace, settle, start, within};

#[tokio::test(start_paused = true)]
async fn h72c_code_of_others_that_panics_does_not_keep_the_news_from_arriving() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let builder = Supervisor::builder("root");
    let builder = builder.on_report(Recipient::from_fn(|_report| panic!("a bad recipient")));
    let _root = start(builder.child(a.spec.clone())).await;
    a.process().monitor(|_down| panic!("a bad monitor"));
    a.process().owner().on_end(|| panic!("a bad hook"));
    a.crash().await;
    assert_eq!(trace.take(), "start a, crash a, start a");
}

/// Says of itself nothing but a panic.
#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("not even its name")
    }
}

impl std::error::Error for Unspeakable {}

#[tokio::test(start_paused = true)]
async fn h72d_an_error_that_cannot_be_written_down_ends_its_process_and_nothing_else() {
    let _guard = tracing::subscriber::set_default(Log::default());
    let trace = Trace::default();
    let (by, lives) = (Probe::new(&trace, "by"), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&lives);
    let bad = ChildSpec::task("bad", move |cx| {
        let life = count.fetch_add(1, Ordering::SeqCst);
        async move {
            if life == 0 {
                return Err(Unspeakable.into());
            }
            cx.shutdown().await;
            Ok(())
        }
    });
    let root = start(Supervisor::builder("root").child(by.spec.clone()).child(bad)).await;
    settle().await;
    assert_eq!(lives.load(Ordering::SeqCst), 2);
    assert_eq!(root.hub().unwrap().crashes().len(), 1);
    let said = root.hub().unwrap().crashes()[0].exit.to_string();
    assert_eq!(said, "error: one that panics when it is asked what it is");
    within("the stop", root.stop()).await;
    assert_eq!(trace.take(), "start by, stop by");
}

/// Panics when it is dropped.
struct Mine;

impl Drop for Mine {
    fn drop(&mut self) {
        panic!("stepped on")
    }
}

#[tokio::test(start_paused = true)]
async fn h72e_what_a_child_is_started_with_may_panic_when_it_is_let_go_of() {
    let mined = |restart| {
        let mine = Mine;
        let spec = ChildSpec::task("mined", move |cx| {
            let _kept = &mine;
            async move {
                cx.shutdown().await;
                Ok(())
            }
        });
        spec.restart(restart)
    };
    let root = start(Supervisor::builder("root")).await;
    let dynamic = DynamicSupervisor::builder("dynamic").start().await.unwrap();
    let lives = [root.process().unwrap(), dynamic.process().unwrap()];
    root.start_child(mined(Restart::Temporary)).await.unwrap();
    root.terminate_child("mined").await.unwrap();
    root.start_child(mined(Restart::Permanent)).await.unwrap();
    root.terminate_child("mined").await.unwrap();
    root.delete_child("mined").await.unwrap();
    let started = dynamic.start_child(mined(Restart::Temporary)).await.unwrap();
    dynamic.terminate_child(&started.pid).await.unwrap();
    assert!(lives.iter().all(Process::is_alive));
    for exit in [root.stop().await, dynamic.stop().await] {
        assert_eq!(exit.to_string(), "shutdown: requested");
    }
}

/// Tells its starter what panics when it is dropped.
struct Giver;

impl Server for Giver {
    type Args = ();
    type Msg = ();

    async fn init((): (), cx: &mut Context<()>) -> Result<Self, Fault> {
        cx.inform_starter(Mine);
        Ok(Self)
    }

    async fn handle(&mut self, (): (), _cx: &mut Context<()>) -> Result<Flow, Fault> {
        Ok(Flow::Continue)
    }
}

#[tokio::test(start_paused = true)]
async fn h72h_what_a_child_told_its_starter_may_panic_when_it_is_let_go_of() {
    let root = start(Supervisor::builder("root")).await;
    let dynamic = DynamicSupervisor::builder("dynamic").start().await.unwrap();
    let lives = [root.process().unwrap(), dynamic.process().unwrap()];
    let (spec, _) = ChildSpec::server::<Giver>("giver", || ());
    drop(root.start_child(spec.clone()).await.unwrap());
    root.terminate_child("giver").await.unwrap();
    root.delete_child("giver").await.unwrap();
    let pid = dynamic.start_child(spec).await.unwrap().pid;
    dynamic.terminate_child(&pid).await.unwrap();
    settle().await;
    assert!(lives.iter().all(Process::is_alive));
    for exit in [root.stop().await, dynamic.stop().await] {
        assert_eq!(exit.to_string(), "shutdown: requested");
    }
}

/// A log in which nothing can be written.
struct BadLog;

impl Subscriber for BadLog {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        // What ractor logs is its own business.
        if event.metadata().target().starts_with("heights") {
            panic_any(Mine);
        }
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn h72g_a_log_that_panics_ends_nobody() {
    let _guard = tracing::subscriber::set_default(BadLog);
    let trace = Trace::default();
    let [a, b] = ["a", "b"].map(|name| Probe::new(&trace, name));
    let bad = || Recipient::from_fn(|_report| panic_any(Mine));
    let (inner, inner_ref) =
        Supervisor::builder("inner").on_report(bad()).child(a.spec.clone()).child_spec();
    let root = start(Supervisor::builder("root").on_report(bad()).child(inner)).await;
    let dynamic = DynamicSupervisor::builder("dynamic").on_report(bad()).start().await.unwrap();
    dynamic.start_child(b.spec.clone()).await.unwrap();
    let lives = [&root.process(), &inner_ref.process(), &dynamic.process()];
    for child in [&a, &b] {
        child.process().monitor(|_down| panic_any(Mine));
        child.process().owner().on_end(|| panic_any(Mine));
        child.crash().await;
        child.end(Msg::Stop(Exit::Normal)).await;
        child.running().await;
    }
    assert!(lives.iter().all(|life| life.as_ref().is_some_and(Process::is_alive)));
    for exit in [root.stop().await, dynamic.stop().await] {
        assert_eq!(exit.to_string(), "shutdown: requested");
    }
}

#[test]
fn h72f_a_recipient_that_panics_is_no_matter_of_who_tells_it() {
    let recipient = Recipient::from_fn(|_fact: u32| panic!("a bad recipient"));
    recipient.tell(1);
    assert_eq!(recipient.undelivered(), 1);
}
