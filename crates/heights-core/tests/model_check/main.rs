//! Every state that a supervisor of three children can reach, and what must hold in each.
//!
//! The machine is put into a small world in which anything may happen at any time: a child ends,
//! the news of it arrives later, a start goes well or does not, a timer fires, time passes,
//! somebody asks for something, the supervisor is told to stop, also in the middle of a start.
//! All orders of all of these are tried from the start on, breadth first, until no new state comes
//! up; a state counts as new by what can decide the future, not by how often something happened.
//!
//! - At most one life of a child at a time, in any state.
//! - Starts are in the order of the list, stops in the reverse, and a start waits for the stops.
//! - Only those are touched that share the fate of the child that failed.
//! - In any period there are at most as many restarts as the intensity says, and never fewer than
//!   it allows: a coordinated restart counts once, a failed start counts once.
//! - A stop always ends, leaves nobody behind, and nothing is started after it was asked for.
//! - Each request gets one answer, the right one.
//! - Old news, of a life or a timer that is over, changes nothing.
//!
//! That the invariants bite is shown by machines that are wrong on purpose (`mutants.rs`).

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]
#![expect(clippy::print_stdout, reason = "how much was explored is worth knowing")]

mod explore;
mod history;
mod mutants;
mod setups;
mod turn;
mod world;

use heights_core::Machine;
use heights_core::Strategy::{OneForAll, OneForOne, RestForOne};

use self::explore::explore;
use self::setups::Setup;

/// Explores all states of each setup; prints how many there are.
fn check(title: &str, setups: impl IntoIterator<Item = Setup>) {
    let (mut states, mut steps, mut number) = (0, 0, 0);
    for setup in setups {
        let explored = explore::<Machine>(&setup, setup.machine());
        let explored = explored.unwrap_or_else(|violation| panic!("{violation}"));
        states += explored.states;
        steps += explored.steps;
        number += 1;
    }
    println!("{title}: {number} setups, {states} states, {steps} steps");
    assert!(states > 200 * number, "hardly anything happens");
}

#[test]
fn one_for_one_with_all_restart_types() {
    check("one for one", Setup::all_restart_types(OneForOne));
}

#[test]
fn rest_for_one_with_all_restart_types() {
    check("rest for one", Setup::all_restart_types(RestForOne));
}

#[test]
fn one_for_all_with_all_restart_types() {
    check("one for all", Setup::all_restart_types(OneForAll));
}

#[test]
fn children_that_are_added_and_deleted() {
    check("edited", [OneForOne, RestForOne, OneForAll].map(Setup::edited));
}

#[test]
fn delayed_restarts() {
    check("delayed", [OneForOne, RestForOne, OneForAll].into_iter().flat_map(Setup::delayed));
}

#[test]
fn significant_children() {
    check(
        "significant",
        [OneForOne, RestForOne, OneForAll].into_iter().flat_map(Setup::significant),
    );
}

/// The same events at the same times lead to the same actions, so what was recorded of a machine
/// can be replayed to see why it did what it did.
#[test]
fn a_recorded_history_replays_step_by_step() {
    for seed in 0..50 {
        let strategy = [OneForOne, RestForOne, OneForAll][seed % 3];
        let setup = Setup::edited(strategy);
        let recorded = explore::wander(&setup, seed as u64).steps();
        assert!(recorded.len() > 5, "nothing happens with seed {seed}");
        let mut machine = setup.machine();
        for (at, step) in recorded.iter().enumerate() {
            let actions = machine.step(step.now, step.event.clone());
            assert_eq!(actions, step.actions, "seed {seed}, step {at}, {:?}", step.event);
        }
    }
}
