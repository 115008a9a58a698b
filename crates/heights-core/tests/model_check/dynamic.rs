//! Every state that a supervisor of two or three children that come and go can reach.
//!
//! Here starts and stops are under way side by side, so each part of them is a step of its own: a
//! start is asked for and later goes well or does not, a child ends and later that is heard of, and
//! anything may happen in between. It is explored until the last child is gone, not only until the
//! end begins.
//!
//! - At most one life of a child at a time; whoever runs is known, and nobody else.
//! - Nobody is touched but the child that it is about, except by the end, and the end tells everyone
//!   at once and once.
//! - A child that is being stopped never comes back, and neither does one whose retry was called off.
//! - There are never more children than there may be, those that are restarted included; a restart is
//!   not refused for that.
//! - In any period there are at most as many restarts as the limit of the child and then the intensity
//!   say, and never fewer than they allow.
//! - The end has the reason that came first, comes once, leaves nobody behind and always comes.
//! - Old news changes nothing.

mod mutants;
mod setups;
mod turn;
mod world;

use heights_core::Restart::{Permanent, Temporary, Transient};

use self::setups::Setup;
use self::world::World;
use crate::explore::{Explored, explore};

/// Explores all states of each setup; prints how many there are.
fn check(title: &str, setups: impl IntoIterator<Item = Setup>) {
    let mut all = Explored::default();
    for setup in setups {
        let explored = explore(World::new(&setup, setup.machine()));
        all += explored.unwrap_or_else(|broken| panic!("{broken}"));
    }
    let Explored { setups, states, steps } = all;
    println!("dynamic, {title}: {setups} setups, {states} states, {steps} steps");
    assert!(states > 200 * setups, "hardly anything happens");
}

#[test]
fn three_children_of_each_restart_type() {
    check("restart types", [Permanent, Transient, Temporary].map(|restart| Setup::new(&[restart])));
}

#[test]
fn children_of_different_restart_types() {
    check("mixed", [Setup::mixed()]);
}

#[test]
fn delayed_restarts() {
    check("delayed", [Setup::new(&[Permanent]).delayed(), Setup::new(&[Transient]).delayed()]);
}

#[test]
fn limits_of_children() {
    check("limited", [Setup::limited()]);
}

#[test]
fn significant_children() {
    check("significant", Setup::significant());
}
