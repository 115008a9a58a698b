//! Section D: strategies and order.

use heights_supervisor::{Backoff, ChildSpec, Strategy, Supervisor, SupervisorRef};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::time::advance;

use crate::support::{Msg, Probe, SECOND, Start, Trace, settle, start, within};

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
async fn d35b_the_restarted_ones_do_not_run_until_the_whole_set_is_tried_again() {
    let trace = Trace::default();
    let probes = ["m", "a", "z"].map(|name| Probe::new(&trace, name));
    probes[1].next_starts([Start::Takes(SECOND), Start::Fails("once")]);
    let backoff = Backoff::exponential(SECOND * 10, SECOND * 60);
    let builder = Supervisor::builder("root").strategy(Strategy::OneForAll).backoff(backoff);
    let builder = probes.iter().fold(builder, |builder, probe| builder.child(probe.spec.clone()));
    let root = start(builder).await;
    probes[0].panic().await;
    advance(SECOND * 11).await;
    settle().await;
    // `m` had come up again, `a` had not.
    assert_eq!(root.count_children().await.active, 0);
    let expected = "start m, start a, start z, crash m, stop z, stop a, start m, fail a, stop m";
    assert_eq!(trace.take(), expected);
    probes[2].running().await;
    assert_eq!(trace.take(), "start m, start a, start z");
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
async fn d36b_a_coordinated_restart_also_starts_siblings_that_were_down() {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        let trace = Trace::default();
        let (root, probes) = family(strategy, &trace).await;
        root.terminate_child("z").await.unwrap();
        probes[0].crash().await;
        settle().await;
        let expected = "stop z, crash m, stop a, start m, start a, start z";
        assert_eq!(trace.take(), expected, "{strategy:?}");
    }
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

/// A plain actor that breaks every tie that it can find.
struct Hermit;

impl Actor for Hermit {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        myself.unlink(myself.get_cell());
        if let Some(supervisor) = myself.try_get_supervisor() {
            myself.unlink(supervisor);
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn d40_a_child_that_unlinks_itself_is_terminated_all_the_same() {
    let (spec, hermit) = ChildSpec::actor("hermit", || (Hermit, ()));
    let root = start(Supervisor::builder("root").child(spec)).await;
    let process = hermit.process().unwrap();
    within("the child to end", root.terminate_child("hermit")).await.unwrap();
    assert!(!process.is_alive());
    // Nor does it get away from a crash or the end of its supervisor.
    root.restart_child("hermit").await.unwrap();
    let life = hermit.process().unwrap();
    life.kill();
    life.gone().await;
    let life = within("the next life", hermit.running()).await;
    within("the stop", root.stop()).await;
    assert_eq!(life.get_status(), ractor::ActorStatus::Stopped);
}
