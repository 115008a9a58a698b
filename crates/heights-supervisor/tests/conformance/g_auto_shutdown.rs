//! Section G: significant children and automatic shutdown.

use heights_supervisor::{
    AutoShutdown, DynamicSupervisor, Exit, Process, Restart, ShutdownReason, Supervisor,
    SupervisorRef,
};

use crate::support::{Msg, Probe, SECOND, Trace, settle, start, within};

use AutoShutdown::{AllSignificant, AnySignificant};

/// A supervisor of the significant `m` and `z` and of `a`, which is not significant.
async fn family(
    trace: &Trace,
    auto_shutdown: AutoShutdown,
    restart: Restart,
) -> (SupervisorRef, [Probe; 3]) {
    let significant =
        |name| Probe::new(trace, name).with(|spec| spec.restart(restart).significant());
    let probes = [significant("m"), Probe::new(trace, "a"), significant("z")];
    let mut builder = Supervisor::builder("root").auto_shutdown(auto_shutdown);
    for probe in &probes {
        builder = builder.child(probe.spec.clone());
    }
    let root = start(builder).await;
    assert_eq!(trace.take(), "start m, start a, start z");
    (root, probes)
}

async fn shut_down(process: &Process) {
    let exit = within("the supervisor to end", process.gone()).await;
    assert!(matches!(exit, Exit::Shutdown(ShutdownReason::AutoShutdown)), "{exit}");
}

#[tokio::test(start_paused = true)]
async fn g59_any_the_first_normal_exit_of_a_significant_child_ends_the_supervisor() {
    let trace = Trace::default();
    let (root, [m, ..]) = family(&trace, AnySignificant, Restart::Transient).await;
    let process = root.process().unwrap();
    m.end(Msg::Stop(Exit::Normal)).await;
    shut_down(&process).await;
    assert_eq!(trace.take(), "stop m, stop z, stop a");
}

#[tokio::test(start_paused = true)]
async fn g60_any_a_temporary_significant_child_ends_the_supervisor_however_it_ended() {
    for (how, said) in [(Msg::Stop(Exit::Normal), "stop m"), (Msg::Panic("boom"), "crash m")] {
        let trace = Trace::default();
        let (root, [m, ..]) = family(&trace, AnySignificant, Restart::Temporary).await;
        let process = root.process().unwrap();
        m.end(how).await;
        shut_down(&process).await;
        assert_eq!(trace.take(), format!("{said}, stop z, stop a"));
    }
}

#[tokio::test(start_paused = true)]
async fn g61_a_significant_child_that_crashes_is_restarted() {
    for auto_shutdown in [AnySignificant, AllSignificant] {
        let trace = Trace::default();
        let (root, [m, ..]) = family(&trace, auto_shutdown, Restart::Transient).await;
        m.crash().await;
        settle().await;
        assert_eq!(trace.take(), "crash m, start m");
        assert_eq!(root.count_children().await.active, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn g62_all_the_last_significant_child_ends_the_supervisor() {
    let trace = Trace::default();
    let (root, [m, _, z]) = family(&trace, AllSignificant, Restart::Transient).await;
    let process = root.process().unwrap();
    m.end(Msg::Stop(Exit::Normal)).await;
    settle().await;
    assert_eq!(root.count_children().await.active, 2);
    z.end(Msg::Stop(Exit::Normal)).await;
    shut_down(&process).await;
    assert_eq!(trace.take(), "stop m, stop z, stop a");
}

#[tokio::test(start_paused = true)]
async fn g62b_a_significant_child_in_restart_counts_as_alive() {
    let trace = Trace::default();
    let backoff = heights_supervisor::Backoff::exponential(SECOND, SECOND);
    let [m, z] = ["m", "z"].map(|name| {
        let waits = |spec: heights_supervisor::ChildSpec| spec.backoff(backoff);
        Probe::new(&trace, name).with(|spec| waits(spec.restart(Restart::Transient).significant()))
    });
    let builder = Supervisor::builder("root").auto_shutdown(AllSignificant);
    let root = start(builder.child(m.spec.clone()).child(z.spec.clone())).await;
    m.panic().await;
    z.end(Msg::Stop(Exit::Normal)).await;
    m.running().await;
    assert_eq!(root.count_children().await.active, 1);
}

#[tokio::test(start_paused = true)]
async fn g63_terminating_a_significant_child_does_not_end_the_supervisor() {
    for auto_shutdown in [AnySignificant, AllSignificant] {
        let trace = Trace::default();
        let (root, _probes) = family(&trace, auto_shutdown, Restart::Transient).await;
        root.terminate_child("m").await.unwrap();
        root.terminate_child("z").await.unwrap();
        settle().await;
        assert_eq!(root.count_children().await.active, 1);
        assert_eq!(trace.take(), "stop m, stop z");
    }
}

#[tokio::test(start_paused = true)]
async fn g64_a_dynamic_supervisor_ends_when_its_last_significant_child_has() {
    let trace = Trace::default();
    let builder = DynamicSupervisor::builder("root").auto_shutdown(AllSignificant);
    let root = builder.start().await.unwrap();
    let process = root.process().unwrap();
    let [a, b] = ["a", "b"].map(|name| {
        Probe::new(&trace, name).with(|spec| spec.restart(Restart::Temporary).significant())
    });
    for probe in [&a, &b] {
        root.start_child(probe.spec.clone()).await.unwrap();
    }
    a.panic().await;
    settle().await;
    assert_eq!(root.count_children().await.active, 1);
    // One that is terminated has not ended by itself.
    let c = Probe::new(&trace, "c").with(|spec| spec.restart(Restart::Temporary).significant());
    let started = root.start_child(c.spec.clone()).await.unwrap();
    root.terminate_child(&started.pid).await.unwrap();
    assert!(process.is_alive());
    b.end(Msg::Stop(Exit::Normal)).await;
    shut_down(&process).await;
    assert_eq!(trace.take(), "start a, start b, crash a, start c, stop c, stop b");
}

#[tokio::test(start_paused = true)]
async fn g64b_a_dynamic_supervisor_ends_with_any_significant_child() {
    let trace = Trace::default();
    let builder = DynamicSupervisor::builder("root").auto_shutdown(AnySignificant);
    let root = builder.start().await.unwrap();
    let process = root.process().unwrap();
    let main =
        Probe::new(&trace, "main").with(|spec| spec.restart(Restart::Transient).significant());
    let other = Probe::new(&trace, "other");
    for probe in [&main, &other] {
        root.start_child(probe.spec.clone()).await.unwrap();
    }
    main.crash().await;
    main.end(Msg::Stop(Exit::Normal)).await;
    shut_down(&process).await;
    let expected = "start main, start other, crash main, start main, stop main, stop other";
    assert_eq!(trace.take(), expected);
}

#[tokio::test(start_paused = true)]
async fn g65_the_parent_sees_a_shutdown_and_restarts_a_permanent_spec_only() {
    for (restart, expected) in [(Restart::Permanent, 1), (Restart::Transient, 0)] {
        let trace = Trace::default();
        let leaf =
            Probe::new(&trace, "leaf").with(|spec| spec.restart(Restart::Transient).significant());
        let builder = Supervisor::builder("inner").auto_shutdown(AnySignificant);
        let (inner, _) = builder.child(leaf.spec.clone()).child_spec();
        let root = start(Supervisor::builder("root").child(inner.restart(restart))).await;
        let mut reports = root.reports();
        leaf.end(Msg::Stop(Exit::Normal)).await;
        settle().await;
        assert_eq!(root.count_children().await.active, expected);
        let report = reports.recv().await.unwrap().to_string();
        assert!(report.ends_with("shutdown: auto shutdown"), "{report}");
    }
}
