//! Section H: the shutdown protocol.

use std::time::Duration;

use heights_supervisor::{
    DynamicSupervisor, Exit, Hub, Recipient, Report, Restart, Shutdown, Strategy, Supervisor,
};
use tokio::time::Instant;

use crate::support::{Probe, SECOND, Start, Stop, Trace, settle, start, within};

const HOUR: Duration = Duration::from_secs(3600);

/// Stops a lone child; returns how it ended, how long that took, and what was reported.
async fn stop(shutdown: Shutdown, stop: Stop) -> (String, Duration, Vec<String>) {
    let trace = Trace::default();
    let a = Probe::stopping(&trace, "a", stop).with(|spec| spec.shutdown(shutdown));
    let (recipient, mut reports) = Recipient::<Report>::stream();
    let builder = Supervisor::builder("root").on_report(recipient).child(a.spec.clone());
    let root = start(builder).await;
    let (process, begin) = (a.process(), Instant::now());
    within("the stop", root.stop()).await;
    let exit = process.exit().unwrap().to_string();
    let mut said = Vec::new();
    while let Ok(report) = reports.try_recv() {
        if let Report::Supervisor(report) = report {
            said.push(format!("{}: {}", report.context, report.exit));
        }
    }
    (exit, begin.elapsed(), said)
}

#[tokio::test(start_paused = true)]
async fn h66_a_child_that_stops_in_time_terminated_well() {
    let (exit, took, said) = stop(Shutdown::Timeout(SECOND * 5), Stop::Takes(SECOND * 4)).await;
    assert_eq!((&*exit, took), ("shutdown: requested", SECOND * 4));
    assert!(said.is_empty());
}

#[tokio::test(start_paused = true)]
async fn h67_a_child_that_does_not_is_killed_at_the_limit_and_reported() {
    let (exit, took, said) = stop(Shutdown::Timeout(SECOND * 5), Stop::Takes(SECOND * 6)).await;
    assert_eq!((&*exit, took), ("killed", SECOND * 5));
    assert_eq!(said, ["shutdown error: killed"]);
}

#[tokio::test(start_paused = true)]
async fn h68_brutal_kills_at_once_without_terminate() {
    let (exit, took, said) = stop(Shutdown::Brutal, Stop::Takes(SECOND)).await;
    assert_eq!((&*exit, took), ("killed", Duration::ZERO));
    assert!(said.is_empty());
}

#[tokio::test(start_paused = true)]
async fn h69_infinity_waits_as_long_as_it_takes() {
    let (exit, took, said) = stop(Shutdown::Infinity, Stop::Takes(HOUR)).await;
    assert_eq!((&*exit, took), ("shutdown: requested", HOUR));
    assert!(said.is_empty());
}

#[tokio::test(start_paused = true)]
async fn h70_stop_returns_when_the_whole_subtree_is_gone() {
    let trace = Trace::default();
    let slow = Probe::stopping(&trace, "slow", Stop::Takes(SECOND * 3));
    let quick = Probe::new(&trace, "quick");
    let (dynamic, dynamic_ref) = DynamicSupervisor::builder("dynamic").child_spec();
    let (middle, _) = Supervisor::builder("middle").child(dynamic).child(quick.spec).child_spec();
    let hub = Hub::new();
    let root = start(Supervisor::builder("root").hub(hub.clone()).child(middle)).await;
    dynamic_ref.start_child(slow.spec).await.unwrap();
    root.stop().await;
    assert!(hub.snapshot().processes.is_empty());
    assert_eq!(trace.take(), "start quick, start slow, stop quick, stop slow");
}

#[tokio::test(start_paused = true)]
async fn h71_two_that_stop_both_get_the_result() {
    let trace = Trace::default();
    let slow = Probe::stopping(&trace, "slow", Stop::Takes(SECOND));
    let root = start(Supervisor::builder("root").child(slow.spec)).await;
    let (one, two) = tokio::join!(root.stop(), root.stop());
    assert_eq!((one.to_string(), two.to_string()), {
        let requested = "shutdown: requested".to_owned();
        (requested.clone(), requested)
    });
}

#[tokio::test(start_paused = true)]
async fn h72_a_child_that_dies_differently_while_stopping_is_reported() {
    let (exit, took, said) = stop(Shutdown::Infinity, Stop::Panics).await;
    assert!(exit.starts_with("panic: not even this"), "{exit}");
    assert_eq!(took, Duration::ZERO);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("shutdown error: panic: not even this"), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn h72b_a_child_that_is_dead_already_does_not_hang_the_stop() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    a.process().kill();
    within("the stop", root.stop()).await;
    assert!(a.reference.current().is_none());
}

#[tokio::test(start_paused = true)]
async fn h74_a_dynamic_supervisor_stops_its_children_side_by_side() {
    let trace = Trace::default();
    let dynamic = DynamicSupervisor::builder("root").start().await.unwrap();
    for name in ["a", "b", "c"] {
        let probe = Probe::stopping(&trace, name, Stop::Takes(SECOND * 3));
        dynamic.start_child(probe.spec).await.unwrap();
    }
    let begin = Instant::now();
    dynamic.stop().await;
    assert_eq!(begin.elapsed(), SECOND * 3);
    assert_eq!(trace.take(), "start a, start b, start c, stop a, stop b, stop c");
}

#[tokio::test(start_paused = true)]
async fn h75_killing_a_supervisor_kills_its_subtree_and_the_parent_restarts_it() {
    let trace = Trace::default();
    let leaf = Probe::stopping(&trace, "leaf", Stop::Takes(SECOND));
    let (inner, _) = Supervisor::builder("inner").child(leaf.spec.clone()).child_spec();
    let (middle, middle_ref) = Supervisor::builder("middle").child(inner).child_spec();
    let root = start(Supervisor::builder("root").child(middle)).await;
    let (process, old_leaf) = (middle_ref.process().unwrap(), leaf.process());
    assert!(root.hub().unwrap().kill(process.pid()));
    assert!(matches!(process.gone().await, Exit::Killed));
    // All below it is gone by then, without terminate, and only then the next life begins.
    assert!(!old_leaf.is_alive());
    assert!(matches!(old_leaf.exit(), Some(Exit::Killed)));
    leaf.running().await;
    assert_eq!(trace.take(), "start leaf, start leaf");
}

#[tokio::test(start_paused = true)]
async fn h75b_stopping_a_process_from_outside_lets_its_supervisor_decide() {
    let trace = Trace::default();
    let permanent = Probe::new(&trace, "permanent");
    let transient = Probe::new(&trace, "transient").with(|spec| spec.restart(Restart::Transient));
    let builder = Supervisor::builder("root").child(permanent.spec.clone());
    let root = start(builder.child(transient.spec.clone())).await;
    let hub = root.hub().unwrap();
    for probe in [&permanent, &transient] {
        let process = probe.process();
        assert!(hub.stop(process.pid()));
        process.gone().await;
        assert!(!hub.stop(process.pid()));
    }
    settle().await;
    let expected = "start permanent, start transient, stop permanent, stop transient, \
                    start permanent";
    // The restart may come before the second stop.
    let (mut happened, mut expected): (Vec<_>, Vec<_>) =
        (trace.take().split(", ").map(str::to_owned).collect(), expected.split(", ").collect());
    happened.sort();
    expected.sort_unstable();
    assert_eq!(happened, expected);
}

#[test]
fn h76_dropping_the_runtime_in_the_middle_never_panics() {
    let trace = Trace::default();
    let slow = Probe::stopping(&trace, "slow", Stop::Takes(SECOND));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.unwrap();
    runtime.block_on(async {
        let root = start(Supervisor::builder("root").child(slow.spec.clone())).await;
        root.process().unwrap().stop();
        settle().await;
    });
    let owner = slow.process().owner().clone();
    drop(runtime);
    assert!(!owner.is_alive());
}

#[tokio::test(start_paused = true)]
async fn h70b_a_nested_supervisor_that_is_still_starting_stops_in_order() {
    let trace = Trace::default();
    let [a, b] = ["a", "b"].map(|name| Probe::new(&trace, name));
    b.next_starts([Start::Hangs]);
    let builder = Supervisor::builder("inner").child(a.spec).child(b.spec);
    let (inner, _) = builder.child_spec();
    let process = {
        let hub = Hub::new();
        let starting = Supervisor::builder("root").hub(hub.clone()).child(inner).start();
        let stopping = async {
            settle().await;
            let root = hub.find("root").unwrap();
            root.stop();
            root
        };
        let (started, process) = tokio::join!(starting, stopping);
        let error = started.unwrap_err().to_string();
        assert!(error.starts_with("child inner did not start"), "{error}");
        process
    };
    assert!(!process.is_alive());
    assert_eq!(trace.take(), "start a, hang b, stop a");
}

/// Kills and crashes all over a tree, then stops it: everything comes back, and then all is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn h75c_a_tree_survives_killing_at_random_and_stops_completely() {
    let trace = Trace::default();
    let hub = Hub::new();
    let mut builder = Supervisor::builder("root").hub(hub.clone()).intensity(100_000, SECOND);
    let mut leaves = Vec::new();
    for name in ["one", "two", "three"] {
        let strategy = match name {
            "one" => Strategy::OneForOne,
            "two" => Strategy::OneForAll,
            _ => Strategy::RestForOne,
        };
        let mut middle = Supervisor::builder(name).strategy(strategy).intensity(100_000, SECOND);
        for leaf in ["a", "b", "c"].map(|leaf| Probe::new(&trace, leaf)) {
            middle = middle.child(leaf.spec.clone());
            leaves.push(leaf);
        }
        builder = builder.child(middle.child_spec().0);
    }
    let root = start(builder).await;
    let mut dice: usize = 7;
    for _ in 0..400 {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let below: Vec<_> = hub.snapshot().processes.into_iter().skip(1).collect();
        if let Some(victim) = below.get((dice >> 33) % below.len().max(1)) {
            hub.kill(victim.pid);
        }
        tokio::task::yield_now().await;
    }
    for leaf in &leaves {
        leaf.running().await;
    }
    within("the stop", root.stop()).await;
    assert!(hub.snapshot().processes.is_empty());
}
