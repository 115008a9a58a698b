//! Section I: changing a tree while it runs.

use std::time::Duration;

use heights_supervisor::{
    AdminError, CallError, ChildId, ChildKind, ChildSpec, Counts, DynamicSupervisor, Exit, Restart,
    StartChildError, Supervisor, SupervisorBuilder, SupervisorRef,
};
use tokio::time::timeout;

use crate::support::{Msg, Probe, SECOND, Start, Stop, Trace, settle, start};

#[tokio::test(start_paused = true)]
async fn i77_a_known_child_is_not_started_twice() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    match root.start_child(a.spec.clone()).await {
        Err(StartChildError::AlreadyStarted(started)) => assert_eq!(started.process, a.process()),
        other => panic!("{other:?}"),
    }
    root.terminate_child("a").await.unwrap();
    let error = root.start_child(a.spec.clone()).await.unwrap_err();
    assert!(matches!(error, StartChildError::AlreadyPresent));
}

#[tokio::test(start_paused = true)]
async fn i78_a_child_that_does_not_start_is_not_kept() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let root = start(Supervisor::builder("root")).await;
    a.next_starts([Start::Fails("no disk")]);
    let error = root.start_child(a.spec.clone()).await.unwrap_err();
    assert_eq!(error.to_string(), "child a did not start: error: no disk");
    assert_eq!(root.count_children().await.specs, 0);
    root.start_child(a.spec.clone()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn i79_terminating_keeps_the_spec_unless_temporary() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let b = Probe::new(&trace, "b").with(|spec| spec.restart(Restart::Temporary));
    let builder = Supervisor::builder("root").child(a.spec.clone()).child(b.spec.clone());
    let root = start(builder).await;
    assert!(matches!(root.terminate_child("x").await, Err(AdminError::NotFound)));
    root.terminate_child("a").await.unwrap();
    root.terminate_child("a").await.unwrap();
    root.terminate_child("b").await.unwrap();
    assert!(matches!(root.terminate_child("b").await, Err(AdminError::NotFound)));
    assert_eq!(root.count_children().await.specs, 1);
    settle().await;
    assert_eq!(trace.take(), "start a, start b, stop a, stop b");
}

#[tokio::test(start_paused = true)]
async fn i80_restarting_a_child() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    assert!(matches!(root.restart_child("a").await, Err(AdminError::Running)));
    assert!(matches!(root.restart_child("x").await, Err(AdminError::NotFound)));
    root.terminate_child("a").await.unwrap();
    a.next_starts([Start::Fails("no disk")]);
    let error = root.restart_child("a").await.unwrap_err();
    assert_eq!(error.to_string(), "the child did not start: error: no disk");
    assert_eq!(root.count_children().await, counts(1, 0));
    let started = root.restart_child("a").await.unwrap();
    assert_eq!(started.process.incarnation(), 3);
}

#[tokio::test(start_paused = true)]
async fn i81_deleting_a_child() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    assert!(matches!(root.delete_child("a").await, Err(AdminError::Running)));
    root.terminate_child("a").await.unwrap();
    root.delete_child("a").await.unwrap();
    assert!(matches!(root.delete_child("a").await, Err(AdminError::NotFound)));
    assert!(matches!(root.restart_child("a").await, Err(AdminError::NotFound)));
    assert_eq!(root.count_children().await.specs, 0);
}

#[tokio::test(start_paused = true)]
async fn i82_a_dynamic_supervisor_terminates_its_own_children_only() {
    let trace = Trace::default();
    let (own, foreign) = (Probe::new(&trace, "own"), Probe::new(&trace, "foreign"));
    let (spec, dynamic) = DynamicSupervisor::builder("dynamic").child_spec();
    let builder = Supervisor::builder("root").child(spec).child(foreign.spec.clone());
    let _root = start(builder).await;
    let started = dynamic.start_child(own.spec.clone()).await.unwrap();
    let error = dynamic.terminate_child(&foreign.process().pid()).await.unwrap_err();
    assert!(matches!(error, AdminError::NotFound));
    dynamic.terminate_child(&started.pid).await.unwrap();
    assert!(!started.process.is_alive());
    dynamic.terminate_child(&started.pid).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn i83_max_children_counts_those_in_restart_and_lets_them_come_back() {
    let trace = Trace::default();
    let builder = DynamicSupervisor::builder("root").max_children(2);
    let backoff = heights_supervisor::Backoff::exponential(SECOND, SECOND);
    let dynamic = builder.backoff(backoff).start().await.unwrap();
    let [a, b, c] = ["a", "b", "c"].map(|name| Probe::new(&trace, name));
    dynamic.start_child(a.spec.clone()).await.unwrap();
    let second = dynamic.start_child(b.spec.clone()).await.unwrap();
    a.panic().await;
    let error = dynamic.start_child(c.spec.clone()).await.unwrap_err();
    assert!(matches!(error, StartChildError::MaxChildren));
    a.running().await;
    dynamic.terminate_child(&second.pid).await.unwrap();
    dynamic.start_child(c.spec.clone()).await.unwrap();
    assert_eq!(dynamic.count_children().await, counts(2, 2));
}

#[tokio::test(start_paused = true)]
async fn i85_counting_children() {
    let trace = Trace::default();
    let [a, b] = ["a", "b"].map(|name| Probe::new(&trace, name));
    let b = b.with(|spec| spec.restart(Restart::Transient));
    let (inner, _) = Supervisor::builder("inner").child_spec();
    let builder = Supervisor::builder("root").child(a.spec.clone()).child(b.spec.clone());
    let root = start(builder.child(inner)).await;
    let with_supervisor = |active| Counts { specs: 3, active, supervisors: 1, workers: 2 };
    assert_eq!(root.count_children().await, with_supervisor(3));
    b.end(Msg::Stop(Exit::Normal)).await;
    settle().await;
    assert_eq!(root.count_children().await, with_supervisor(2));
    root.terminate_child("inner").await.unwrap();
    assert_eq!(root.count_children().await, with_supervisor(1));
    let kinds: Vec<ChildKind> =
        root.which_children().await.iter().map(|child| child.kind).collect();
    assert_eq!(kinds, [ChildKind::Worker, ChildKind::Worker, ChildKind::Supervisor]);
}

#[tokio::test(start_paused = true)]
async fn i86_a_caller_that_gives_up_does_no_harm() {
    let trace = Trace::default();
    let [slow, a] = ["slow", "a"].map(|name| Probe::new(&trace, name));
    let root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    slow.next_starts([Start::Takes(SECOND * 10)]);
    timeout(SECOND, root.start_child(slow.spec.clone())).await.unwrap_err();
    timeout(SECOND, root.which_children()).await.unwrap_err();
    slow.running().await;
    assert_eq!(root.count_children().await, counts(2, 2));

    let dynamic = DynamicSupervisor::builder("root").start().await.unwrap();
    let late = Probe::new(&trace, "late");
    late.next_starts([Start::Takes(SECOND * 10)]);
    timeout(SECOND, dynamic.start_child(late.spec.clone())).await.unwrap_err();
    late.running().await;
    settle().await;
    assert_eq!(dynamic.count_children().await, counts(1, 1));
}

#[tokio::test(start_paused = true)]
async fn i86b_stopping_while_a_dynamic_child_starts_gives_the_start_up() {
    let trace = Trace::default();
    let dynamic = DynamicSupervisor::builder("root").start().await.unwrap();
    let (slow, busy) =
        (Probe::new(&trace, "slow"), Probe::stopping(&trace, "busy", Stop::Takes(SECOND)));
    slow.next_starts([Start::Hangs]);
    dynamic.start_child(busy.spec.clone()).await.unwrap();
    let (started, exit) = tokio::join!(dynamic.start_child(slow.spec.clone()), async {
        settle().await;
        dynamic.stop().await
    });
    assert_eq!(exit.to_string(), "shutdown: requested");
    assert!(matches!(started.unwrap_err(), StartChildError::Supervisor(_)));
    assert_eq!(trace.take(), "start busy, hang slow, stop busy");
}

/// How many children a test of scale has; a bench starts and stops ten times as many.
const MANY: usize = 10_000;

fn idle(id: impl Into<ChildId>) -> ChildSpec {
    ChildSpec::task(id, |cx| async move {
        cx.shutdown().await;
        Ok(())
    })
}

#[tokio::test(start_paused = true)]
async fn i87_ten_thousand_dynamic_children_start_and_stop() {
    let dynamic = DynamicSupervisor::builder("root").start().await.unwrap();
    for _ in 0..MANY {
        dynamic.start_child(idle("idle")).await.unwrap();
    }
    assert_eq!(dynamic.count_children().await, counts(MANY, MANY));
    let (begin, hub) = (tokio::time::Instant::now(), dynamic.hub().unwrap());
    dynamic.stop().await;
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert!(hub.snapshot().processes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn i87b_ten_thousand_static_children_start_and_stop() {
    let children = (0..MANY).map(|number| idle(number.to_string()));
    let builder = children.fold(Supervisor::builder("root"), SupervisorBuilder::child);
    let root = start(builder).await;
    assert_eq!(root.count_children().await, counts(MANY, MANY));
    let (begin, hub) = (tokio::time::Instant::now(), root.hub().unwrap());
    root.terminate_child((MANY / 2).to_string()).await.unwrap();
    root.restart_child((MANY / 2).to_string()).await.unwrap();
    root.stop().await;
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert!(hub.snapshot().processes.is_empty());
}

async fn listed(root: &SupervisorRef) -> Vec<(String, bool)> {
    let children = root.which_children().await;
    children.iter().map(|child| (child.id.to_string(), child.process().is_some())).collect()
}

#[tokio::test(start_paused = true)]
async fn i88_new_specs_hold_from_the_next_start_on() {
    let trace = Trace::default();
    let [a, b, c] = ["a", "b", "c"].map(|name| Probe::new(&trace, name));
    let builder = Supervisor::builder("root").child(a.spec.clone()).child(b.spec.clone());
    let root = start(builder).await;
    trace.take();
    let new_b = Probe::new(&trace, "b");
    let (life, old_ref) = (b.process(), b.reference.clone());
    root.reconfigure(vec![c.spec.clone(), new_b.spec.clone()]).await.unwrap();
    // Nothing is started or stopped: `c` waits, `b` goes on, `a` is the youngest.
    let line = |id: &str, runs| (id.to_owned(), runs);
    assert_eq!(listed(&root).await, [line("c", false), line("b", true), line("a", true)]);
    assert_eq!(trace.take(), "");
    assert!(life.is_alive());
    root.restart_child("c").await.unwrap();
    // The next life of `b` is of the new spec, and the old references know that theirs is over.
    b.panic().await;
    assert_ne!(new_b.running().await, life);
    settle().await;
    assert!(matches!(old_ref.call(Msg::Ping).await, Err(CallError::NoProc)));
    assert_eq!(new_b.process().incarnation(), 2);
    assert_eq!(trace.take(), "start c, crash b, start b");
    root.terminate_child("a").await.unwrap();
    root.delete_child("a").await.unwrap();
    root.stop().await;
    assert_eq!(trace.take(), "stop a, stop b, stop c");
}

#[tokio::test(start_paused = true)]
async fn i88b_wrong_specs_change_nothing() {
    let trace = Trace::default();
    let [a, b] = ["a", "b"].map(|name| Probe::new(&trace, name));
    let root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    let other = Probe::new(&trace, "a").spec.restart(Restart::Temporary);
    for wrong in [vec![b.spec.clone(), b.spec.clone()], vec![other, b.spec.significant()]] {
        let error = root.reconfigure(wrong).await.unwrap_err();
        assert!(matches!(error, AdminError::Invalid(_)), "{error}");
        assert_eq!(listed(&root).await, [("a".to_owned(), true)]);
        a.crash().await;
    }
}

#[tokio::test(start_paused = true)]
async fn i88c_a_new_restart_type_counts_for_the_life_that_runs() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    root.reconfigure(vec![a.spec.clone().restart(Restart::Transient)]).await.unwrap();
    a.end(Msg::Stop(Exit::Normal)).await;
    settle().await;
    assert_eq!(listed(&root).await, [("a".to_owned(), false)]);
    assert_eq!(trace.take(), "start a, stop a");
}

const fn counts(specs: usize, active: usize) -> Counts {
    Counts { specs, active, supervisors: 0, workers: specs }
}
