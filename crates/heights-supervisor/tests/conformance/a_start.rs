//! Section A: starting.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use heights_supervisor::{
    AdminError, ChildSpec, Context, DynamicSupervisor, Exit, Fault, Flow, Hub, Ignore, Restart,
    Server, ShutdownReason, StartChildError, StartError, StartFailure, Strategy, Supervisor,
    SupervisorBuilder,
};

use crate::support::{Probe, SECOND, Start, Stop, Trace, settle, start, within};

#[tokio::test(start_paused = true)]
async fn a01_a_supervisor_without_children_starts_and_stops() {
    let root = start(Supervisor::builder("root")).await;
    assert_eq!(root.count_children().await.specs, 0);
    let exit = within("the stop", root.stop()).await;
    assert!(matches!(exit, Exit::Shutdown(ShutdownReason::Requested)));
    assert!(matches!(root.stop().await, Exit::NoProc));
}

#[tokio::test(start_paused = true)]
async fn a02_children_start_strictly_in_list_order() {
    let trace = Trace::default();
    let (slow, quick) = (Probe::new(&trace, "slow"), Probe::new(&trace, "quick"));
    slow.next_starts([Start::Takes(SECOND * 10)]);
    let root = start(Supervisor::builder("root").child(slow.spec).child(quick.spec)).await;
    root.stop().await;
    assert_eq!(trace.take(), "start slow, start quick, stop quick, stop slow");
}

#[tokio::test(start_paused = true)]
async fn a03_start_returns_only_when_all_are_started() {
    let trace = Trace::default();
    let (a, b) = (Probe::new(&trace, "a"), Probe::new(&trace, "b"));
    b.next_starts([Start::Takes(SECOND * 10)]);
    let begin = tokio::time::Instant::now();
    let root = start(Supervisor::builder("root").child(a.spec).child(b.spec)).await;
    assert_eq!(begin.elapsed(), SECOND * 10);
    assert_eq!(root.count_children().await.active, 2);
}

#[tokio::test(start_paused = true)]
async fn a04_failed_start_stops_started_children_in_reverse() {
    let trace = Trace::default();
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| Probe::new(&trace, name));
    c.next_starts([Start::Fails("no disk")]);
    let builder = Supervisor::builder("root")
        .strategy(Strategy::OneForAll)
        .child(a.spec)
        .child(b.spec)
        .child(c.spec)
        .child(d.spec);
    let error = within("the start", builder.start()).await.unwrap_err();
    assert_eq!(trace.take(), "start a, start b, fail c, stop b, stop a");
    assert_eq!(error.to_string(), "child c did not start: error: no disk");
}

#[tokio::test(start_paused = true)]
async fn a05_the_start_error_has_text_and_place_of_the_panic() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    a.next_starts([Start::Panics("no luck")]);
    let (inner, _) = Supervisor::builder("inner").child(a.spec).child_spec();
    let error = Supervisor::builder("root").child(inner).start().await.unwrap_err();
    let text = error.to_string();
    let expected = "child inner did not start: error: child a did not start: panic: no luck at ";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("support.rs:"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a05b_a_panic_while_making_the_arguments_is_a_failed_start() {
    let spec = ChildSpec::task("a", |cx| {
        assert!(cx.name().is_empty(), "no arguments");
        async { Ok(()) }
    });
    let error = Supervisor::builder("root").child(spec).start().await.unwrap_err();
    assert!(error.to_string().contains("no arguments"), "{error}");
}

/// A supervisor with one child of its own whose `init` goes like this.
fn with_init(
    hub: &Hub,
    child: &Probe,
    init: impl Fn() -> Result<Vec<ChildSpec>, Fault> + Send + Sync + 'static,
) -> SupervisorBuilder {
    Supervisor::builder("root").hub(hub.clone()).child(child.spec.clone()).init(init)
}

#[tokio::test(start_paused = true)]
async fn a06_an_init_with_nothing_to_supervise_starts_nothing() {
    let (trace, hub) = (Trace::default(), Hub::new());
    let a = Probe::new(&trace, "a");
    let builder = with_init(&hub, &a, || Err(Ignore.into()));
    let error = within("the start", builder.start()).await.unwrap_err();
    assert!(matches!(error, StartError::Ignored), "{error}");
    assert!(hub.snapshot().processes.is_empty());
    assert!(hub.crashes().is_empty());
    assert_eq!(trace.take(), "");
}

#[tokio::test(start_paused = true)]
async fn a06b_a_supervisor_as_child_may_find_nothing_to_supervise() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let (inner, _) = with_init(&Hub::new(), &a, || Err(Ignore.into())).child_spec();
    let root = start(Supervisor::builder("outer").child(inner)).await;
    let counts = root.count_children().await;
    assert_eq!((counts.specs, counts.active), (1, 0));
    assert!(root.hub().unwrap().crashes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a06c_init_says_anew_for_each_life_what_there_is_to_supervise() {
    let trace = Trace::default();
    let [a, b] = ["a", "b"].map(|name| Probe::new(&trace, name));
    let (first, later) = (a.spec.clone(), b.spec.clone());
    let asked = AtomicUsize::new(0);
    let init = move || {
        let asked = asked.fetch_add(1, Ordering::SeqCst);
        Ok(if asked == 0 { vec![first.clone()] } else { vec![first.clone(), later.clone()] })
    };
    let (inner, inner_ref) = Supervisor::builder("inner").init(init).child_spec();
    let _root = start(Supervisor::builder("root").child(inner)).await;
    assert_eq!(trace.take(), "start a");
    inner_ref.process().unwrap().kill();
    b.running().await;
    assert_eq!(trace.take(), "start a, start b");
}

#[tokio::test(start_paused = true)]
async fn a07c_an_init_that_fails_or_panics_leaves_nothing() {
    type Init = fn() -> Result<Vec<ChildSpec>, Fault>;
    let fails: Init = || Err("no configuration".into());
    let panics: Init = || panic!("no luck");
    let wrong: Init = || Ok(vec![ChildSpec::task("a", |_cx| async { Ok(()) })]);
    for (init, expected) in [
        (fails, "error: no configuration"),
        (panics, "panic: no luck"),
        (wrong, "duplicate child name \"a\""),
    ] {
        let (trace, hub) = (Trace::default(), Hub::new());
        let a = Probe::new(&trace, "a");
        let error = within("the start", with_init(&hub, &a, init).start()).await.unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
        assert!(hub.snapshot().processes.is_empty());
        assert!(a.reference.current().is_none());
        assert_eq!(trace.take(), "");
    }
}

#[tokio::test(start_paused = true)]
async fn a07_nothing_is_left_after_a_failed_start() {
    let trace = Trace::default();
    let (a, b) = (Probe::new(&trace, "a"), Probe::new(&trace, "b"));
    b.next_starts([Start::Fails("no")]);
    let hub = Hub::new();
    let builder =
        Supervisor::builder("root").hub(hub.clone()).child(a.spec.clone()).child(b.spec.clone());
    within("the start", builder.start()).await.unwrap_err();
    assert!(hub.snapshot().processes.is_empty());
    assert!(a.reference.current().is_none() && b.reference.current().is_none());
}

#[tokio::test(start_paused = true)]
async fn a08_a_running_child_is_returned_instead_of_started_twice() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    let error = root.start_child(a.spec.clone()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("already started as {}", a.process().pid()));
    assert_eq!(trace.take(), "start a");
}

#[tokio::test(start_paused = true)]
async fn a07b_a_start_that_is_given_up_leaves_nothing() {
    let trace = Trace::default();
    let (a, b) = (Probe::new(&trace, "a"), Probe::new(&trace, "b"));
    b.next_starts([Start::Hangs]);
    let hub = Hub::new();
    let builder = Supervisor::builder("root").hub(hub.clone()).child(a.spec).child(b.spec);
    tokio::time::timeout(SECOND, builder.start()).await.unwrap_err();
    settle().await;
    assert!(hub.snapshot().processes.is_empty(), "{:?}", hub.snapshot().processes);
    assert_eq!(trace.take(), "start a, hang b, stop a");
}

#[tokio::test(start_paused = true)]
async fn a09_a_child_may_find_nothing_to_do_and_its_spec_is_kept() {
    let trace = Trace::default();
    let [a, b, c] = ["a", "b", "c"].map(|name| Probe::new(&trace, name));
    b.next_starts([Start::Ignores, Start::Ignores]);
    let builder = Supervisor::builder("root").strategy(Strategy::OneForAll);
    let root = start(builder.child(a.spec.clone()).child(b.spec.clone())).await;
    assert_eq!(trace.take(), "start a");
    let counts = root.count_children().await;
    assert_eq!((counts.specs, counts.active), (2, 1));
    assert!(root.hub().unwrap().crashes().is_empty());
    assert!(matches!(root.restart_child("b").await, Err(AdminError::Ignored)));
    root.restart_child("b").await.unwrap();
    // One that is added is kept as well.
    c.next_starts([Start::Ignores]);
    assert!(matches!(root.start_child(c.spec.clone()).await, Err(StartChildError::Ignored)));
    assert_eq!(root.count_children().await.specs, 3);
    root.stop().await;
    assert_eq!(trace.take(), "start b, stop b, stop a");
}

#[tokio::test(start_paused = true)]
async fn a10_a_temporary_child_with_nothing_to_do_is_not_kept() {
    let trace = Trace::default();
    let temporary = Probe::new(&trace, "a").with(|spec| spec.restart(Restart::Temporary));
    temporary.next_starts([Start::Ignores, Start::Ignores]);
    let root = start(Supervisor::builder("root").child(temporary.spec.clone())).await;
    assert_eq!(root.count_children().await.specs, 0);
    let error = root.start_child(temporary.spec).await.unwrap_err();
    assert!(matches!(error, StartChildError::Ignored));
    assert_eq!(root.count_children().await.specs, 0);
}

#[tokio::test(start_paused = true)]
async fn a11_no_child_with_nothing_to_do_is_kept_by_a_dynamic_supervisor() {
    let trace = Trace::default();
    let dynamic = DynamicSupervisor::builder("root").start().await.unwrap();
    for restart in [Restart::Permanent, Restart::Transient, Restart::Temporary] {
        let child = Probe::new(&trace, "a").with(|spec| spec.restart(restart));
        child.next_starts([Start::Ignores]);
        let error = dynamic.start_child(child.spec).await.unwrap_err();
        assert!(matches!(error, StartChildError::Ignored));
        settle().await;
        assert_eq!(dynamic.count_children().await.specs, 0);
    }
    assert_eq!(dynamic.stop().await.to_string(), "shutdown: requested");
}

/// What the child tells whoever starts it: how many lives it has had.
#[derive(Debug, PartialEq)]
struct Lives(u32);

struct Teller;

impl Server for Teller {
    type Args = ();
    type Msg = ();

    async fn init((): (), cx: &mut Context<()>) -> Result<Self, Fault> {
        cx.inform_starter(Lives(cx.process().incarnation()));
        cx.inform_starter("what is said first stays");
        Ok(Self)
    }

    async fn handle(&mut self, (): (), _cx: &mut Context<()>) -> Result<Flow, Fault> {
        Ok(Flow::Continue)
    }
}

#[tokio::test(start_paused = true)]
async fn a12_a_child_may_tell_its_starter_more_than_that_it_runs() {
    let root = start(Supervisor::builder("root")).await;
    let (spec, _) = ChildSpec::server::<Teller>("teller", || ());
    let started = root.start_child(spec.clone()).await.unwrap();
    assert_eq!(started.info::<Lives>().as_deref(), Some(&Lives(1)));
    assert_eq!(started.info::<&str>(), None);
    root.terminate_child("teller").await.unwrap();
    let restarted = root.restart_child("teller").await.unwrap();
    assert_eq!(restarted.info::<Lives>().as_deref(), Some(&Lives(2)));
    // It is of its life, and the supervisor does not look at it.
    assert_eq!(started.info::<Lives>().as_deref(), Some(&Lives(1)));

    let dynamic = DynamicSupervisor::builder("dynamic").start().await.unwrap();
    let started = dynamic.start_child(spec).await.unwrap();
    assert_eq!(started.info::<Lives>().as_deref(), Some(&Lives(1)));
    let silent = ChildSpec::task("silent", |cx| async move {
        cx.shutdown().await;
        Ok(())
    });
    assert_eq!(dynamic.start_child(silent).await.unwrap().info::<Lives>(), None);
}

#[tokio::test(start_paused = true)]
async fn a13_a_hanging_start_is_cancelled_by_its_timeout() {
    let trace = Trace::default();
    let (a, b) = (Probe::new(&trace, "a"), Probe::new(&trace, "b"));
    b.next_starts([Start::Hangs]);
    let limit = Duration::from_secs(7);
    let begin = tokio::time::Instant::now();
    let builder =
        Supervisor::builder("root").child(a.spec).child(b.spec.clone().start_timeout(limit));
    let error = within("the start", builder.start()).await.unwrap_err();
    assert_eq!(begin.elapsed(), limit);
    let StartError::Child { id, cause: StartFailure::Timeout(seven) } = error else {
        panic!("{error}")
    };
    assert_eq!((id.as_str(), seven), ("b", limit));
    assert_eq!(trace.take(), "start a, hang b, stop a");
    // Its place is free again.
    let root = start(Supervisor::builder("root").child(b.spec)).await;
    assert_eq!(root.count_children().await.active, 1);
}

#[tokio::test(start_paused = true)]
async fn a14_a_supervisor_and_a_task_are_valid_children() {
    let trace = Trace::default();
    let a = Probe::stopping(&trace, "a", Stop::Quick);
    let note = trace.clone();
    let task = ChildSpec::task("task", move |cx| {
        let note = note.clone();
        async move {
            note.note("start task");
            cx.shutdown().await;
            note.note("stop task");
            Ok(())
        }
    });
    let (third, _) = Supervisor::builder("third").child(a.spec).child(task).child_spec();
    let (second, _) = Supervisor::builder("second").child(third).child_spec();
    let root = start(Supervisor::builder("root").child(second)).await;
    settle().await;
    let tree = root.tree().unwrap();
    let paths: Vec<&str> = tree.processes.iter().map(|process| &*process.path).collect();
    let expected = [
        "root",
        "root/second",
        "root/second/third",
        "root/second/third/a",
        "root/second/third/task",
    ];
    assert_eq!(paths, expected);
    root.stop().await;
    assert_eq!(trace.take(), "start a, start task, stop task, stop a");
}
