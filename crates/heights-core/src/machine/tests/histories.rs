//! Random histories of a supervisor with four children.

use proptest::prelude::{
    Just, ProptestConfig, Strategy as Generator, any, prop_assert, prop_assert_eq, prop_oneof,
    proptest,
};

use super::*;

/// What may happen to a supervisor with four children.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Exit(usize, ExitClass),
    Fail(usize, bool),
    Ignore(usize, bool),
    Terminate(usize),
    Restart(usize),
    Delete(usize),
    Add(usize, Restart),
    Wait(u64),
    Stop,
}

pub(super) const NAMES: [&str; 4] = ["d", "b", "c", "a"];

pub(super) fn act() -> impl Generator<Value = Act> {
    let class = prop_oneof![
        Just(ExitClass::Normal),
        Just(ExitClass::Shutdown),
        Just(ExitClass::Abnormal),
        Just(ExitClass::Abnormal)
    ];
    let child = || 0..NAMES.len();
    prop_oneof![
        8 => (child(), class).prop_map(|(child, class)| Act::Exit(child, class)),
        2 => (child(), any::<bool>()).prop_map(|(child, fails)| Act::Fail(child, fails)),
        1 => (child(), any::<bool>()).prop_map(|(child, ignores)| Act::Ignore(child, ignores)),
        1 => child().prop_map(Act::Terminate),
        1 => child().prop_map(Act::Restart),
        1 => child().prop_map(Act::Delete),
        1 => (child(), restart()).prop_map(|(child, restart)| Act::Add(child, restart)),
        4 => (0_u64..4).prop_map(Act::Wait),
        1 => Just(Act::Stop),
    ]
}

pub(super) fn restart() -> impl Generator<Value = Restart> {
    prop_oneof![Just(Restart::Permanent), Just(Restart::Transient), Just(Restart::Temporary)]
}

pub(super) fn strategy() -> impl Generator<Value = Strategy> {
    prop_oneof![Just(Strategy::OneForOne), Just(Strategy::OneForAll), Just(Strategy::RestForOne)]
}

pub(super) fn play(world: &mut World, act: &Act) {
    let id = |child: usize| ChildId::from(NAMES[child]);
    match act {
        Act::Exit(child, class) => world.exit(NAMES[*child], *class),
        Act::Fail(child, true) => drop(world.failing.insert(NAMES[*child])),
        Act::Fail(child, false) => drop(world.failing.remove(NAMES[*child])),
        Act::Ignore(child, true) => drop(world.ignoring.insert(NAMES[*child])),
        Act::Ignore(child, false) => drop(world.ignoring.remove(NAMES[*child])),
        Act::Terminate(child) => world.feed(Event::TerminateChild(id(*child))),
        Act::Restart(child) => world.feed(Event::RestartChild(id(*child))),
        Act::Delete(child) => world.feed(Event::DeleteChild(id(*child))),
        Act::Add(child, restart) => {
            let plan = ChildPlan { restart: *restart, ..ChildPlan::worker(NAMES[*child]) };
            world.feed(Event::StartChild(plan));
        }
        Act::Wait(seconds) => {
            world.now += SECOND * u32::try_from(*seconds).unwrap();
            world.retry();
        }
        Act::Stop => world.feed(Event::Stop),
    }
}

/// Tells the same as `comes_back` where nobody takes new specs.
fn comes_back_by_a_look_at_all(machine: &Machine, id: &ChildId) -> bool {
    let mut waiting =
        machine.children().filter(|view| matches!(view.state, ChildState::Restarting(_)));
    waiting.any(|view| machine.fellows(&view.plan.id).contains(id))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// At most one life per child, no act while another is under way, nothing after the end, and
    /// nobody left behind at the end (the world checks those); and:
    #[test]
    fn whatever_happens_the_promises_hold(
        strategy in strategy(),
        restarts in proptest::collection::vec(restart(), NAMES.len()),
        intensity in 0_u32..4,
        acts in proptest::collection::vec(act(), 0..60),
    ) {
        let plan = |(name, restart): (&&'static str, &Restart)| {
            ChildPlan { restart: *restart, ..ChildPlan::worker(*name) }
        };
        let plans = NAMES.iter().zip(&restarts).map(plan).collect();
        let limits = Intensity::new(intensity, SECOND * 5);
        let mut world = World::new(strategy, limits, plans).boot();
        for act in &acts {
            if world.verdict.is_some() {
                break;
            }
            let before: Vec<ChildId> = world.live.keys().cloned().collect();
            world.take_log();
            play(&mut world, act);
            // One for one never touches a sibling that runs, except to end.
            if strategy == Strategy::OneForOne && matches!(act, Act::Exit(..)) && world.verdict.is_none() {
                prop_assert!(!world.log.iter().any(|line| line.starts_with("stop")), "{:?}", world.log);
            }
            // Restarts that count never exceed the intensity while the supervisor goes on.
            let window = world.machine.window();
            if world.verdict.is_none() {
                prop_assert!(window.restarts().count() <= intensity as usize);
            }
            // Nothing runs that the machine does not know to run.
            let known = world.machine.counts().active;
            prop_assert!(world.verdict.is_some() || known == world.live.len(), "{before:?}");
            // Who comes back is known without a look at all children.
            for id in NAMES.map(ChildId::from) {
                let expected = comes_back_by_a_look_at_all(&world.machine, &id);
                prop_assert_eq!(world.machine.comes_back(&id), expected, "{}", id);
            }
        }
        if world.verdict.is_none() {
            // The end comes at once and in reverse order of the list.
            let listed: Vec<ChildId> = world.machine.children().map(|view| view.plan.id.clone()).collect();
            let mut expected: Vec<String> = listed.iter().rev()
                .filter(|id| world.live.contains_key(*id))
                .map(|id| format!("stop {id}"))
                .collect();
            expected.push("exit Stopped".to_owned());
            world.take_log();
            world.feed(Event::Stop);
            prop_assert_eq!(world.log, expected);
        }
    }

    /// However often one child fails, at most `intensity` restarts fall into any period.
    #[test]
    fn e43_never_more_restarts_in_a_period_than_allowed(
        intensity in 0_u32..5,
        gaps in proptest::collection::vec(0_u64..4000, 1..60),
    ) {
        let period = SECOND * 5;
        let limits = Intensity::new(intensity, period);
        let mut world = World::new(Strategy::OneForOne, limits, plans(&["a"])).boot();
        let mut starts: Vec<Moment> = Vec::new();
        for gap in gaps {
            world.now += Duration::from_millis(gap);
            world.take_log();
            world.exit("a", ExitClass::Abnormal);
            if world.take_log().contains("start a") {
                starts.push(world.now);
            }
        }
        for (at, start) in starts.iter().enumerate() {
            let within = starts[at..].iter().filter(|other| **other - *start <= period).count();
            prop_assert!(within <= intensity as usize, "{starts:?}");
        }
    }
}
