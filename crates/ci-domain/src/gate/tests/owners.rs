//! Owners of changed paths who must approve.

use crate::code_owners::{CodeOwners, Owner};
use crate::forge::ReviewState;
use crate::ids::Login;
use crate::outline::Preparation;
use crate::policy::StaleApprovals;
use crate::pull::Question;
use crate::world::{World, planned, sha};

/// A change of these paths, whose owners are asked.
fn owned(lines: &'static str, paths: &'static [&'static str]) -> World {
    let mut world = World::new("air:test air:ship!<air:test");
    world.policy.mergeable.code_owners = true;
    world.plan = Box::new(move |basis| match planned(basis, "air:test air:ship!<air:test") {
        Preparation::Planned { merge, mut outline } => {
            outline.owned = CodeOwners::parse(lines).owned(paths.iter().copied());
            Preparation::Planned { merge, outline }
        }
        other => other,
    });
    world
}

fn member(login: &str, owner: &str) -> Question {
    Question { login: Login::new(login).unwrap(), owner: Owner::parse(owner).unwrap() }
}

#[track_caller]
fn check(world: &mut World, umbrella: &str, unmet: &[(&str, &str)]) {
    world.settle();
    let verdict = world.verdict();
    let found: Vec<(&str, &str)> = verdict
        .unmet
        .iter()
        .map(|unmet| (unmet.condition.as_str(), unmet.met_by.as_str()))
        .collect();
    assert_eq!((world.umbrella().as_str(), found.as_slice()), (umbrella, unmet));
}

const AWAITING: &str = "pending: awaiting approval";
const MERGEABLE: &str = "success: pull request can be merged";

#[test]
fn every_changed_path_with_owners_wants_one_of_them() {
    let mut world = owned("/lib/ @linus @grace\n/web/ @Ada\n", &["lib/a", "lib/b", "web/a", "x"]);
    let of_lib = (
        "awaiting approval by an owner of `lib/a` and one more path",
        "approval by any of `@grace`, `@linus`, with write access",
    );
    world.truth.review("ada", ReviewState::Approved);
    check(&mut world, AWAITING, &[of_lib]);
    assert_eq!(world.jobs_that("passed"), "air:test", "what waits for approval waits for owners");
    world.truth.review("grace", ReviewState::Approved);
    check(&mut world, MERGEABLE, &[]);
    assert_eq!(world.jobs_that("passed"), "air:ship air:test");
    world.truth.review("grace", ReviewState::Dismissed);
    check(&mut world, AWAITING, &[of_lib]);
}

#[test]
fn nobody_is_asked_where_the_policy_does_not_say_so_or_nobody_owns_anything() {
    for (asks, lines) in [(false, "* @linus"), (true, ""), (true, "* @linus\n/lib/\n")] {
        let mut world = owned(lines, &["lib/a"]);
        world.policy.mergeable.code_owners = asks;
        world.truth.review("ada", ReviewState::Approved);
        check(&mut world, MERGEABLE, &[]);
        assert!(!world.trace.iter().any(|line| line.starts_with("ask")));
    }
}

#[test]
fn an_owner_without_write_access_and_the_author_do_not_count() {
    let mut world = owned("* @bob @eve", &["a"]);
    world.truth.review("ada", ReviewState::Approved);
    world.truth.review("eve", ReviewState::Approved);
    world.truth.review("bob", ReviewState::Approved);
    world.truth.facts.reviews[1].writer = false;
    let unmet = (
        "awaiting approval by an owner of `a`",
        "approval by any of `@bob`, `@eve`, with write access",
    );
    check(&mut world, AWAITING, &[unmet]);
}

#[test]
fn the_forge_says_who_is_in_a_team_and_whose_an_address_is() {
    let mut world = owned("/lib/ @acme/libs\n/web/ dev@example.com\n", &["lib/a", "web/a"]);
    world.belongings = [member("ada", "@acme/libs"), member("linus", "dev@example.com")].into();
    let of_web = (
        "awaiting approval by an owner of `web/a`",
        "approval by `dev@example.com`, with write access",
    );
    world.truth.review("ada", ReviewState::Approved);
    check(&mut world, AWAITING, &[of_web]);
    world.truth.review("linus", ReviewState::Approved);
    check(&mut world, MERGEABLE, &[]);
    let asked: Vec<&String> = world.trace.iter().filter(|line| line.starts_with("ask")).collect();
    assert_eq!(
        asked,
        [
            "ask ada in @acme/libs, ada in dev@example.com",
            "ask ada in @acme/libs, ada in dev@example.com, linus in @acme/libs, linus in dev@example.com",
        ]
    );
}

#[test]
fn whoever_leaves_a_team_owns_nothing_from_the_next_change_on() {
    let mut world = owned("* @acme/all", &["a"]);
    world.belongings = [member("ada", "@acme/all")].into();
    world.truth.review("ada", ReviewState::Approved);
    check(&mut world, MERGEABLE, &[]);
    world.belongings.clear();
    check(&mut world, MERGEABLE, &[]);
    world.crash();
    check(
        &mut world,
        AWAITING,
        &[("awaiting approval by an owner of `a`", "approval by `@acme/all`, with write access")],
    );
    world.belongings = [member("ada", "@acme/all")].into();
    world.truth.facts.head.sha = sha('f');
    check(&mut world, MERGEABLE, &[]);
}

#[test]
fn what_the_forge_said_holds_over_a_restart_until_it_says_otherwise() {
    let mut world = owned("* @acme/all", &["a"]);
    world.belongings = [member("ada", "@acme/all")].into();
    world.truth.review("ada", ReviewState::Approved);
    world.settle();
    let replayed = world.replayed();
    assert_eq!(replayed.verdict(), world.verdict());
}

#[test]
fn a_stale_approval_of_an_owner_is_stale_too() {
    let mut world = owned("* @ada", &["a"]);
    world.policy.mergeable.stale_approvals = StaleApprovals::Dismiss;
    world.policy.mergeable.approvals = 0;
    world.truth.review("ada", ReviewState::Approved);
    check(&mut world, MERGEABLE, &[]);
    world.truth.facts.head.sha = sha('f');
    check(
        &mut world,
        AWAITING,
        &[("awaiting approval by an owner of `a`", "approval by `@ada`, with write access")],
    );
}
