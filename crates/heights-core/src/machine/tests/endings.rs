//! Supervisors that end with significant children.

use super::*;

/// Two significant children and one that is not, under each flag: what their ends lead to.
#[test]
fn g59_to_g62_auto_shutdown() {
    use AutoShutdown::{AllSignificant, AnySignificant};
    use ExitClass::{Abnormal, Normal};
    let check = |auto_shutdown, restart, ends: &[(&str, ExitClass)], expected: &str| {
        let plans = [("m", true), ("a", false), ("z", true)].map(|(name, significant)| {
            let restart = if significant { restart } else { Restart::Temporary };
            ChildPlan { significant, restart, ..ChildPlan::worker(name) }
        });
        let flags = Flags { auto_shutdown, ..Flags::default() };
        let mut world = World::with_flags(Strategy::OneForOne, flags, plans.to_vec()).boot();
        for (id, class) in ends {
            world.exit(id, *class);
        }
        assert_eq!(world.take_log(), expected, "{auto_shutdown:?} {restart:?} {ends:?}");
    };
    let any_m = "left m, stop z, stop a, exit AutoShutdown";
    check(AnySignificant, Restart::Transient, &[("m", Normal)], any_m);
    check(AnySignificant, Restart::Transient, &[("m", Abnormal)], "start m");
    check(AnySignificant, Restart::Transient, &[("a", Normal)], "left a, forget a");
    let any_m = "left m, forget m, stop z, stop a, exit AutoShutdown";
    check(AnySignificant, Restart::Temporary, &[("m", Normal)], any_m);
    check(AnySignificant, Restart::Temporary, &[("m", Abnormal)], any_m);
    check(AllSignificant, Restart::Transient, &[("m", Normal)], "left m");
    let both = [("m", Normal), ("z", ExitClass::Shutdown)];
    let all = "left m, left z, stop a, exit AutoShutdown";
    check(AllSignificant, Restart::Transient, &both, all);
}

#[test]
fn g63_a_significant_child_that_was_terminated_has_not_ended_by_itself() {
    let plan =
        |id| ChildPlan { significant: true, restart: Restart::Transient, ..ChildPlan::worker(id) };
    for auto_shutdown in [AutoShutdown::AnySignificant, AutoShutdown::AllSignificant] {
        let flags = Flags { auto_shutdown, ..Flags::default() };
        let plans = vec![plan("a"), plan("b")];
        let mut world = World::with_flags(Strategy::OneForOne, flags, plans).boot();
        world.feed(Event::TerminateChild("a".into()));
        assert_eq!(world.take_log(), "stop a, answer Done");
        // It does not count among the living either.
        world.exit("b", ExitClass::Normal);
        assert_eq!(world.take_log(), "left b, exit AutoShutdown");
    }
}
