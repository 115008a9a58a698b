//! Stories of single pull requests, from the first look at the forge to what people read.

mod commits;
mod requests;
mod trouble;
mod verdicts;

use crate::forge::ReviewState;
use crate::outcome::JobResult;
use crate::outline::Preparation;
use crate::world::{World, id};

/// Two components, with a job that waits for approval.
const SHOP: &str = "air:compile air:test<air:compile cloak:compile cloak:test<cloak:compile \
                    cloak:compliance!<cloak:compile";
const ALL: &str = "air:compile air:test cloak:compile cloak:compliance cloak:test";
const MERGEABLE: &str = "success: pull request can be merged";

fn shop() -> World {
    World::new(SHOP)
}

fn approved() -> World {
    let mut world = shop();
    world.truth.review("ada", ReviewState::Approved);
    world
}

fn failing(job: &'static str) -> World {
    let mut world = approved();
    fail(&mut world, job);
    world
}

fn fail(world: &mut World, job: &'static str) {
    let result = move |is_it| if is_it { JobResult::Failed } else { JobResult::Passed };
    world.result = Box::new(move |_, found| result(*found == id(job)));
}

fn conflict() -> Preparation {
    Preparation::Conflict { paths: vec!["cart.ex".to_owned()] }
}

/// Lets things happen until `job` runs and the pull request knows of all that ended before.
fn run_until(world: &mut World, job: &str) {
    world.observe();
    while !world.running().split(' ').any(|running| running == job) {
        assert!(world.progress(), "{job} never runs");
    }
    while world.deliver_to_pull(None) {}
}

#[track_caller]
fn check(world: &World, umbrella: &str, passed: &str) {
    assert_eq!((world.umbrella().as_str(), world.jobs_that("passed").as_str()), (umbrella, passed));
}

#[track_caller]
fn check_trace(world: &World, from: usize, expected: &[&str]) {
    assert_eq!(world.trace[from..], *expected);
}
