//! Section F: while a child is being restarted.

use std::time::Duration;

use heights_supervisor::{
    AdminError, Backoff, CallError, ChildStatus, DynamicSupervisor, Report, Strategy, Supervisor,
    SupervisorRef,
};
use tokio::time::{Instant, advance};

use crate::support::{Msg, Probe, SECOND, Start, Trace, settle, start, within};

/// A supervisor whose child `a` waits ten seconds for its next start.
async fn waiting(strategy: Strategy, trace: &Trace) -> (SupervisorRef, Probe, Probe) {
    let (a, b) = (Probe::new(trace, "a"), Probe::new(trace, "b"));
    let backoff = Backoff::exponential(SECOND * 10, SECOND * 10);
    let builder = Supervisor::builder("root").strategy(strategy).backoff(backoff);
    let root = start(builder.child(a.spec.clone()).child(b.spec.clone())).await;
    a.panic().await;
    // Right away, before the supervisor knows.
    assert!(matches!(a.reference.call(Msg::Ping).await, Err(CallError::Restarting)));
    settle().await;
    trace.take();
    (root, a, b)
}

#[tokio::test(start_paused = true)]
async fn f53_a_failing_start_leaves_the_supervisor_responsive() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let builder = Supervisor::builder("root").intensity(1_000_000, SECOND);
    let root = start(builder.child(a.spec.clone())).await;
    a.next_starts(std::iter::repeat_n(Start::Fails("no"), 10_000));
    a.panic().await;
    settle().await;
    assert_eq!(root.which_children().await[0].status, ChildStatus::Restarting);
    within("the answer", root.terminate_child("a")).await.unwrap();
    assert_eq!(root.which_children().await[0].status, ChildStatus::Stopped);
    within("the stop", root.stop()).await;
}

#[tokio::test(start_paused = true)]
async fn f54_a_child_in_backoff_is_restarting_and_not_active() {
    let trace = Trace::default();
    let (root, a, _b) = waiting(Strategy::OneForOne, &trace).await;
    assert_eq!(root.which_children().await[0].status, ChildStatus::Restarting);
    assert_eq!(root.count_children().await.active, 1);
    assert!(matches!(a.reference.call(Msg::Ping).await, Err(CallError::Restarting)));
    let hub = root.hub().unwrap().snapshot();
    assert_eq!((&*hub.waiting[0].path, hub.waiting[0].remaining), ("root/a", SECOND * 10));
}

#[tokio::test(start_paused = true)]
async fn f55_a_child_in_backoff_is_neither_started_again_nor_deleted() {
    let trace = Trace::default();
    let (root, a, _b) = waiting(Strategy::OneForOne, &trace).await;
    let error = root.start_child(a.spec.clone()).await.unwrap_err();
    assert_eq!(error.to_string(), "already present");
    assert!(matches!(root.restart_child("a").await, Err(AdminError::Restarting)));
    assert!(matches!(root.delete_child("a").await, Err(AdminError::Restarting)));
    // None of that has disturbed the restart.
    a.running().await;
    assert_eq!(trace.take(), "start a");
}

#[tokio::test(start_paused = true)]
async fn f56_terminating_a_child_in_backoff_cancels_it_for_good() {
    let trace = Trace::default();
    let (root, a, _b) = waiting(Strategy::OneForOne, &trace).await;
    root.terminate_child("a").await.unwrap();
    assert!(root.hub().unwrap().snapshot().waiting.is_empty());
    assert!(matches!(a.reference.call(Msg::Ping).await, Err(CallError::NoProc)));
    advance(SECOND * 60).await;
    settle().await;
    assert_eq!(trace.take(), "");
    // A later start is not disturbed by the old timer either.
    root.restart_child("a").await.unwrap();
    advance(SECOND * 60).await;
    settle().await;
    assert_eq!(trace.take(), "start a");
}

#[tokio::test(start_paused = true)]
async fn f56b_a_timer_that_was_cancelled_does_not_fire_for_the_next_wait() {
    let trace = Trace::default();
    let (root, a, _b) = waiting(Strategy::OneForOne, &trace).await;
    advance(SECOND * 4).await;
    root.terminate_child("a").await.unwrap();
    root.restart_child("a").await.unwrap();
    let begin = Instant::now();
    a.panic().await;
    // The first timer would have fired after six more seconds.
    a.running().await;
    assert_eq!(begin.elapsed(), SECOND * 10);
    assert_eq!(trace.take(), "start a, crash a, start a");
}

#[tokio::test(start_paused = true)]
async fn f57_stopping_during_backoff_or_a_slow_start_is_prompt() {
    let trace = Trace::default();
    let (root, a, b) = waiting(Strategy::OneForOne, &trace).await;
    let begin = Instant::now();
    root.stop().await;
    assert_eq!((begin.elapsed(), &*trace.take()), (Duration::ZERO, "stop b"));
    for gone in [&a.reference, &b.reference] {
        assert!(matches!(gone.call(Msg::Ping).await, Err(CallError::NoProc)));
    }

    let (a, b) = (Probe::new(&trace, "a"), Probe::new(&trace, "b"));
    let builder = Supervisor::builder("root").child(a.spec.clone()).child(b.spec);
    let root = start(builder).await;
    a.next_starts([Start::Hangs]);
    a.panic().await;
    settle().await;
    let (begin, mut reports) = (Instant::now(), root.reports());
    within("the stop", root.stop()).await;
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert_eq!(trace.take(), "start a, start b, crash a, hang a, stop b");
    // A start that is broken off by the stop has not failed.
    let complaint = std::iter::from_fn(|| reports.try_recv().ok())
        .find(|report| matches!(report, Report::Supervisor(_)));
    assert!(complaint.is_none(), "{complaint:?}");
}

#[tokio::test(start_paused = true)]
async fn f58_with_rest_for_one_the_younger_ones_do_not_run_meanwhile() {
    let trace = Trace::default();
    let (root, _a, b) = waiting(Strategy::RestForOne, &trace).await;
    let statuses: Vec<ChildStatus> =
        root.which_children().await.into_iter().map(|child| child.status).collect();
    assert_eq!(statuses, [ChildStatus::Restarting, ChildStatus::Stopped]);
    assert!(matches!(b.reference.call(Msg::Ping).await, Err(CallError::Restarting)));
    b.running().await;
    assert_eq!(trace.take(), "start a, start b");
}

#[tokio::test(start_paused = true)]
async fn f58c_what_is_asked_of_others_meanwhile_is_no_news_of_the_younger_ones() {
    let trace = Trace::default();
    let (root, _a, b) = waiting(Strategy::RestForOne, &trace).await;
    let other = Probe::new(&trace, "other");
    root.start_child(other.spec.clone()).await.unwrap();
    root.terminate_child("other").await.unwrap();
    assert!(matches!(b.reference.call(Msg::Ping).await, Err(CallError::Restarting)));
    // New specs part the two, and yet they come back together.
    let [a_spec, b_spec] = [root.get_child_spec("a").await, root.get_child_spec("b").await];
    root.reconfigure(vec![b_spec.unwrap(), a_spec.unwrap()]).await.unwrap();
    assert!(matches!(b.reference.call(Msg::Ping).await, Err(CallError::Restarting)));
    b.running().await;
    settle().await;
    assert_eq!(trace.take(), "start other, stop other, start b, start a, start other");
}

#[tokio::test(start_paused = true)]
async fn f58b_a_dynamic_child_in_backoff_can_be_terminated() {
    let trace = Trace::default();
    let backoff = Backoff::exponential(SECOND, SECOND);
    let dynamic = DynamicSupervisor::builder("root").backoff(backoff).start().await.unwrap();
    let a = Probe::new(&trace, "a");
    let started = dynamic.start_child(a.spec.clone()).await.unwrap();
    a.panic().await;
    settle().await;
    assert_eq!(dynamic.which_children().await[0].status, ChildStatus::Restarting);
    assert_eq!(dynamic.count_children().await.active, 0);
    within("the answer", dynamic.terminate_child(&started.pid)).await.unwrap();
    advance(SECOND * 60).await;
    settle().await;
    assert_eq!(trace.take(), "start a, crash a");
    assert_eq!(dynamic.count_children().await.specs, 0);
}
