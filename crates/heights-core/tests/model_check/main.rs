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
//! - A child with a limit of its own is measured by that first: one too many and it goes alone, or
//!   all go, as it says.
//! - Whoever is bound to others never runs without them, goes before they go, and comes back after
//!   them; a start that fails holds up nobody else.
//! - New specs start and stop nobody; they hold from the next start on, in their order, and a count
//!   of failures goes on unless its limit is another one. Wrong specs change nothing. Who was to
//!   come back with another still does, though specs have parted them; who runs when specs bind it
//!   to what is not there goes on until it is started again.
//! - Each request gets one answer, the right one.
//! - Old news, of a life or a timer that is over, changes nothing.
//!
//! The supervisor whose children come and go is explored in the same way (`dynamic.rs`). That the
//! invariants bite is shown by machines that are wrong on purpose (`mutants.rs`).

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]
#![expect(clippy::print_stdout, reason = "how much was explored is worth knowing")]

mod dynamic;
mod explore;
mod history;
mod mutants;
mod setups;
mod turn;
mod world;

use heights_core::Strategy::{OneForAll, OneForOne, RestForOne};

use self::explore::{Explored, explore, wander};
use self::setups::Setup;
use self::world::{Stimulus, World};

/// Explores all states of each setup; prints how many there are.
fn check(title: &str, setups: impl IntoIterator<Item = Setup>) {
    let mut all = Explored::default();
    for setup in setups {
        let explored = explore(World::new(&setup, setup.machine()));
        all += explored.unwrap_or_else(|broken| panic!("{broken}"));
    }
    let Explored { setups, states, steps } = all;
    println!("{title}: {setups} setups, {states} states, {steps} steps");
    assert!(states > 200 * setups, "hardly anything happens");
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

#[test]
fn limits_of_children() {
    check("limited", [OneForOne, RestForOne, OneForAll].into_iter().flat_map(Setup::limited));
}

#[test]
fn bound_children() {
    check("bound", [OneForOne, RestForOne, OneForAll].into_iter().flat_map(Setup::bound));
}

#[test]
fn bound_children_and_more() {
    let setups = [OneForOne, RestForOne, OneForAll].into_iter().flat_map(Setup::bound_and_more);
    check("bound and more", setups);
}

#[test]
fn new_specs() {
    check("reconfigured", [OneForOne, RestForOne, OneForAll].map(Setup::reconfigured));
}

#[test]
fn new_bonds() {
    check("rebound", [OneForOne, RestForOne, OneForAll].into_iter().flat_map(Setup::rebound));
}

/// The same events at the same times lead to the same actions, so what was recorded of a machine
/// can be replayed to see why it did what it did.
#[test]
fn a_recorded_history_replays_step_by_step() {
    for seed in 0..50 {
        let strategy = [OneForOne, RestForOne, OneForAll][seed % 3];
        let setup = Setup::edited(strategy);
        // Its own end is likely enough without being asked for.
        let world = World::new(&setup, setup.machine());
        let recorded = wander(world, seed as u64, &Stimulus::Stop).history.steps();
        assert!(recorded.len() > 5, "nothing happens with seed {seed}");
        let mut machine = setup.machine();
        for (at, step) in recorded.iter().enumerate() {
            let actions = machine.step(step.now, step.event.clone());
            assert_eq!(actions, step.actions, "seed {seed}, step {at}, {:?}", step.event);
        }
    }
}
