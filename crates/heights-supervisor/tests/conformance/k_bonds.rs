//! Section K: children that are bound to elder siblings.

use heights_supervisor::{
    AdminError, AutoShutdown, Backoff, CallError, ChildId, DynamicSupervisor, Exit, Restart,
    SpecError, StartChildError, StartError, Supervisor, SupervisorRef, check_child_specs,
};

use crate::support::{Msg, Probe, SECOND, Start, Trace, settle, start, within};

/// `web` is bound to `cache` and `cache` to `db`; `log` is bound to nobody.
async fn family(trace: &Trace, restart: Restart) -> (SupervisorRef, [Probe; 4]) {
    let db = Probe::new(trace, "db").with(|spec| spec.restart(restart));
    let log = Probe::new(trace, "log");
    let cache = Probe::new(trace, "cache").with(|spec| spec.binds_to(["db"]));
    let web = Probe::new(trace, "web").with(|spec| spec.binds_to(["cache"]));
    let probes = [db, log, cache, web];
    let builder = probes
        .iter()
        .fold(Supervisor::builder("root"), |builder, probe| builder.child(probe.spec.clone()));
    let root = start(builder).await;
    trace.take();
    (root, probes)
}

#[tokio::test(start_paused = true)]
async fn k94_a_crash_takes_those_along_that_are_bound_and_brings_them_back() {
    let trace = Trace::default();
    let (_root, [db, log, cache, web]) = family(&trace, Restart::Permanent).await;
    let logging = log.process();
    db.panic().await;
    web.running().await;
    settle().await;
    let expected = "crash db, stop web, stop cache, start db, start cache, start web";
    assert_eq!(trace.take(), expected);
    cache.panic().await;
    web.running().await;
    settle().await;
    assert_eq!(trace.take(), "crash cache, stop web, start cache, start web");
    web.crash().await;
    assert_eq!(trace.take(), "crash web, start web");
    assert_eq!(log.process(), logging);
}

#[tokio::test(start_paused = true)]
async fn k94b_a_stop_takes_them_along_and_a_start_brings_them_back() {
    let trace = Trace::default();
    let (root, [_, _, cache, web]) = family(&trace, Restart::Permanent).await;
    root.terminate_child("db").await.unwrap();
    assert_eq!(trace.take(), "stop web, stop cache, stop db");
    assert_eq!(root.count_children().await.active, 1);
    let error = root.restart_child("web").await.unwrap_err();
    assert_eq!(error.to_string(), "child cache does not run");
    assert!(matches!(error, AdminError::DependencyDown(on) if on.as_str() == "cache"));
    // Nobody is about to start them, and those who ask are told so.
    for probe in [&cache, &web] {
        let error = probe.reference.call(Msg::Ping).await.unwrap_err();
        assert!(matches!(error, CallError::NoProc), "{error}");
    }
    root.restart_child("db").await.unwrap();
    assert_eq!(trace.take(), "start db, start cache, start web");
    root.stop().await;
    assert_eq!(trace.take(), "stop web, stop cache, stop log, stop db");
}

#[tokio::test(start_paused = true)]
async fn k94c_one_that_stays_down_takes_them_along_for_good() {
    for (restart, specs) in [(Restart::Transient, 4), (Restart::Temporary, 3)] {
        let trace = Trace::default();
        let (root, [db, _, cache, web]) = family(&trace, restart).await;
        db.end(Msg::Stop(Exit::Normal)).await;
        within("those that are bound to go", web.process_gone()).await;
        within("those that are bound to go", cache.process_gone()).await;
        assert_eq!(root.count_children().await.specs, specs);
        assert_eq!(trace.take(), "stop db, stop web, stop cache");
        for probe in [&cache, &web] {
            let error = probe.reference.call(Msg::Ping).await.unwrap_err();
            assert!(matches!(error, CallError::NoProc), "{restart:?}: {error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn k94d_during_backoff_they_are_said_to_be_restarting() {
    let trace = Trace::default();
    let (root, [db, _, _, web]) = family(&trace, Restart::Permanent).await;
    let backoff = Backoff::exponential(SECOND, SECOND);
    root.reconfigure(vec![
        db.spec.clone().backoff(backoff),
        root.get_child_spec("log").await.unwrap(),
        root.get_child_spec("cache").await.unwrap(),
        root.get_child_spec("web").await.unwrap(),
    ])
    .await
    .unwrap();
    db.panic().await;
    settle().await;
    assert_eq!(trace.take(), "crash db, stop web, stop cache");
    let error = web.reference.call(Msg::Ping).await.unwrap_err();
    assert!(matches!(error, CallError::Restarting), "{error}");
    let error = root.restart_child("cache").await.unwrap_err();
    assert!(matches!(error, AdminError::DependencyDown(_)), "{error}");
    web.running().await;
    assert_eq!(trace.take(), "start db, start cache, start web");
}

#[tokio::test(start_paused = true)]
async fn k94e_one_that_finds_nothing_to_do_leaves_them_down() {
    let trace = Trace::default();
    let (root, [db, _, cache, web]) = family(&trace, Restart::Permanent).await;
    db.next_starts([Start::Ignores]);
    db.panic().await;
    settle().await;
    assert_eq!(trace.take(), "crash db, stop web, stop cache");
    assert_eq!(root.count_children().await.active, 1);
    for probe in [&db, &cache, &web] {
        let error = probe.reference.call(Msg::Ping).await.unwrap_err();
        assert!(matches!(error, CallError::NoProc), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn k94f_a_dependency_is_an_elder_sibling() {
    let trace = Trace::default();
    let child = |id: &'static str, on: &[&'static str]| {
        Probe::new(&trace, id).with(|spec| spec.binds_to(on.iter().copied())).spec
    };
    let id = ChildId::from;
    let unknown = SpecError::UnknownDependency { id: id("a"), on: id("x") };
    let later = SpecError::LaterDependency { id: id("a"), on: id("b") };
    let itself = SpecError::CyclicDependency { id: id("a"), on: id("a") };
    let cyclic = SpecError::CyclicDependency { id: id("a"), on: id("b") };
    for (specs, expected) in [
        (vec![child("a", &["x"])], unknown.clone()),
        (vec![child("a", &["b"]), child("b", &[])], later),
        (vec![child("a", &["a"])], itself),
        (vec![child("a", &["b"]), child("b", &["a"])], cyclic),
    ] {
        let never = AutoShutdown::Never;
        assert_eq!(check_child_specs(&specs, never), Err(expected.clone()), "{specs:?}");
        let builder = specs.iter().cloned().fold(Supervisor::builder("root"), |b, s| b.child(s));
        let error = builder.start().await.unwrap_err();
        assert!(matches!(error, StartError::Invalid(same) if same == expected));
        let root = start(Supervisor::builder("root")).await;
        let error = root.reconfigure(specs).await.unwrap_err();
        assert!(matches!(error, AdminError::Invalid(same) if same == expected));
    }
    let root = start(Supervisor::builder("root")).await;
    let error = root.start_child(child("a", &["x"])).await.unwrap_err();
    assert!(matches!(error, StartChildError::Invalid(same) if same == unknown));
    let dynamic = DynamicSupervisor::builder("root").start().await.unwrap();
    let error = dynamic.start_child(child("a", &["x"])).await.unwrap_err();
    assert!(matches!(error, StartChildError::Invalid(same) if same == unknown));
    assert_eq!(trace.take(), "");
}

#[tokio::test(start_paused = true)]
async fn k94g_a_child_is_added_only_where_what_it_is_bound_to_runs() {
    let trace = Trace::default();
    let (root, [db, ..]) = family(&trace, Restart::Permanent).await;
    let mail = Probe::new(&trace, "mail").with(|spec| spec.binds_to(["db"]));
    root.terminate_child("db").await.unwrap();
    let error = root.start_child(mail.spec.clone()).await.unwrap_err();
    assert!(matches!(error, StartChildError::DependencyDown(on) if on.as_str() == "db"));
    root.restart_child("db").await.unwrap();
    root.start_child(mail.spec.clone()).await.unwrap();
    trace.take();
    db.panic().await;
    mail.running().await;
    settle().await;
    let expected = "crash db, stop mail, stop web, stop cache, \
                    start db, start cache, start web, start mail";
    assert_eq!(trace.take(), expected);
}

impl Probe {
    /// Waits until the life that runs now, if any, is gone.
    async fn process_gone(&self) {
        if let Some(running) = self.reference.current() {
            running.process().gone().await;
        }
    }
}
