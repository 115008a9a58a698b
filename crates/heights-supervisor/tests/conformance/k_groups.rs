//! Section K, line 95: children that live and die together are a supervisor of their own.

use heights_supervisor::{
    AutoShutdown, Exit, Restart, SpecError, StartError, Strategy, Supervisor, SupervisorBuilder,
    SupervisorRef,
};

use crate::support::{Msg, Probe, SECOND, Trace, settle, start};

/// A supervisor that ends with any of its members, who come back only as a group.
fn group(members: &[Probe], member: Restart) -> SupervisorBuilder {
    let builder = Supervisor::builder("group")
        .strategy(Strategy::OneForAll)
        .auto_shutdown(AutoShutdown::AnySignificant);
    members.iter().fold(builder, |builder, probe| {
        builder.child(probe.spec.clone().restart(member).significant())
    })
}

/// A group of three beside somebody who has nothing to do with it.
async fn family(
    trace: &Trace,
    member: Restart,
    together: Restart,
) -> (SupervisorRef, [Probe; 3], Probe) {
    let members = ["a", "b", "c"].map(|name| Probe::new(trace, name));
    let beside = Probe::new(trace, "beside");
    let (group, _) = group(&members, member).child_spec();
    let root = Supervisor::builder("root").intensity(100, SECOND);
    let root = root.child(group.restart(together)).child(beside.spec.clone());
    let root = start(root).await;
    trace.take();
    (root, members, beside)
}

/// Ends `b`; tells what happened to the group.
async fn ends(member: Restart, together: Restart, how: Msg) -> String {
    let trace = Trace::default();
    let (_root, [_, b, _], beside) = family(&trace, member, together).await;
    let life = beside.process();
    b.end(how).await;
    settle().await;
    assert_eq!(beside.process(), life);
    trace.take()
}

#[tokio::test(start_paused = true)]
async fn k95_the_end_of_any_member_takes_the_group_in_reverse_order() {
    for (how, said) in [(Msg::Stop(Exit::Normal), "stop b"), (Msg::Panic("boom"), "crash b")] {
        let happened = ends(Restart::Temporary, Restart::Temporary, how).await;
        assert_eq!(happened, format!("{said}, stop c, stop a"));
    }
}

#[tokio::test(start_paused = true)]
async fn k95b_a_permanent_group_comes_back_as_a_whole() {
    for (how, said) in [(Msg::Stop(Exit::Normal), "stop b"), (Msg::Panic("boom"), "crash b")] {
        let happened = ends(Restart::Temporary, Restart::Permanent, how).await;
        assert_eq!(happened, format!("{said}, stop c, stop a, start a, start b, start c"));
    }
}

#[tokio::test(start_paused = true)]
async fn k95c_a_transient_group_comes_back_after_a_crash_alone() {
    let happened = ends(Restart::Transient, Restart::Transient, Msg::Panic("boom")).await;
    assert_eq!(happened, "crash b, stop c, stop a, start a, start b, start c");
    let happened = ends(Restart::Transient, Restart::Transient, Msg::Stop(Exit::Normal)).await;
    assert_eq!(happened, "stop b, stop c, stop a");
}

/// A member that came back by itself would part the group.
#[tokio::test(start_paused = true)]
async fn k95d_no_member_is_permanent() {
    let trace = Trace::default();
    let members = ["a", "b"].map(|name| Probe::new(&trace, name));
    let error = group(&members, Restart::Permanent).start().await.unwrap_err();
    let refused = SpecError::SignificantPermanent("a".into());
    assert!(matches!(&error, StartError::Invalid(why) if *why == refused), "{error}");
}
