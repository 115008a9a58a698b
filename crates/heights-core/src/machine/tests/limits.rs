//! Limits of single children, and back-off.

use super::*;

#[test]
fn e51_a_child_with_a_limit_of_its_own_is_given_up_first() {
    let check = |strategy, then, expected: &str| {
        let limit = RestartLimit { intensity: Intensity::new(1, SECOND * 5), then };
        let mut plans = plans(&["m", "a", "z"]);
        plans[1].limit = Some(Box::new(limit));
        let mut world = World::new(strategy, Intensity::new(9, SECOND * 5), plans).boot();
        world.exit("a", ExitClass::Abnormal);
        world.exit("m", ExitClass::Abnormal);
        world.take_log();
        world.exit("a", ExitClass::Abnormal);
        assert_eq!(world.take_log(), expected, "{strategy:?} {then:?}");
    };
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        check(strategy, GiveUp::Escalate, "stop z, stop m, exit ReachedMaxIntensity");
        check(strategy, GiveUp::RemoveChild, "left a, forget a");
    }
}

#[test]
fn e51_a_start_that_fails_too_often_is_given_up_and_the_siblings_go_on() {
    let check = |strategy, expected: &str| {
        let then = GiveUp::RemoveChild;
        let mut plans = plans(&["m", "a", "z"]);
        let intensity = Intensity::new(1, SECOND * 5);
        plans[1].limit = Some(Box::new(RestartLimit { intensity, then }));
        let mut world = World::new(strategy, Intensity::new(9, SECOND * 5), plans).boot();
        world.failing.insert("a");
        world.exit("a", ExitClass::Abnormal);
        assert_eq!(world.take_log(), expected, "{strategy:?}");
        assert_eq!(world.machine.counts().active, 2);
    };
    check(Strategy::OneForOne, "fail a, left a, forget a");
    check(Strategy::OneForAll, "stop z, stop m, start m, fail a, left a, forget a, start z");
    check(Strategy::RestForOne, "stop z, fail a, left a, forget a, start z");
}

#[test]
fn e51_those_that_are_about_to_start_again_have_not_ended() {
    let limit =
        RestartLimit { intensity: Intensity::new(1, SECOND * 5), then: GiveUp::RemoveChild };
    let significant =
        |id| ChildPlan { significant: true, restart: Restart::Transient, ..ChildPlan::worker(id) };
    let plans =
        vec![ChildPlan { limit: Some(Box::new(limit)), ..significant("a") }, significant("b")];
    let flags = Flags { auto_shutdown: AutoShutdown::AllSignificant, ..Flags::default() };
    let mut world = World::with_flags(Strategy::RestForOne, flags, plans).boot();
    world.failing.insert("a");
    world.exit("a", ExitClass::Abnormal);
    assert_eq!(world.take_log(), "stop b, fail a, left a, forget a, start b");
}

#[test]
fn e52_backoff_delays_the_restart_but_not_the_stop_of_the_siblings() {
    let backoff = Some(Backoff::exponential(SECOND, SECOND * 4));
    let flags = Flags { intensity: Intensity::new(9, SECOND), backoff, ..Flags::default() };
    let world = World::with_flags(Strategy::OneForAll, flags, plans(&["m", "a", "z"]));
    let mut world = world.boot();
    world.exit("a", ExitClass::Abnormal);
    assert_eq!(world.take_log(), "stop z, stop m, retry a in 1");
    world.now += SECOND;
    world.retry();
    assert_eq!(world.take_log(), "start m, start a, start z");
}

#[test]
fn e52_delays_grow_until_a_child_has_run_for_long_enough() {
    let backoff = Some(Backoff::exponential(SECOND, SECOND * 4).reset_after(SECOND * 10));
    let flags = Flags { intensity: Intensity::new(9, SECOND), backoff, ..Flags::default() };
    let mut world = World::with_flags(Strategy::OneForOne, flags, plans(&["a"])).boot();
    let mut fails_after = |seconds: u32, delay: u32| {
        world.now += SECOND * seconds;
        world.exit("a", ExitClass::Abnormal);
        assert_eq!(world.take_log(), format!("retry a in {delay}"), "after {seconds} s");
        world.now += SECOND * delay;
        world.retry();
        assert_eq!(world.take_log(), "start a");
    };
    fails_after(0, 1);
    fails_after(9, 2);
    fails_after(0, 4);
    fails_after(0, 4);
    fails_after(10, 1);
    fails_after(0, 2);
}
