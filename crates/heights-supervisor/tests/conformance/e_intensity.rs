//! Section E: intensity and escalation.

use std::time::Duration;

use heights_supervisor::{
    Backoff, CallError, DynamicSupervisor, GiveUp, Process, Restart, Strategy, Supervisor,
};
use tokio::time::{Instant, advance};

use crate::support::{Msg, Probe, SECOND, Start, Trace, settle, start, within};

const GAVE_UP: &str = "shutdown: reached max intensity";

/// Waits for the end of a supervisor, and says how it ended.
async fn ended(supervisor: &Process) -> String {
    within("the supervisor to end", supervisor.gone()).await.to_string()
}

#[tokio::test(start_paused = true)]
async fn e43_one_restart_too_many_escalates() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let root = start(Supervisor::builder("root").intensity(2, SECOND).child(a.spec.clone())).await;
    let process = root.process().unwrap();
    a.crash().await;
    a.crash().await;
    a.panic().await;
    assert_eq!(ended(&process).await, GAVE_UP);
    assert_eq!(trace.take(), "start a, crash a, start a, crash a, start a, crash a");
}

#[tokio::test(start_paused = true)]
async fn e44_slower_than_the_period_never_escalates() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let builder = Supervisor::builder("root").intensity(1, SECOND);
    let root = start(builder.child(a.spec.clone())).await;
    for _ in 0..100 {
        a.crash().await;
        advance(SECOND + Duration::from_millis(1)).await;
    }
    assert_eq!(root.count_children().await.active, 1);
}

#[tokio::test(start_paused = true)]
async fn e45_a_restart_exactly_one_period_old_counts() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let builder = Supervisor::builder("root").intensity(1, SECOND);
    let root = start(builder.child(a.spec.clone())).await;
    let process = root.process().unwrap();
    a.crash().await;
    advance(SECOND).await;
    a.panic().await;
    assert_eq!(ended(&process).await, GAVE_UP);
}

#[tokio::test(start_paused = true)]
async fn e46_each_failed_start_counts() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let root = start(Supervisor::builder("root").intensity(3, SECOND).child(a.spec.clone())).await;
    let process = root.process().unwrap();
    a.next_starts([Start::Fails("1"), Start::Fails("2"), Start::Fails("3")]);
    a.panic().await;
    // The crash and two failed starts are allowed; the third failed start is one too many.
    assert_eq!(ended(&process).await, GAVE_UP);
    assert_eq!(trace.take(), "start a, crash a, fail a, fail a, fail a");
}

#[tokio::test(start_paused = true)]
async fn e47_escalation_stops_all_children_in_reverse_first() {
    let trace = Trace::default();
    let [a, b, c] = ["a", "b", "c"].map(|name| Probe::new(&trace, name));
    let builder = Supervisor::builder("root").intensity(0, SECOND);
    let builder = builder.child(a.spec).child(b.spec.clone()).child(c.spec);
    let root = start(builder).await;
    let process = root.process().unwrap();
    b.panic().await;
    ended(&process).await;
    assert_eq!(trace.take(), "start a, start b, start c, crash b, stop c, stop a");
}

/// Crashes a leaf below a supervisor that takes no restarts; tells what the root does.
async fn escalate(restart: Restart) -> (String, usize) {
    let trace = Trace::default();
    let leaf = Probe::new(&trace, "leaf");
    let builder = Supervisor::builder("middle").intensity(0, SECOND).child(leaf.spec.clone());
    let (middle, middle_ref) = builder.child_spec();
    let root = start(Supervisor::builder("root").child(middle.restart(restart))).await;
    let process = middle_ref.process().unwrap();
    leaf.panic().await;
    assert_eq!(ended(&process).await, GAVE_UP);
    settle().await;
    (trace.take(), root.count_children().await.active)
}

#[tokio::test(start_paused = true)]
async fn e48_a_permanent_supervisor_that_gave_up_is_restarted_a_transient_one_is_not() {
    let (trace, active) = escalate(Restart::Permanent).await;
    assert_eq!((&*trace, active), ("start leaf, crash leaf, start leaf", 1));
    let (trace, active) = escalate(Restart::Transient).await;
    assert_eq!((&*trace, active), ("start leaf, crash leaf", 0));
}

#[tokio::test(start_paused = true)]
async fn e48b_the_one_that_stays_down_is_reported() {
    let trace = Trace::default();
    let leaf = Probe::new(&trace, "leaf");
    let builder = Supervisor::builder("middle").intensity(0, SECOND).child(leaf.spec.clone());
    let (middle, _) = builder.child_spec();
    let root = start(Supervisor::builder("root").child(middle.restart(Restart::Transient))).await;
    let mut reports = root.reports();
    leaf.panic().await;
    settle().await;
    let report = reports.recv().await.unwrap();
    assert_eq!(report.to_string(), "root: middle left: shutdown: reached max intensity");
}

#[tokio::test(start_paused = true)]
async fn e49_escalation_climbs_with_the_right_counts() {
    let trace = Trace::default();
    let leaf = Probe::new(&trace, "leaf");
    let builder = Supervisor::builder("middle").intensity(1, SECOND).child(leaf.spec.clone());
    let (middle, _) = builder.child_spec();
    let root = start(Supervisor::builder("root").intensity(1, SECOND).child(middle)).await;
    let process = root.process().unwrap();
    for _ in 0..3 {
        // The second crash of each life of the middle one takes it down.
        leaf.crash().await;
    }
    leaf.panic().await;
    assert_eq!(ended(&process).await, GAVE_UP);
    assert_eq!(trace.take().matches("start leaf").count(), 4);
}

#[tokio::test(start_paused = true)]
async fn e50_a_restarted_supervisor_has_its_static_children_only() {
    let trace = Trace::default();
    let (fixed, added) = (Probe::new(&trace, "fixed"), Probe::new(&trace, "added"));
    let (middle, middle_ref) = Supervisor::builder("middle").child(fixed.spec.clone()).child_spec();
    let _root = start(Supervisor::builder("root").child(middle)).await;
    middle_ref.start_child(added.spec.clone()).await.unwrap();
    let process = middle_ref.process().unwrap();
    process.kill();
    within("the end", process.gone()).await;
    fixed.running().await;
    settle().await;
    let ids: Vec<String> =
        middle_ref.which_children().await.iter().map(|child| child.id.to_string()).collect();
    assert_eq!(ids, ["fixed"]);
    assert!(added.reference.current().is_none());
}

/// A probe that may be restarted once, beside one that may be as often as the supervisor allows.
fn limited(trace: &Trace, then: GiveUp) -> [Probe; 2] {
    let limited = Probe::new(trace, "limited");
    let limited = limited.with(|spec| spec.restart_limit(1, SECOND * 60, then));
    [limited, Probe::new(trace, "other")]
}

#[tokio::test(start_paused = true)]
async fn e51_a_child_with_a_limit_of_its_own_is_given_up_and_its_siblings_go_on() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        let trace = Trace::default();
        let [a, other] = limited(&trace, GiveUp::RemoveChild);
        let builder = Supervisor::builder("root").strategy(strategy).intensity(100, SECOND);
        let root = start(builder.child(a.spec.clone()).child(other.spec.clone())).await;
        a.crash().await;
        other.crash().await;
        other.crash().await;
        a.running().await;
        let life = other.process();
        let mut reports = root.reports();
        a.panic().await;
        settle().await;
        assert_eq!(other.process(), life, "{strategy:?}");
        let counts = root.count_children().await;
        assert_eq!((counts.specs, counts.active), (1, 1), "{strategy:?}");
        let call = a.reference.call(Msg::Ping).await;
        assert!(matches!(call, Err(CallError::NoProc)), "{call:?}");
        let said: Vec<String> = std::iter::from_fn(|| reports.try_recv().ok())
            .map(|report| report.to_string())
            .collect();
        assert!(said[0].starts_with("root: child terminated: limited: panic: boom"), "{said:?}");
        assert!(said[1].starts_with("root: limited left: panic: boom"), "{said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn e51b_a_limit_may_escalate_long_before_the_supervisors_own() {
    let trace = Trace::default();
    let [a, other] = limited(&trace, GiveUp::Escalate);
    let builder = Supervisor::builder("root").intensity(100, SECOND * 60);
    let root = start(builder.child(a.spec.clone()).child(other.spec)).await;
    let process = root.process().unwrap();
    a.crash().await;
    a.panic().await;
    assert_eq!(ended(&process).await, GAVE_UP);
}

#[tokio::test(start_paused = true)]
async fn e51c_failed_starts_count_and_the_limit_is_forgotten_with_the_spec() {
    let trace = Trace::default();
    let [a, other] = limited(&trace, GiveUp::RemoveChild);
    let root = start(Supervisor::builder("root").child(other.spec).child(a.spec.clone())).await;
    a.next_starts([Start::Fails("no")]);
    a.panic().await;
    settle().await;
    assert_eq!(root.count_children().await.specs, 1);
    assert_eq!(trace.take(), "start other, start limited, crash limited, fail limited");
    root.start_child(a.spec.clone()).await.unwrap();
    a.crash().await;
    assert_eq!(root.count_children().await.active, 2);
}

#[tokio::test(start_paused = true)]
async fn e51d_a_dynamic_supervisor_gives_up_on_one_child_too() {
    let trace = Trace::default();
    let [a, other] = limited(&trace, GiveUp::RemoveChild);
    let root = DynamicSupervisor::builder("root").start().await.unwrap();
    root.start_child(a.spec.clone()).await.unwrap();
    root.start_child(other.spec.clone()).await.unwrap();
    a.crash().await;
    a.panic().await;
    settle().await;
    let left = root.which_children().await;
    assert_eq!((left.len(), left[0].id.as_str()), (1, "other"));
}

#[tokio::test(start_paused = true)]
async fn e52_backoff_grows_and_starts_over_after_a_healthy_run() {
    let trace = Trace::default();
    let backoff = Backoff::exponential(SECOND, SECOND * 8).reset_after(SECOND * 60);
    let a = Probe::new(&trace, "a").with(|spec| spec.backoff(backoff));
    let builder = Supervisor::builder("root").intensity(100, SECOND);
    let _root = start(builder.child(a.spec.clone())).await;
    let mut delays = Vec::new();
    for round in 0..6 {
        if round == 5 {
            advance(SECOND * 60).await;
        }
        let begin = Instant::now();
        a.crash().await;
        delays.push(begin.elapsed().as_millis() / 1000);
    }
    assert_eq!(delays, [1, 2, 4, 8, 8, 1]);
}

#[tokio::test(start_paused = true)]
async fn e52b_intensity_still_applies_with_backoff() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let backoff = Backoff::exponential(SECOND, SECOND);
    let builder = Supervisor::builder("root").backoff(backoff).intensity(2, SECOND * 60);
    let root = start(builder.child(a.spec.clone())).await;
    let process = root.process().unwrap();
    a.crash().await;
    a.crash().await;
    a.panic().await;
    assert_eq!(ended(&process).await, GAVE_UP);
}

#[tokio::test(start_paused = true)]
async fn e52c_jitter_shortens_each_delay_by_at_most_its_share() {
    let trace = Trace::default();
    let backoff = Backoff::exponential(SECOND * 8, SECOND * 8).jitter(0.5);
    let a = Probe::new(&trace, "a");
    let builder = Supervisor::builder("root").backoff(backoff).intensity(100, SECOND);
    let _root = start(builder.child(a.spec.clone())).await;
    let mut delays = Vec::new();
    for _ in 0..20 {
        let begin = Instant::now();
        a.crash().await;
        delays.push(begin.elapsed());
    }
    assert!(delays.iter().all(|delay| (SECOND * 4..=SECOND * 8).contains(delay)), "{delays:?}");
    delays.sort();
    delays.dedup();
    assert!(delays.len() > 10, "{delays:?}");
}

#[tokio::test(start_paused = true)]
async fn e52d_a_run_that_was_not_healthy_does_not_reset_the_delay() {
    let trace = Trace::default();
    let backoff = Backoff::exponential(SECOND, SECOND * 64).reset_after(SECOND * 60);
    let a = Probe::new(&trace, "a").with(|spec| spec.backoff(backoff));
    let builder = Supervisor::builder("root").intensity(100, SECOND);
    let _root = start(builder.child(a.spec.clone())).await;
    let mut delays = Vec::new();
    for ran_for in [0, 59, 60, 0] {
        advance(SECOND * ran_for).await;
        let begin = Instant::now();
        a.crash().await;
        delays.push(begin.elapsed().as_millis() / 1000);
    }
    assert_eq!(delays, [1, 2, 1, 2]);
}
