//! What somebody asks for.

use super::*;

#[test]
fn f56_a_terminated_child_does_not_come_back() {
    let mut world = world(Strategy::OneForOne);
    world.failing.insert("a");
    world.exit("a", ExitClass::Abnormal);
    world.feed(Event::TerminateChild("a".into()));
    world.failing.clear();
    world.retry();
    assert_eq!(world.take_log(), "fail a, retry a in 0, answer Done");
}

#[test]
fn i88_new_specs_hold_from_the_next_start_on() {
    let mut world = world(Strategy::OneForAll);
    let plan = |id, restart| ChildPlan { restart, ..ChildPlan::worker(id) };
    let plans = vec![
        plan("z", Restart::Permanent),
        plan("new", Restart::Permanent),
        plan("m", Restart::Temporary),
    ];
    world.feed(Event::Reconfigure(plans));
    assert_eq!(world.take_log(), "answer Done");
    let listed = |world: &World| -> String {
        let views = world.machine.children();
        views.map(|view| format!("{} {:?}; ", view.plan.id, view.state)).collect()
    };
    let expected = "z Running(Incarnation(3)); new Stopped; m Running(Incarnation(1)); \
                    a Running(Incarnation(2)); ";
    assert_eq!(listed(&world), expected);
    // The new restart type of `m`, the new order, and `a` as the youngest.
    world.exit("m", ExitClass::Abnormal);
    assert_eq!(world.take_log(), "left m, forget m");
    world.feed(Event::RestartChild("new".into()));
    world.exit("z", ExitClass::Abnormal);
    let expected =
        "start new, answer Started(new#4), stop a, stop new, start z, start new, start a";
    assert_eq!(world.take_log(), expected);
    // Wrong specs change nothing.
    let before = listed(&world);
    world.feed(Event::Reconfigure(plans_of_twins()));
    assert_eq!(world.take_log(), "answer Refused(Invalid(DuplicateId(\"a\")))");
    assert_eq!(listed(&world), before);
    world.feed(Event::TerminateChild("a".into()));
    world.feed(Event::DeleteChild("a".into()));
    assert_eq!(world.take_log(), "stop a, answer Done, forget a, answer Done");
}

fn plans_of_twins() -> Vec<ChildPlan> {
    plans(&["a", "b", "a"])
}

#[test]
fn i88_new_specs_do_not_disturb_a_restart_under_way() {
    let mut world = world(Strategy::OneForOne);
    world.failing.insert("a");
    world.exit("a", ExitClass::Abnormal);
    world.feed(Event::Reconfigure(plans(&["z", "a"])));
    world.failing.clear();
    world.retry();
    assert_eq!(world.take_log(), "fail a, retry a in 0, answer Done, start a");
    world.feed(Event::Stop);
    assert_eq!(world.take_log(), "stop m, stop a, stop z, exit Stopped");
}

#[test]
fn i88_a_child_that_became_temporary_while_it_is_restarted_can_be_terminated() {
    let mut world = world(Strategy::OneForOne);
    world.failing.insert("a");
    world.exit("a", ExitClass::Abnormal);
    let temporary = ChildPlan { restart: Restart::Temporary, ..ChildPlan::worker("a") };
    world.feed(Event::Reconfigure(vec![temporary]));
    world.feed(Event::TerminateChild("a".into()));
    assert_eq!(world.take_log(), "fail a, retry a in 0, answer Done, forget a, answer Done");
}

#[test]
fn i77_to_i81_requests() {
    let mut world = world(Strategy::OneForOne);
    let mut check = |event, expected: &str| {
        world.feed(event);
        assert_eq!(world.take_log(), expected);
    };
    let id = || ChildId::from("a");
    check(Event::StartChild(ChildPlan::worker("a")), "answer Refused(AlreadyStarted(a#2))");
    check(Event::RestartChild(id()), "answer Refused(Running)");
    check(Event::DeleteChild(id()), "answer Refused(Running)");
    check(Event::TerminateChild(id()), "stop a, answer Done");
    check(Event::TerminateChild(id()), "answer Done");
    check(Event::StartChild(ChildPlan::worker("a")), "answer Refused(AlreadyPresent)");
    check(Event::RestartChild(id()), "start a, answer Started(a#4)");
    check(Event::TerminateChild(id()), "stop a, answer Done");
    check(Event::DeleteChild(id()), "forget a, answer Done");
    check(Event::DeleteChild(id()), "answer Refused(NotFound)");
    check(Event::StartChild(ChildPlan::worker("a")), "start a, answer Started(a#5)");
    check(Event::StartChild(ChildPlan::worker("")), "answer Refused(Invalid(EmptyId))");
    assert_eq!(Refusal::Invalid(SpecError::EmptyId), Refusal::Invalid(SpecError::EmptyId));
}
