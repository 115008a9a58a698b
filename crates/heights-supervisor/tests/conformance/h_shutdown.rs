//! Section H: the shutdown protocol.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use heights_supervisor::{
    ChildSpec, DynamicSupervisor, Exit, Hub, Recipient, Report, Restart, Shutdown, Supervisor,
};
use tokio::time::Instant;

use crate::support::{Probe, SECOND, Stop, Trace, settle, start, within};

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
async fn h72_a_child_that_is_dead_already_does_not_hang_the_stop() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    a.process().kill();
    within("the stop", root.stop()).await;
    assert!(a.reference.current().is_none());
}

#[tokio::test]
async fn h73_a_child_that_never_yields_is_reported_as_a_zombie() {
    let release = Arc::new(AtomicBool::new(false));
    let stuck = Arc::clone(&release);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let zombies = runtime.spawn(async move {
        let spec = ChildSpec::task("stuck", move |_cx| {
            let stuck = Arc::clone(&stuck);
            async move {
                while !stuck.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
                Ok(())
            }
        });
        let (recipient, mut reports) = Recipient::<Report>::stream();
        let hub = Hub::new();
        hub.subscribe(recipient);
        let builder = Supervisor::builder("root").hub(hub);
        let spec = spec.shutdown(Shutdown::Brutal).kill_grace(Duration::from_millis(20));
        let root = start(builder.child(spec)).await;
        // Blocks its worker thread until it is released, so killing it has no effect.
        root.stop().await;
        let mut zombies = Vec::new();
        while let Ok(report) = reports.try_recv() {
            if let Report::Zombie(zombie) = report {
                zombies.push((zombie.path.to_string(), zombie.working.map(|now| now.label)));
            }
        }
        zombies
    });
    let zombies = zombies.await.unwrap();
    release.store(true, Ordering::SeqCst);
    runtime.shutdown_background();
    assert_eq!(zombies.first(), Some(&("root/stuck".to_owned(), Some("run"))));
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
async fn h75_stopping_a_process_from_outside_lets_its_supervisor_decide() {
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
