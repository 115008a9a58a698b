//! The dynamic machine, step by step and against random histories.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{AutoShutdown, Backoff, GiveUp, Intensity, Restart, RestartLimit};

const SECOND: Duration = Duration::from_secs(1);

fn machine(restarts: u32, max_children: Option<usize>) -> DynamicMachine {
    let intensity = Intensity::new(restarts, SECOND * 5);
    DynamicMachine::new(Flags { intensity, ..Flags::default() }, max_children).unwrap()
}

fn worker(restart: Restart) -> ChildPlan {
    ChildPlan { restart, ..ChildPlan::worker("a") }
}

/// Adds a child and lets it come up.
fn add(machine: &mut DynamicMachine, restart: Restart) -> (ChildKey, Incarnation) {
    let (key, start) = machine.start_child(worker(restart)).unwrap();
    let DynamicAction::Start(_, incarnation) = start else { panic!("{start:?}") };
    let actions = machine.step(Moment::ZERO, DynamicEvent::Started(key, incarnation));
    assert_eq!(actions, []);
    (key, incarnation)
}

#[test]
fn c24_a_transient_child_is_restarted_after_an_abnormal_exit_only() {
    let mut machine = machine(3, None);
    let (key, life) = add(&mut machine, Restart::Transient);
    let exited = |class| DynamicEvent::Exited(key, life, class);
    let actions = machine.step(Moment::ZERO, exited(ExitClass::Abnormal));
    assert_eq!(actions, [DynamicAction::Retry { key, ticket: 1, after: Duration::ZERO }]);
    let actions = machine.step(Moment::ZERO, DynamicEvent::Retry(key, 1));
    let next = Incarnation(life.0 + 1);
    assert_eq!(actions, [DynamicAction::Start(key, next)]);
    machine.step(Moment::ZERO, DynamicEvent::Started(key, next));
    // Old news first, then the real end.
    assert_eq!(machine.step(Moment::ZERO, exited(ExitClass::Normal)), []);
    let actions = machine.step(Moment::ZERO, DynamicEvent::Exited(key, next, ExitClass::Shutdown));
    assert_eq!(actions, [DynamicAction::Left(key), DynamicAction::Forget(key)]);
}

#[test]
fn e52_delays_grow_until_a_child_has_run_for_long_enough() {
    let backoff = Some(Backoff::exponential(SECOND, SECOND * 4).reset_after(SECOND * 10));
    let flags = Flags { intensity: Intensity::new(9, SECOND), backoff, ..Flags::default() };
    let mut machine = DynamicMachine::new(flags, None).unwrap();
    let (key, mut life) = add(&mut machine, Restart::Permanent);
    let mut now = Moment::ZERO;
    let mut fails_after = |seconds: u32, delay: u32| {
        now += SECOND * seconds;
        let actions = machine.step(now, DynamicEvent::Exited(key, life, ExitClass::Abnormal));
        let [DynamicAction::Retry { ticket, after, .. }] = actions[..] else {
            panic!("{actions:?}")
        };
        assert_eq!(after, SECOND * delay, "after {seconds} s");
        now += after;
        let actions = machine.step(now, DynamicEvent::Retry(key, ticket));
        let [DynamicAction::Start(_, next)] = actions[..] else { panic!("{actions:?}") };
        life = next;
        assert_eq!(machine.step(now, DynamicEvent::Started(key, life)), []);
    };
    fails_after(0, 1);
    fails_after(9, 2);
    fails_after(0, 4);
    fails_after(0, 4);
    fails_after(10, 1);
    fails_after(0, 2);
}

#[test]
fn i83_max_children_counts_children_in_restart() {
    let mut machine = machine(3, Some(1));
    let (key, life) = add(&mut machine, Restart::Permanent);
    machine.step(Moment::ZERO, DynamicEvent::Exited(key, life, ExitClass::Abnormal));
    assert!(machine.is_restarting(key));
    let refused = machine.start_child(worker(Restart::Permanent));
    assert_eq!(refused, Err(DynamicRefusal::MaxChildren));
    let actions = machine.step(Moment::ZERO, DynamicEvent::Retry(key, 1));
    assert!(matches!(actions[..], [DynamicAction::Start(..)]));
}

#[test]
fn f58_terminating_a_child_in_restart_cancels_it() {
    let mut machine = machine(3, None);
    let (key, life) = add(&mut machine, Restart::Permanent);
    machine.step(Moment::ZERO, DynamicEvent::Exited(key, life, ExitClass::Abnormal));
    let actions = machine.step(Moment::ZERO, DynamicEvent::Terminate(key));
    assert_eq!(actions, [DynamicAction::Forget(key)]);
    assert_eq!(machine.step(Moment::ZERO, DynamicEvent::Retry(key, 1)), []);
}

#[test]
fn i86_a_start_can_be_given_up_and_may_still_succeed() {
    let mut machine = machine(3, None);
    let (key, _) = machine.start_child(worker(Restart::Permanent)).unwrap();
    let life = Incarnation(1);
    let actions = machine.step(Moment::ZERO, DynamicEvent::Terminate(key));
    assert!(matches!(actions[..], [DynamicAction::Stop(..)]));
    assert_eq!(machine.step(Moment::ZERO, DynamicEvent::Started(key, life)), []);
    let exited = DynamicEvent::Exited(key, life, ExitClass::Shutdown);
    assert_eq!(machine.step(Moment::ZERO, exited), [DynamicAction::Forget(key)]);
}

#[test]
fn e47_giving_up_stops_all_side_by_side_and_then_ends() {
    let mut machine = machine(0, None);
    let (bad, bad_life) = add(&mut machine, Restart::Permanent);
    let (a, a_life) = add(&mut machine, Restart::Permanent);
    let (b, b_life) = add(&mut machine, Restart::Permanent);
    let actions =
        machine.step(Moment::ZERO, DynamicEvent::Exited(bad, bad_life, ExitClass::Abnormal));
    let shutdown = Shutdown::Timeout(SECOND * 5);
    let stops = [
        DynamicAction::Forget(bad),
        DynamicAction::Stop(a, a_life, shutdown),
        DynamicAction::Stop(b, b_life, shutdown),
    ];
    assert_eq!(actions, stops);
    assert_eq!(machine.start_child(worker(Restart::Permanent)), Err(DynamicRefusal::Ending));
    let gone = |key, life| DynamicEvent::Exited(key, life, ExitClass::Shutdown);
    assert_eq!(machine.step(Moment::ZERO, gone(b, b_life)), [DynamicAction::Forget(b)]);
    let last = [DynamicAction::Forget(a), DynamicAction::Exit(Verdict::ReachedMaxIntensity)];
    assert_eq!(machine.step(Moment::ZERO, gone(a, a_life)), last);
}

#[test]
fn g64_all_significant_ends_when_the_last_of_them_has() {
    let flags = Flags { auto_shutdown: AutoShutdown::AllSignificant, ..Flags::default() };
    let mut machine = DynamicMachine::new(flags, None).unwrap();
    let mut add = |significant| {
        let plan = ChildPlan { significant, ..worker(Restart::Temporary) };
        let Ok((key, DynamicAction::Start(_, life))) = machine.start_child(plan) else {
            panic!("it is taken in")
        };
        machine.step(Moment::ZERO, DynamicEvent::Started(key, life));
        (key, life)
    };
    let (first, last, other) = (add(true), add(true), add(false));
    let gone = |(key, life)| DynamicEvent::Exited(key, life, ExitClass::Abnormal);
    let actions = machine.step(Moment::ZERO, gone(first));
    assert_eq!(actions, [DynamicAction::Left(first.0), DynamicAction::Forget(first.0)]);
    let actions = machine.step(Moment::ZERO, gone(last));
    assert!(matches!(actions[..], [_, _, DynamicAction::Stop(key, ..)] if key == other.0));
    let actions = machine.step(Moment::ZERO, gone(other));
    let end = [DynamicAction::Forget(other.0), DynamicAction::Exit(Verdict::AutoShutdown)];
    assert_eq!(actions, end);
}

#[test]
fn g63_a_significant_child_that_is_being_stopped_does_not_hold_up_the_end() {
    let flags = Flags { auto_shutdown: AutoShutdown::AllSignificant, ..Flags::default() };
    let mut machine = DynamicMachine::new(flags, None).unwrap();
    let mut add = || {
        let plan = ChildPlan { significant: true, ..worker(Restart::Transient) };
        let Ok((key, DynamicAction::Start(_, life))) = machine.start_child(plan) else {
            panic!("it is taken in")
        };
        machine.step(Moment::ZERO, DynamicEvent::Started(key, life));
        (key, life)
    };
    let ((slow, slow_life), (last, last_life)) = (add(), add());
    let stopped = machine.step(Moment::ZERO, DynamicEvent::Terminate(slow));
    assert!(matches!(stopped[..], [DynamicAction::Stop(..)]));
    let gone = |key, life| DynamicEvent::Exited(key, life, ExitClass::Normal);
    let actions = machine.step(Moment::ZERO, gone(last, last_life));
    assert_eq!(actions, [DynamicAction::Left(last), DynamicAction::Forget(last)]);
    let actions = machine.step(Moment::ZERO, gone(slow, slow_life));
    let end = [DynamicAction::Forget(slow), DynamicAction::Exit(Verdict::AutoShutdown)];
    assert_eq!(actions, end);
}

#[test]
fn e51_a_child_with_a_limit_of_its_own_is_given_up_first() {
    let given_up = |then| {
        let mut machine = machine(9, None);
        let limit = RestartLimit { intensity: Intensity::new(0, SECOND), then };
        let plan = ChildPlan { limit: Some(Box::new(limit)), ..worker(Restart::Permanent) };
        let (key, _) = machine.start_child(plan).unwrap();
        machine.step(Moment::ZERO, DynamicEvent::Started(key, Incarnation(1)));
        let exited = DynamicEvent::Exited(key, Incarnation(1), ExitClass::Abnormal);
        let actions = machine.step(Moment::ZERO, exited);
        // The end comes once.
        let ended = machine.is_ending();
        assert!(!ended || machine.step(Moment::ZERO, DynamicEvent::Retry(key, 1)).is_empty());
        (actions, key)
    };
    let (actions, key) = given_up(GiveUp::RemoveChild);
    assert_eq!(actions, [DynamicAction::Left(key), DynamicAction::Forget(key)]);
    let (actions, key) = given_up(GiveUp::Escalate);
    let end = DynamicAction::Exit(Verdict::ReachedMaxIntensity);
    assert_eq!(actions, [DynamicAction::Forget(key), end]);
}

#[test]
fn b22_a_wrong_spec_is_not_taken_in() {
    let mut machine = machine(3, None);
    let plan = ChildPlan { significant: true, ..worker(Restart::Transient) };
    let never = SpecError::SignificantNever("a".into());
    assert_eq!(machine.start_child(plan), Err(DynamicRefusal::Invalid(never)));
    assert_eq!(machine.counts(), Counts::default());
}

proptest! {
    /// A child has at most one life at a time, and the end leaves nobody behind.
    #[test]
    fn whatever_happens_the_promises_hold(
        choices in proptest::collection::vec((0_u8..8, 0_usize..6), 0..80),
        restarts in 0_u32..5,
    ) {
        let mut machine = machine(restarts, Some(4));
        let mut live: BTreeMap<ChildKey, Incarnation> = BTreeMap::new();
        let mut starting: BTreeMap<ChildKey, Incarnation> = BTreeMap::new();
        let mut retries = Vec::new();
        let mut ended = false;
        for (second, (choice, which)) in choices.into_iter().enumerate() {
            let now = SECOND * u32::try_from(second).unwrap();
            let pick = |map: &BTreeMap<ChildKey, Incarnation>| {
                map.iter().nth(which).map(|(key, life)| (*key, *life))
            };
            let event = match choice {
                0 | 1 => {
                    let restart = if which % 2 == 0 { Restart::Permanent } else { Restart::Temporary };
                    if let Ok((_, DynamicAction::Start(key, life))) = machine.start_child(worker(restart)) {
                        starting.insert(key, life);
                    }
                    continue;
                }
                2 | 3 => pick(&starting).map(|(key, life)| {
                    starting.remove(&key);
                    live.insert(key, life);
                    DynamicEvent::Started(key, life)
                }),
                4 => pick(&starting).map(|(key, life)| {
                    starting.remove(&key);
                    DynamicEvent::StartFailed(key, life)
                }),
                5 => pick(&live).map(|(key, life)| {
                    live.remove(&key);
                    DynamicEvent::Exited(key, life, ExitClass::Abnormal)
                }),
                6 => pick(&live).map(|(key, _)| DynamicEvent::Terminate(key)),
                _ => retries.pop(),
            };
            let Some(event) = event else { continue };
            for action in machine.step(now, event) {
                prop_assert!(!ended, "acts after its end: {:?}", action);
                match action {
                    DynamicAction::Start(key, life) => {
                        prop_assert!(!live.contains_key(&key), "two lives");
                        prop_assert!(starting.insert(key, life).is_none(), "two lives");
                    }
                    DynamicAction::Retry { key, ticket, .. } => {
                        retries.push(DynamicEvent::Retry(key, ticket));
                    }
                    DynamicAction::Exit(_) => {
                        prop_assert!(live.is_empty() && starting.is_empty(), "left behind");
                        ended = true;
                    }
                    DynamicAction::Forget(key) => prop_assert!(!live.contains_key(&key)),
                    DynamicAction::Stop(..) | DynamicAction::Left(_) => {}
                }
            }
            let window: &RestartWindow = machine.window();
            prop_assert!(machine.is_ending() || window.restarts().count() <= restarts as usize);
        }
    }
}
