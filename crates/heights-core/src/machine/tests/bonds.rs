//! Children that are bound to elder siblings.

use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

use super::histories::{NAMES, act, play, restart, strategy};
use super::*;

/// `cache` is bound to `db` and `web` to `cache`; `log` and `mail` are bound to nobody.
fn family() -> Vec<ChildPlan> {
    let mut plans = plans(&["db", "log", "cache", "mail", "web"]);
    plans[2].binds_to = ["db".into()].into();
    plans[4].binds_to = ["cache".into()].into();
    plans
}

fn bound(strategy: Strategy, change: impl FnOnce(&mut Vec<ChildPlan>)) -> World {
    let mut plans = family();
    change(&mut plans);
    World::new(strategy, Intensity::new(3, SECOND * 5), plans).boot()
}

#[test]
fn k94_those_that_are_bound_share_the_fate_in_reverse_and_come_back_in_order() {
    let check = |failed, expected: &str| {
        let mut world = bound(Strategy::OneForOne, |_| {});
        world.exit(failed, ExitClass::Abnormal);
        assert_eq!(world.take_log(), expected, "{failed}");
    };
    check("db", "stop web, stop cache, start db, start cache, start web");
    check("cache", "stop web, start cache, start web");
    check("web", "start web");
    check("log", "start log");
}

#[test]
fn k94_those_that_are_bound_to_one_that_stays_down_stay_down_and_come_back_with_it() {
    let mut world = bound(Strategy::OneForOne, |plans| plans[0].restart = Restart::Transient);
    world.exit("db", ExitClass::Normal);
    assert_eq!(world.take_log(), "left db, stop web, stop cache");
    world.feed(Event::RestartChild("web".into()));
    assert_eq!(world.take_log(), "answer Refused(DependencyDown(\"cache\"))");
    world.feed(Event::RestartChild("db".into()));
    let back = "start db, answer Started(db#6), start cache, start web";
    assert_eq!(world.take_log(), back);
    world.feed(Event::TerminateChild("db".into()));
    assert_eq!(world.take_log(), "stop web, stop cache, stop db, answer Done");
    world.feed(Event::RestartChild("db".into()));
    assert_eq!(world.take_log(), "start db, answer Started(db#9), start cache, start web");
}

#[test]
fn k94_one_that_waits_for_its_own_retry_is_not_brought_along() {
    let mut world = bound(Strategy::OneForAll, |plans| {
        let backoff = Backoff::exponential(SECOND, SECOND);
        plans[2].backoff = Some(Box::new(backoff));
    });
    world.exit("cache", ExitClass::Abnormal);
    world.take_log();
    world.feed(Event::RestartChild("db".into()));
    assert_eq!(world.take_log(), "start db, answer Started(db#6)");
    world.now += SECOND;
    world.retry();
    let all = "stop db, start db, start log, start cache, start mail, start web";
    assert_eq!(world.take_log(), all);
}

#[test]
fn k94_the_other_strategies_take_those_that_are_bound_along_when_one_stays_down() {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        let mut world = bound(strategy, |plans| plans[0].restart = Restart::Temporary);
        world.exit("db", ExitClass::Abnormal);
        let expected = "left db, forget db, stop web, stop cache";
        assert_eq!(world.take_log(), expected, "{strategy:?}");
    }
}

#[test]
fn k94_a_start_that_fails_holds_up_those_that_are_bound_to_it_only() {
    let mut world = bound(Strategy::OneForOne, |plans| {
        plans[3].binds_to = ["db".into()].into();
    });
    world.failing.insert("cache");
    world.exit("db", ExitClass::Abnormal);
    let expected =
        "stop web, stop mail, stop cache, start db, fail cache, retry cache in 0, start mail";
    assert_eq!(world.take_log(), expected);
    world.failing.clear();
    world.retry();
    assert_eq!(world.take_log(), "start cache, start web");
}

#[test]
fn k94_with_backoff_those_that_are_bound_wait_with_it() {
    let mut world = bound(Strategy::OneForOne, |plans| {
        plans[0].backoff = Some(Box::new(Backoff::exponential(SECOND, SECOND * 60)));
    });
    world.exit("db", ExitClass::Abnormal);
    assert_eq!(world.take_log(), "stop web, stop cache, retry db in 1");
    assert!(world.machine.comes_back(&"web".into()));
    assert!(!world.machine.comes_back(&"log".into()));
    world.now += SECOND;
    world.retry();
    assert_eq!(world.take_log(), "start db, start cache, start web");
}

#[test]
fn k94_a_child_in_backoff_whose_dependency_fails_comes_back_with_that() {
    let mut world = bound(Strategy::OneForOne, |plans| {
        plans[2].backoff = Some(Box::new(Backoff::exponential(SECOND, SECOND * 60)));
    });
    world.exit("cache", ExitClass::Abnormal);
    world.exit("db", ExitClass::Abnormal);
    world.now += SECOND;
    world.retry();
    let expected = "stop web, retry cache in 1, start db, start cache, start web";
    assert_eq!(world.take_log(), expected);
}

#[test]
fn k94_giving_up_on_a_child_takes_those_along_that_are_bound_to_it() {
    let mut world = bound(Strategy::OneForOne, |plans| {
        let (intensity, then) = (Intensity::new(0, SECOND), GiveUp::RemoveChild);
        plans[2].limit = Some(Box::new(RestartLimit { intensity, then }));
    });
    world.exit("cache", ExitClass::Abnormal);
    assert_eq!(world.take_log(), "left cache, forget cache, stop web");
    // One that comes back as a younger sibling would be stopped before those that need it.
    world.feed(Event::StartChild(ChildPlan::worker("cache")));
    world.take_log();
    world.feed(Event::RestartChild("web".into()));
    assert_eq!(world.take_log(), "answer Refused(DependencyDown(\"cache\"))");
}

#[test]
fn k94_a_child_is_added_only_to_siblings_that_run() {
    let mut world = bound(Strategy::OneForOne, |_| {});
    let plan = |on: &str| ChildPlan { binds_to: [on.into()].into(), ..ChildPlan::worker("new") };
    world.feed(Event::StartChild(plan("nobody")));
    let unknown = r#"UnknownDependency { id: "new", on: "nobody" }"#;
    assert_eq!(world.take_log(), format!("answer Refused(Invalid({unknown}))"));
    world.feed(Event::TerminateChild("web".into()));
    world.take_log();
    world.feed(Event::StartChild(plan("web")));
    assert_eq!(world.take_log(), "answer Refused(DependencyDown(\"web\"))");
    assert_eq!(world.machine.state_of(&"new".into()), None);
    world.feed(Event::StartChild(plan("db")));
    world.take_log();
    world.exit("db", ExitClass::Abnormal);
    assert_eq!(
        world.take_log(),
        "stop new, stop cache, start db, start cache, start web, start new"
    );
}

#[test]
fn k94_the_last_significant_child_is_the_last_although_it_takes_others_along() {
    let significant = |plan: &mut ChildPlan| {
        plan.significant = true;
        plan.restart = Restart::Transient;
    };
    let mut plans = family();
    significant(&mut plans[0]);
    significant(&mut plans[4]);
    let auto_shutdown = AutoShutdown::AllSignificant;
    let flags = Flags { auto_shutdown, ..Flags::default() };
    let mut world = World::with_flags(Strategy::OneForOne, flags, plans).boot();
    world.exit("db", ExitClass::Normal);
    assert_eq!(
        world.take_log(),
        "left db, stop web, stop mail, stop cache, stop log, exit AutoShutdown"
    );
}

#[test]
fn k94_a_dynamic_child_is_bound_to_nobody() {
    let mut machine = crate::DynamicMachine::new(Flags::default(), None).unwrap();
    let plan = ChildPlan { binds_to: ["db".into()].into(), ..ChildPlan::worker("a") };
    let unknown = SpecError::UnknownDependency { id: "a".into(), on: "db".into() };
    let refused = machine.start_child(plan);
    assert_eq!(refused.err(), Some(crate::DynamicRefusal::Invalid(unknown)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Nobody ever starts or runs without the elders it is bound to, whatever happens.
    #[test]
    fn k94_nobody_runs_without_what_it_is_bound_to(
        strategy in strategy(),
        restarts in proptest::collection::vec(restart(), NAMES.len()),
        bonds in proptest::collection::vec(any::<[bool; NAMES.len()]>(), NAMES.len()),
        acts in proptest::collection::vec(act(), 0..60),
    ) {
        let plan = |at: usize| {
            let on = NAMES[..at].iter().zip(&bonds[at]).filter(|(_, bound)| **bound);
            let binds_to = on.map(|(name, _)| ChildId::from(*name)).collect();
            ChildPlan { restart: restarts[at], binds_to, ..ChildPlan::worker(NAMES[at]) }
        };
        let plans = (0..NAMES.len()).map(plan).collect();
        let mut world = World::new(strategy, Intensity::new(20, SECOND * 5), plans).boot();
        for act in &acts {
            play(&mut world, act);
            for view in world.machine.children().filter(|view| world.live.contains_key(&view.plan.id)) {
                for on in &view.plan.binds_to {
                    prop_assert!(world.live.contains_key(on), "{view:?} after {:?}", world.log);
                }
            }
            let known = world.machine.counts().active;
            prop_assert_eq!(known, world.live.len(), "{:?}", world.log);
        }
    }
}
