//! Section D: strategies and order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use heights_supervisor::{
    ChildSpec, Context, Fault, Flow, Server, Strategy, Supervisor, SupervisorRef,
};

use crate::support::{Msg, Probe, SECOND, Start, Trace, settle, start};

/// Ids that do not sort in start order.
const NAMES: [&str; 3] = ["m", "a", "z"];

async fn family(strategy: Strategy, trace: &Trace) -> (SupervisorRef, [Probe; 3]) {
    let probes = NAMES.map(|name| Probe::new(trace, name));
    let mut builder = Supervisor::builder("root").strategy(strategy);
    for probe in &probes {
        builder = builder.child(probe.spec.clone());
    }
    let root = start(builder).await;
    assert_eq!(trace.take(), "start m, start a, start z");
    (root, probes)
}

/// Crashes the middle child; returns what happened and which children have a new life.
async fn crash_middle(strategy: Strategy) -> (String, [bool; 3]) {
    let trace = Trace::default();
    let (_root, probes) = family(strategy, &trace).await;
    let before = probes.each_ref().map(|probe| probe.process().pid());
    probes[1].crash().await;
    settle().await;
    let after = probes.each_ref().map(|probe| probe.process().pid());
    (trace.take(), [0, 1, 2].map(|at| before[at] != after[at]))
}

#[tokio::test(start_paused = true)]
async fn d30_one_for_one_leaves_the_siblings_alone() {
    let (trace, renewed) = crash_middle(Strategy::OneForOne).await;
    assert_eq!(trace, "crash a, start a");
    assert_eq!(renewed, [false, true, false]);
}

#[tokio::test(start_paused = true)]
async fn d31_one_for_all_stops_all_in_reverse_and_starts_all_in_order() {
    let (trace, renewed) = crash_middle(Strategy::OneForAll).await;
    assert_eq!(trace, "crash a, stop z, stop m, start m, start a, start z");
    assert_eq!(renewed, [true, true, true]);
}

#[tokio::test(start_paused = true)]
async fn d32_rest_for_one_takes_the_younger_ones_along() {
    let (trace, renewed) = crash_middle(Strategy::RestForOne).await;
    assert_eq!(trace, "crash a, stop z, start a, start z");
    assert_eq!(renewed, [false, true, true]);
}

#[tokio::test(start_paused = true)]
async fn d33_children_stop_in_reverse_and_start_in_order() {
    let expected = "crash m, stop z, stop a, start m, start a, start z";
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        let trace = Trace::default();
        let (_root, probes) = family(strategy, &trace).await;
        probes[0].crash().await;
        settle().await;
        assert_eq!(trace.take(), expected, "{strategy:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn d34_restarted_children_keep_their_place() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        let trace = Trace::default();
        let (root, probes) = family(strategy, &trace).await;
        probes[0].crash().await;
        settle().await;
        trace.take();
        root.stop().await;
        assert_eq!(trace.take(), "stop z, stop a, stop m", "{strategy:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn d35_a_failing_sibling_start_restarts_the_whole_set() {
    let trace = Trace::default();
    let (_root, probes) = family(Strategy::OneForAll, &trace).await;
    probes[1].next_starts([Start::Fails("once")]);
    probes[0].crash().await;
    settle().await;
    let expected = "crash m, stop z, stop a, start m, fail a, stop m, start m, start a, start z";
    assert_eq!(trace.take(), expected);
}

#[tokio::test(start_paused = true)]
async fn d36_rest_for_one_retries_from_the_failing_one() {
    let trace = Trace::default();
    let (_root, probes) = family(Strategy::RestForOne, &trace).await;
    probes[1].next_starts([Start::Fails("once")]);
    probes[0].crash().await;
    settle().await;
    assert_eq!(trace.take(), "crash m, stop z, stop a, start m, fail a, start a, start z");
}

#[tokio::test(start_paused = true)]
async fn d37_an_added_child_is_the_youngest() {
    let trace = Trace::default();
    let (root, probes) = family(Strategy::RestForOne, &trace).await;
    let late = Probe::new(&trace, "late");
    root.start_child(late.spec.clone()).await.unwrap();
    probes[2].crash().await;
    settle().await;
    assert_eq!(trace.take(), "start late, crash z, stop late, start z, start late");
}

#[tokio::test(start_paused = true)]
async fn d38_two_crashes_at_once_are_one_restart() {
    let trace = Trace::default();
    let (root, probes) = family(Strategy::OneForAll, &trace).await;
    let lives = probes.each_ref().map(Probe::process);
    probes[0].reference.cast(Msg::Panic("one")).unwrap();
    probes[2].reference.cast(Msg::Panic("two")).unwrap();
    for life in lives {
        life.gone().await;
    }
    settle().await;
    let happened = trace.take();
    assert!(happened.ends_with("stop a, start m, start a, start z"), "{happened}");
    assert_eq!(happened.matches("start").count(), 3, "{happened}");
    let shape = root.tree().unwrap().processes[0].shape.unwrap();
    assert_eq!(shape.restarts_used, 1);
}

#[tokio::test(start_paused = true)]
async fn d39_a_stale_exit_never_restarts() {
    let trace = Trace::default();
    let (root, probes) = family(Strategy::OneForOne, &trace).await;
    // The exit of this life is on its way while the child is terminated and started again.
    probes[1].process().kill();
    root.terminate_child("a").await.unwrap();
    root.restart_child("a").await.unwrap();
    settle().await;
    assert_eq!(trace.take(), "start a");
    assert_eq!(root.count_children().await.active, 3);
}

/// Holds what only one may hold, and takes its time to let go.
struct Holder(Arc<AtomicBool>);

impl Server for Holder {
    type Args = (Arc<AtomicBool>, Arc<AtomicUsize>);
    type Msg = ();

    async fn init(args: Self::Args, _cx: &mut Context<()>) -> Result<Self, Fault> {
        let (lock, lives) = args;
        if lock.swap(true, Ordering::SeqCst) {
            return Err("the lock is held".into());
        }
        lives.fetch_add(1, Ordering::SeqCst);
        Ok(Self(lock))
    }

    async fn handle(&mut self, (): (), _cx: &mut Context<()>) -> Result<Flow, Fault> {
        Err("broken".into())
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // Others run meanwhile, if there are any that could see this too early.
        let busy = std::time::Instant::now();
        while busy.elapsed() < std::time::Duration::from_millis(2) {
            std::thread::yield_now();
        }
        self.0.store(false, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d41_the_old_state_is_gone_before_the_next_life() {
    let (lock, lives) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let args = (lock, Arc::clone(&lives));
    let (spec, holder) = ChildSpec::server::<Holder>("holder", move || args.clone());
    let root = start(Supervisor::builder("root").intensity(1000, SECOND).child(spec)).await;
    let mut failures = root.reports();
    for round in 0..60 {
        let life = holder.running().await;
        if round % 2 == 0 {
            life.cast(()).unwrap();
        } else {
            life.process().kill();
        }
        life.process().gone().await;
    }
    holder.running().await;
    assert_eq!(lives.load(Ordering::SeqCst), 61);
    while let Ok(report) = failures.try_recv() {
        let text = report.to_string();
        assert!(!text.contains("start error"), "{text}");
    }
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn d42_descendants_are_gone_before_a_middle_supervisor_is_restarted() {
    let lock = Arc::new(AtomicBool::new(false));
    let lives = Arc::new(AtomicUsize::new(0));
    let args = (lock, Arc::clone(&lives));
    let (leaf, holder) = ChildSpec::server::<Holder>("leaf", move || args.clone());
    let (middle, middle_ref) = Supervisor::builder("middle").child(leaf).child_spec();
    let root = start(Supervisor::builder("root").intensity(100, SECOND).child(middle)).await;
    let mut reports = root.reports();
    for _ in 0..20 {
        let process = middle_ref.process().unwrap();
        process.kill();
        process.gone().await;
        holder.running().await;
        settle().await;
    }
    assert_eq!(lives.load(Ordering::SeqCst), 21);
    while let Ok(report) = reports.try_recv() {
        assert!(!report.to_string().contains("start error"), "{report}");
    }
}
