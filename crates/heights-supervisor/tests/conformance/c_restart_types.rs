//! Section C: restart types.

use std::sync::Arc;

use heights_supervisor::{
    ChildSpec, DynamicSupervisor, Exit, Restart, Strategy, Supervisor, SupervisorRef,
};

use crate::support::{Msg, Probe, SECOND, Trace, settle, start};

/// The ways a child ends by itself, and being killed.
const EXITS: [&str; 6] = ["normal", "shutdown", "shutdown(x)", "error", "panic", "killed"];

async fn end(probe: &Probe, how: &str) -> Exit {
    match how {
        "normal" => probe.end(Msg::Stop(Exit::Normal)).await,
        "shutdown" => {
            let process = probe.process();
            process.stop();
            process.gone().await
        }
        "shutdown(x)" => probe.end(Msg::Stop(Exit::shutdown("x"))).await,
        "error" => probe.end(Msg::Fault("no")).await,
        "panic" => probe.panic().await,
        _ => {
            let process = probe.process();
            process.kill();
            process.gone().await
        }
    }
}

async fn lone(restart: Restart) -> (SupervisorRef, Probe) {
    let probe = Probe::new(&Trace::default(), "a").with(|spec| spec.restart(restart));
    let builder = Supervisor::builder("root").intensity(100, SECOND);
    (start(builder.child(probe.spec.clone())).await, probe)
}

/// Tells for each exit whether the child runs afterwards, and how many specs are left.
async fn table(restart: Restart) -> Vec<(&'static str, bool, usize)> {
    let mut rows = Vec::new();
    for how in EXITS {
        let (root, probe) = lone(restart).await;
        end(&probe, how).await;
        settle().await;
        assert!(root.process().is_some(), "after {how} the supervisor goes on");
        let counts = root.count_children().await;
        rows.push((how, counts.active == 1, counts.specs));
    }
    rows
}

#[tokio::test(start_paused = true)]
async fn c23_permanent_is_always_restarted() {
    assert_eq!(table(Restart::Permanent).await, EXITS.map(|how| (how, true, 1)));
}

#[tokio::test(start_paused = true)]
async fn c24_transient_is_restarted_after_abnormal_exits_only() {
    let abnormal = ["error", "panic", "killed"];
    let expected = EXITS.map(|how| (how, abnormal.contains(&how), 1));
    assert_eq!(table(Restart::Transient).await, expected);
}

#[tokio::test(start_paused = true)]
async fn c25_temporary_is_never_restarted_and_its_spec_goes() {
    assert_eq!(table(Restart::Temporary).await, EXITS.map(|how| (how, false, 0)));
}

#[tokio::test(start_paused = true)]
async fn c24b_the_exits_are_typed() {
    let mut exits = Vec::new();
    for how in EXITS {
        let (_root, probe) = lone(Restart::Temporary).await;
        let text = end(&probe, how).await.to_string();
        exits.push(text.split(" at ").next().unwrap().to_owned());
    }
    let expected =
        ["normal", "shutdown: requested", "shutdown: x", "error: no", "panic: boom", "killed"];
    assert_eq!(exits, expected);
}

#[tokio::test(start_paused = true)]
async fn c26_a_transient_that_ended_normally_can_be_started_again() {
    let (root, probe) = lone(Restart::Transient).await;
    probe.end(Msg::Stop(Exit::Normal)).await;
    settle().await;
    assert!(probe.reference.current().is_none());
    let started = root.restart_child("a").await.unwrap();
    assert_eq!(probe.process().pid(), started.pid);
}

#[tokio::test(start_paused = true)]
async fn c27_a_temporary_bystander_is_not_restarted() {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        let trace = Trace::default();
        let (a, b) = (Probe::new(&trace, "a"), Probe::new(&trace, "b"));
        let temporary = b.spec.clone().restart(Restart::Temporary);
        let builder = Supervisor::builder("root").strategy(strategy);
        let root = start(builder.child(a.spec.clone()).child(temporary)).await;
        a.crash().await;
        assert_eq!(trace.take(), "start a, start b, crash a, stop b, start a");
        assert_eq!(root.count_children().await.specs, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn c28_what_a_temporary_child_was_started_with_is_not_kept() {
    let spec = |restart| {
        let arguments = Arc::new("large");
        let kept = Arc::downgrade(&arguments);
        let spec = ChildSpec::task("a", move |cx| {
            assert_eq!(*arguments, "large");
            async move {
                cx.shutdown().await;
                Ok(())
            }
        });
        (spec.restart(restart), kept)
    };
    let root = start(Supervisor::builder("root")).await;
    let dynamic = DynamicSupervisor::builder("dynamic").start().await.unwrap();
    for (restart, expected) in [(Restart::Temporary, false), (Restart::Transient, true)] {
        let (ours, kept) = spec(restart);
        root.start_child(ours).await.unwrap();
        let (theirs, also_kept) = spec(restart);
        dynamic.start_child(theirs).await.unwrap();
        settle().await;
        let kept = [kept, also_kept].map(|arguments| arguments.strong_count() > 0);
        assert_eq!(kept, [expected; 2], "{restart:?}");
        root.terminate_child("a").await.unwrap();
        if restart == Restart::Transient {
            root.delete_child("a").await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn c29_a_permanent_childs_normal_exit_is_reported_a_transients_is_not() {
    for (restart, expected) in [
        (Restart::Permanent, "root: child terminated: a: normal"),
        (Restart::Transient, "root: a left: normal"),
    ] {
        let (root, probe) = lone(restart).await;
        let mut reports = root.reports();
        probe.end(Msg::Stop(Exit::Normal)).await;
        settle().await;
        assert_eq!(reports.recv().await.unwrap().to_string(), expected);
    }
}
