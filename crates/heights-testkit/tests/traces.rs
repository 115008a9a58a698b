//! Whole trees, told by their traces.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::time::Duration;

use heights::prelude::*;
use heights::{CallError, Report};
use heights_testkit::{Actor, FaultPlan, Probe, Trace, eventually};

/// Starts elder, middle and younger, fails middle by plan at its first step, and stops the tree.
async fn fail_the_middle(strategy: Strategy, faults: FaultPlan) -> Vec<String> {
    let (trace, quiet) = (Trace::new(), FaultPlan::new());
    let (elder, _) = trace.child("elder", &quiet);
    let (middle, middle_ref) = trace.child("middle", &faults);
    let (younger, _) = trace.child("younger", &quiet);
    let root = Supervisor::builder("root").strategy(strategy);
    let root = root.child(elder).child(middle).child(younger).start().await.unwrap();
    assert_eq!(trace.take(), ["+elder", "+middle", "+younger"]);
    assert!(matches!(middle_ref.call(Actor::Step).await, Err(CallError::Down(_))));
    eventually("the middle child to answer again", async || {
        middle_ref.call(Actor::Step).await.ok()
    })
    .await;
    let restart = trace.take();
    root.stop().await;
    assert_eq!(trace.take(), ["-younger shutdown", "-middle shutdown", "-elder shutdown"]);
    restart
}

#[tokio::test(start_paused = true)]
async fn each_strategy_leaves_its_own_trace() {
    let panic = || FaultPlan::new().panic_at(1);
    assert_eq!(fail_the_middle(Strategy::OneForOne, panic()).await, ["-middle panic", "+middle"]);
    let rest = ["-middle panic", "-younger shutdown", "+middle", "+younger"];
    assert_eq!(fail_the_middle(Strategy::RestForOne, panic()).await, rest);
    let all =
        ["-middle error", "-younger shutdown", "-elder shutdown", "+elder", "+middle", "+younger"];
    assert_eq!(fail_the_middle(Strategy::OneForAll, FaultPlan::new().fail_at(1)).await, all);
}

/// A start that fails, one that hangs until its start timeout, and a stop that takes too long, so
/// that nothing is heard of it.
#[tokio::test(start_paused = true)]
async fn a_trace_as_text_says_when() {
    let (trace, quiet) = (Trace::new(), FaultPlan::new());
    let faults = FaultPlan::new().fail_at(1).fail_start(2).hang_start(3);
    let (moody, moody_ref) = trace.child("moody", &faults);
    let (slow, _) = trace.child("slow", &FaultPlan::new().slow_stop(Duration::from_secs(9)));
    let (calm, _) = trace.child("calm", &quiet);
    let moody = moody.start_timeout(Duration::from_secs(2));
    let root = Supervisor::builder("root").child(calm).child(slow).child(moody);
    let root = root.start().await.unwrap();
    assert!(moody_ref.call(Actor::Step).await.is_err());
    eventually("the third attempt", async || moody_ref.call(Actor::Step).await.ok()).await;
    root.stop().await;
    trace.note("stopped");
    insta::assert_snapshot!(trace.take_text(), @r"
        0.000  +calm
        0.000  +slow
        0.000  +moody
        0.000  -moody error
        2.000  +moody
        2.002  -moody shutdown
        7.002  -calm shutdown
        7.002  stopped
    ");
}

#[tokio::test(start_paused = true)]
async fn a_probe_hears_the_reports_of_a_tree() {
    let (trace, mut probe) = (Trace::new(), Probe::new());
    let faults = FaultPlan::new().panic_at(2);
    let (child, child_ref) = trace.child("child", &faults);
    let root = Supervisor::builder("root")
        .on_report(probe.recipient())
        .child(child)
        .start()
        .await
        .unwrap();
    child_ref.call(Actor::Step).await.unwrap();
    assert!(child_ref.call(Actor::Step).await.is_err());
    let exit = probe
        .find("the report of the crash", |report| match report {
            Report::Supervisor(report) => Some(report.exit.to_string()),
            _ => None,
        })
        .await;
    assert!(exit.contains("planned panic at step 2"), "{exit}");
    let progress = probe.next("the restart").await;
    assert!(matches!(progress, Report::Progress(progress) if progress.incarnation == 2));
    assert_eq!(faults.steps(), 2);
    root.stop().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "waited in vain for something that never comes")]
async fn a_probe_says_what_it_waited_for() {
    Probe::<()>::new().next("something that never comes").await;
}
