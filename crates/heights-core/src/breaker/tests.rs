//! Checks the drawing of the breaker by examples and by random histories.

use super::*;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

fn breaker(trip: Trip) -> BreakerMachine {
    let (window, open_for) = (10 * SECOND, 5 * SECOND);
    BreakerMachine::new(BreakerPlan { trip, window, open_for, probes: 2 })
}

/// Calls once at each second and tells how it went: `s`uccess, `f`ailure or given `u`p.
fn call(breaker: &mut BreakerMachine, from: u32, outcomes: &str) -> BreakerState {
    for (second, outcome) in (from..).zip(outcomes.chars()) {
        let outcome = match outcome {
            's' => Outcome::Success,
            'f' => Outcome::Failure,
            _ => Outcome::Unknown,
        };
        let pass = breaker.admit(SECOND * second).expect("the breaker lets it through");
        breaker.tell(SECOND * second, &pass, outcome);
    }
    breaker.state()
}

#[test]
fn opens_after_so_many_failures_in_a_row_within_the_window() {
    let check = |outcomes, expected| {
        assert_eq!(call(&mut breaker(Trip::Consecutive(3)), 0, outcomes), expected, "{outcomes}");
    };
    check("ffsff", BreakerState::Closed);
    check("ffuf", BreakerState::Open(8 * SECOND));
    check("fuuuuuuuuuff", BreakerState::Closed);
}

#[test]
fn opens_at_a_share_of_failures_once_there_are_enough_calls() {
    let check = |outcomes, expected| {
        let mut breaker = breaker(Trip::Rate { share: 0.5, least: 4 });
        assert_eq!(call(&mut breaker, 0, outcomes), expected, "{outcomes}");
    };
    check("fff", BreakerState::Closed);
    check("sssfff", BreakerState::Open(10 * SECOND));
    check("ssssfffs", BreakerState::Closed);
}

#[test]
fn probes_after_its_time_and_closes_when_all_succeed() {
    let mut breaker = breaker(Trip::Consecutive(1));
    call(&mut breaker, 0, "f");
    assert_eq!(breaker.admit(4 * SECOND), Err(SECOND));
    let probes = [(); 2].map(|()| breaker.admit(5 * SECOND).unwrap());
    assert_eq!(breaker.admit(5 * SECOND), Err(Duration::ZERO), "two probes and no more");
    breaker.tell(6 * SECOND, &probes[0], Outcome::Success);
    assert_eq!(
        (breaker.state(), breaker.admit(6 * SECOND).is_err()),
        (BreakerState::HalfOpen, true)
    );
    breaker.tell(6 * SECOND, &probes[1], Outcome::Success);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn one_failed_probe_opens_it_again_and_one_given_up_makes_room_for_another() {
    let mut breaker = breaker(Trip::Consecutive(1));
    call(&mut breaker, 0, "f");
    assert_eq!(call(&mut breaker, 5, "us"), BreakerState::HalfOpen);
    assert_eq!(call(&mut breaker, 7, "f"), BreakerState::Open(12 * SECOND));
}

#[test]
fn what_a_call_tells_after_a_change_is_old_news() {
    let mut breaker = breaker(Trip::Consecutive(1));
    let slow = breaker.admit(Duration::ZERO).unwrap();
    call(&mut breaker, 1, "f");
    let _probe = breaker.admit(6 * SECOND).unwrap();
    breaker.tell(7 * SECOND, &slow, Outcome::Failure);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
}

proptest! {
    /// It never lets a call through while open, nor more probes than it may.
    #[test]
    fn open_refuses_and_probes_are_bounded(
        steps in prop::collection::vec((0u64..3000, 0u8..4, any::<usize>()), 1..200),
    ) {
        let mut breaker = breaker(Trip::Rate { share: 0.3, least: 3 });
        let (mut now, mut out) = (Duration::ZERO, Vec::new());
        for (pause, op, pick) in steps {
            now += Duration::from_millis(pause);
            if op == 0 || out.is_empty() {
                let before = breaker.state();
                let pass = breaker.admit(now);
                if let (BreakerState::Open(until), Ok(_)) = (before, &pass) {
                    prop_assert!(now >= until);
                }
                out.extend(pass.ok());
            } else {
                let outcome = [Outcome::Success, Outcome::Failure, Outcome::Unknown][usize::from(op - 1)];
                let pass = out.swap_remove(pick % out.len());
                breaker.tell(now, &pass, outcome);
            }
            if breaker.state() == BreakerState::HalfOpen {
                let probing = out.iter().filter(|pass| pass.0 == breaker.era).count();
                prop_assert!(probing <= 2);
            }
            let (failed, all) = breaker.counts(now);
            prop_assert!(failed <= all);
        }
    }
}
