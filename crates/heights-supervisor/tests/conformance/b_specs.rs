//! Section B: specs and flags.

use std::time::Duration;

use heights_supervisor::{
    AdminError, AutoShutdown, Backoff, CallError, ChildSpec, ChildTemplate, DynamicSupervisor,
    GiveUp, Intensity, PartitionSupervisor, Restart, Shutdown, SpecError, StartChildError,
    StartError, Strategy, Supervisor, ZombiePolicy, check_child_specs,
};

use crate::support::{Probe, SECOND, Stop, Trace, start};

#[tokio::test(start_paused = true)]
async fn b15_an_empty_id_is_rejected() {
    let trace = Trace::default();
    let nameless = Probe::new(&trace, "").spec;
    assert_eq!(
        check_child_specs(std::slice::from_ref(&nameless), AutoShutdown::Never),
        Err(SpecError::EmptyId)
    );
    let root = start(Supervisor::builder("root")).await;
    let error = root.start_child(nameless.clone()).await.unwrap_err();
    assert_eq!(error.to_string(), "a child has an empty id");
    let dynamic = DynamicSupervisor::builder("root").start().await.unwrap();
    let error = dynamic.start_child(nameless).await.unwrap_err();
    assert_eq!(error.to_string(), "a child has an empty id");
    assert_eq!(trace.take(), "");
}

#[tokio::test(start_paused = true)]
async fn b16_duplicate_ids_are_rejected() {
    let trace = Trace::default();
    let [a, b, again] = ["a", "b", "a"].map(|name| Probe::new(&trace, name).spec);
    let twice = SpecError::DuplicateId("a".into());
    let specs = [a.clone(), b.clone(), again.clone()];
    assert_eq!(check_child_specs(&specs, AutoShutdown::Never), Err(twice.clone()));
    let builder = Supervisor::builder("root").child(a).child(b).child(again);
    let (nested, _) = builder.clone().child_spec();
    let error = builder.start().await.unwrap_err();
    assert!(matches!(error, StartError::Invalid(same) if same == twice));
    let error = Supervisor::builder("root").child(nested).start().await.unwrap_err();
    assert!(error.to_string().ends_with("duplicate child name \"a\""), "{error}");
    assert_eq!(trace.take(), "");
}

#[test]
fn b17_defaults() {
    let trace = Trace::default();
    let worker = Probe::new(&trace, "a").spec;
    let plan = worker.plan();
    assert_eq!(plan.restart, Restart::Permanent);
    assert_eq!(plan.shutdown, Shutdown::Timeout(Duration::from_secs(5)));
    assert_eq!(plan.backoff, None);
    let task = ChildSpec::task("t", |_cx| async { Ok(()) });
    assert_eq!(task.plan().shutdown, Shutdown::Timeout(Duration::from_secs(5)));
    let (supervisor, _) = Supervisor::builder("s").child_spec();
    assert_eq!(supervisor.plan().shutdown, Shutdown::Infinity);
    assert_eq!(Strategy::default(), Strategy::OneForOne);
    assert_eq!(Intensity::default(), Intensity::new(3, Duration::from_secs(5)));
}

#[tokio::test(start_paused = true)]
async fn b18_a_period_of_zero_is_rejected_and_no_restarts_are_accepted() {
    let error = Supervisor::builder("root").intensity(1, Duration::ZERO).start().await.unwrap_err();
    assert!(matches!(error, StartError::Invalid(SpecError::ZeroPeriod)));
    let error =
        DynamicSupervisor::builder("root").intensity(1, Duration::ZERO).start().await.unwrap_err();
    assert!(matches!(error, StartError::Invalid(SpecError::ZeroPeriod)));

    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let root = start(Supervisor::builder("root").intensity(0, SECOND).child(a.spec.clone())).await;
    let process = root.process().unwrap();
    a.panic().await;
    assert_eq!(process.gone().await.to_string(), "shutdown: reached max intensity");
    assert_eq!(trace.take(), "start a, crash a");
}

#[tokio::test(start_paused = true)]
async fn b20_a_shutdown_timeout_of_zero_asks_and_kills_at_once() {
    let trace = Trace::default();
    let slow = Probe::stopping(&trace, "slow", Stop::Takes(SECOND))
        .with(|spec| spec.shutdown(Shutdown::Timeout(Duration::ZERO)));
    let root = start(Supervisor::builder("root").child(slow.spec.clone())).await;
    let (begin, process) = (tokio::time::Instant::now(), slow.process());
    root.stop().await;
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert_eq!(process.exit().unwrap().to_string(), "killed");
    assert_eq!(trace.take(), "start slow");
}

/// Tries to start a significant child at start, later, and by the check, all with one answer.
async fn significant(restart: Restart, auto_shutdown: AutoShutdown) -> SpecError {
    let trace = Trace::default();
    let spec = Probe::new(&trace, "a").spec.restart(restart).significant();
    let error = check_child_specs(std::slice::from_ref(&spec), auto_shutdown).unwrap_err();
    let builder = || Supervisor::builder("root").auto_shutdown(auto_shutdown);
    let refused = builder().child(spec.clone()).start().await.unwrap_err();
    assert!(matches!(refused, StartError::Invalid(same) if same == error));
    let refused = start(builder()).await.start_child(spec).await.unwrap_err();
    assert!(matches!(refused, StartChildError::Invalid(same) if same == error));
    assert_eq!(trace.take(), "");
    error
}

#[tokio::test(start_paused = true)]
async fn b19_a_significant_child_is_not_permanent_and_its_supervisor_cares() {
    use AutoShutdown::{AllSignificant, AnySignificant, Never};
    for restart in [Restart::Permanent, Restart::Transient, Restart::Temporary] {
        assert_eq!(significant(restart, Never).await, SpecError::SignificantNever("a".into()));
    }
    for auto_shutdown in [AnySignificant, AllSignificant] {
        let error = significant(Restart::Permanent, auto_shutdown).await;
        assert_eq!(error, SpecError::SignificantPermanent("a".into()));
    }
}

/// A template that cannot be: what is wrong with it, and why.
fn wrong_templates() -> [(ChildTemplate<(), ()>, SpecError); 4] {
    let template = |id: &'static str| ChildTemplate::task(id, |_cx, (): &()| async { Ok(()) });
    let significant = |spec: ChildSpec| spec.restart(Restart::Transient).significant();
    let (id, on) = ("a".into(), "b".into());
    [
        (template(""), SpecError::EmptyId),
        (template("a").each(significant), SpecError::SignificantNever("a".into())),
        (
            template("a").each(|spec| spec.restart_limit(1, Duration::ZERO, GiveUp::Escalate)),
            SpecError::ZeroPeriod,
        ),
        (template("a").each(|spec| spec.binds_to(["b"])), SpecError::UnknownDependency { id, on }),
    ]
}

/// That there is exactly one template is for the compiler to see: `DynamicBuilder::template` has
/// the examples that do not compile.
#[tokio::test(start_paused = true)]
async fn b22_a_dynamic_supervisor_with_a_wrong_template_does_not_start() {
    for (template, wrong) in wrong_templates() {
        let dynamic = DynamicSupervisor::builder("dynamic").template(template);
        let refused = dynamic.clone().start().await.unwrap_err();
        assert!(matches!(&refused, StartError::Invalid(same) if *same == wrong), "{refused}");

        let (spec, dynamic) = dynamic.child_spec();
        let refused = Supervisor::builder("root").child(spec).start().await.unwrap_err();
        assert!(refused.to_string().ends_with(&wrong.to_string()), "{refused}");
        assert!(dynamic.process().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn b22b_a_template_is_right_or_wrong_by_what_its_supervisor_does() {
    let template = ChildTemplate::task("a", |_cx, (): &()| std::future::pending());
    let template = template.each(|spec| spec.restart(Restart::Temporary).significant());
    let dynamic = DynamicSupervisor::builder("root").auto_shutdown(AutoShutdown::AnySignificant);
    let dynamic = dynamic.template(template).start().await.unwrap();
    let (started, ()) = dynamic.start_child(()).await.unwrap();
    let plan = dynamic.get_child_spec(&started.pid).await.unwrap();
    assert_eq!(plan.plan(), dynamic.template().model().plan());
}

#[tokio::test(start_paused = true)]
async fn b22c_without_a_template_each_spec_is_checked_when_it_comes() {
    let trace = Trace::default();
    let dynamic = DynamicSupervisor::builder("root").start().await.unwrap();
    let spec = Probe::new(&trace, "a").spec;
    let wrong = spec.clone().restart(Restart::Transient).significant();
    let refused = dynamic.start_child(wrong).await.unwrap_err();
    assert!(matches!(refused, StartChildError::Invalid(SpecError::SignificantNever(_))));
    dynamic.start_child(spec).await.unwrap();
    assert_eq!(dynamic.count_children().await.active, 1);
}

#[tokio::test(start_paused = true)]
async fn b22d_a_template_is_not_a_child() {
    let template = ChildTemplate::task("a", |_cx, (): &()| async { Ok(()) });
    let root = start(Supervisor::builder("root")).await;
    let error = root.start_child(template.model().clone()).await.unwrap_err();
    let unfilled =
        "child a did not start: error: a template is started by what each child is given";
    assert_eq!(error.to_string(), unfilled);
}

#[tokio::test(start_paused = true)]
async fn b21_the_whole_effective_spec_of_a_child_can_be_asked_for() {
    let trace = Trace::default();
    let backoff = Backoff::exponential(SECOND, SECOND * 8);
    let a = Probe::new(&trace, "a");
    let b = Probe::new(&trace, "b").with(|spec| {
        let spec = spec.restart(Restart::Transient).shutdown(Shutdown::Brutal).backoff(backoff);
        let spec = spec.restart_limit(1, SECOND, GiveUp::RemoveChild).binds_to(["a"]);
        spec.start_timeout(SECOND).kill_grace(SECOND * 2).on_zombie(ZombiePolicy::Abandon)
    });
    let root = start(Supervisor::builder("root").child(a.spec.clone()).child(b.spec.clone())).await;
    for (id, given) in [("a", &a.spec), ("b", &b.spec)] {
        let spec = root.get_child_spec(id).await.unwrap();
        assert_eq!(described(&spec), described(given), "{id}");
    }
    assert!(matches!(root.get_child_spec("x").await, Err(AdminError::NotFound)));
    // New specs are effective at once, whatever runs; what is read can be given back.
    let spec = root.get_child_spec("b").await.unwrap().restart(Restart::Permanent);
    root.reconfigure(vec![a.spec.clone(), spec]).await.unwrap();
    let spec = root.get_child_spec("b").await.unwrap();
    assert_eq!(spec.plan().restart, Restart::Permanent);
    root.stop().await;
    let error = root.get_child_spec("a").await.unwrap_err();
    assert!(matches!(error, AdminError::Supervisor(CallError::NoProc)), "{error}");
}

/// Everything that a spec says.
fn described(spec: &ChildSpec) -> impl PartialEq + std::fmt::Debug + use<> {
    let limits = (spec.starts_within(), spec.gone_within(), spec.zombie_policy());
    (spec.plan().clone(), limits, spec.type_name())
}

#[tokio::test(start_paused = true)]
async fn b21b_a_spec_from_a_supervisor_starts_the_child_unless_it_is_temporary() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let b = Probe::new(&trace, "b").with(|spec| spec.restart(Restart::Temporary));
    let root = start(Supervisor::builder("root").child(a.spec).child(b.spec)).await;
    let [a, b] = [root.get_child_spec("a").await.unwrap(), root.get_child_spec("b").await.unwrap()];
    let other = start(Supervisor::builder("other")).await;
    other.start_child(a).await.unwrap();
    let error = other.start_child(b).await.unwrap_err();
    let used_up = "child b did not start: error: a temporary child is started only once";
    assert_eq!(error.to_string(), used_up);
}

#[tokio::test(start_paused = true)]
async fn b21c_dynamic_children_and_partitions_have_specs_too() {
    let trace = Trace::default();
    let dynamic = DynamicSupervisor::builder("root").start().await.unwrap();
    let a = Probe::new(&trace, "a").with(|spec| spec.shutdown(Shutdown::Brutal));
    let first = dynamic.start_child(a.spec.clone()).await.unwrap().pid;
    let spec = dynamic.get_child_spec(&first).await.unwrap();
    assert_eq!(described(&spec), described(&a.spec));
    a.crash().await;
    assert!(dynamic.get_child_spec(&a.process().pid()).await.is_ok());
    dynamic.terminate_child(&first).await.unwrap();
    assert!(matches!(dynamic.get_child_spec(&first).await, Err(AdminError::NotFound)));

    let partitions = PartitionSupervisor::builder("parts", move |_partition| {
        let probe = Probe::new(&trace, "any");
        (probe.spec, probe.reference)
    });
    let partitions = partitions.partitions(2.try_into().unwrap()).start().await.unwrap();
    assert_eq!(partitions.get_child_spec(1).await.unwrap().id().as_str(), "1");
    assert!(matches!(partitions.get_child_spec(2).await, Err(AdminError::NotFound)));
}
