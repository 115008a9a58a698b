//! Section C: restart types.

use heights_supervisor::{Exit, Restart, Supervisor, SupervisorRef};

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
async fn c24_the_exits_are_typed() {
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
