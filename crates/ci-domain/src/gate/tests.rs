//! The umbrella's table, row by row, and what stands behind each row.

mod owners;

use crate::forge::ReviewState;
use crate::ids::RepoName;
use crate::may_run::Disk;
use crate::outline::Preparation;
use crate::policy::{Forks, StaleApprovals};
use crate::world::{World, sha};

const JOBS: &str = "air:compile air:test<air:compile cloak:compile cloak:ship!<cloak:compile";
const GREEN: &str = "air:compile passed air:test passed cloak:compile passed";
const FINISHED: &str = "air:compile passed air:test passed cloak:compile passed cloak:ship passed";

/// What the umbrella says of a pull request whose jobs have ended so, approved unless `change` says
/// otherwise.
#[track_caller]
fn check_changed(jobs: &str, ended: &str, change: impl FnOnce(&mut World), expected: &str) {
    let world = World::planned(jobs, ended, |world| {
        world.truth.review("ada", ReviewState::Approved);
        change(world);
    });
    assert_eq!(world.umbrella(), expected, "{jobs}: {ended}");
}

#[track_caller]
fn check(jobs: &str, ended: &str, expected: &str) {
    check_changed(jobs, ended, |_| {}, expected);
}

fn no_review(world: &mut World) {
    world.truth.facts.reviews.clear();
}

fn fork(world: &mut World) {
    world.truth.facts.head.repo = Some(RepoName::new("mallory/shop").unwrap());
    no_review(world);
}

#[test]
fn quarantine_comes_first() {
    let mut world = World::planned(JOBS, "air:compile failed", |_| {});
    world.quarantine("a mailbox overflowed");
    assert_eq!(world.umbrella(), "error: quarantined: a mailbox overflowed");
    assert_eq!(
        world.verdict().unmet[0].met_by,
        "a new head, or `ci-node quarantine lift 7 --repo acme/shop`"
    );
}

#[test]
fn what_comes_of_the_merge() {
    let conflict = |_: &_| Preparation::Conflict { paths: vec!["a.ex".into(), "b.ex".into()] };
    let invalid = |_: &_| Preparation::Invalid {
        first: "air/ci.yaml:3: unknown key `job`".to_owned(),
        findings: vec!["air/ci.yaml:3:1: unknown key `job`".to_owned()],
    };
    let (conflicts, broken) =
        ("failure: there are merge conflicts", "failure: air/ci.yaml:3: unknown key `job`");
    check_changed(JOBS, "", |world| world.plan = Box::new(conflict), conflicts);
    check_changed(JOBS, "", |world| world.plan = Box::new(invalid), broken);
    check_changed(JOBS, "", |world| world.truth.facts.base_sha = None, "pending: initializing");
}

#[test]
fn what_comes_of_the_required_jobs() {
    for (ended, expected) in [
        ("", "pending: awaiting air:compile, air:test, cloak:compile, cloak:ship"),
        ("air:compile passed", "pending: awaiting air:test, cloak:compile, cloak:ship"),
        ("air:compile failed", "failure: air:compile failed; awaiting cloak:compile, cloak:ship"),
        ("air:compile oom cloak:compile passed", "error: air:compile crashed; awaiting cloak:ship"),
        (
            "air:compile cancelled cloak:compile oom",
            "error: cloak:compile crashed; air:compile cancelled",
        ),
        (
            "air:compile passed air:test failed cloak:compile failed",
            "failure: air:test, cloak:compile failed",
        ),
        (
            "air:compile failed air:test cancelled cloak:compile oom",
            "failure: air:compile failed; cloak:compile crashed",
        ),
        (FINISHED, "success: pull request can be merged"),
    ] {
        check(JOBS, ended, expected);
    }
}

#[test]
fn a_missing_job_fails_the_pull_request() {
    for (jobs, ended, expected) in [
        ("+air:gone", "", "failure: air:gone missing"),
        ("air:test +air:gone", "", "failure: air:gone missing; awaiting air:test"),
        ("air:test +air:gone", "air:test failed", "failure: air:test failed; air:gone missing"),
    ] {
        check(jobs, ended, expected);
    }
}

#[test]
fn optional_and_unaffected_jobs_do_not_count() {
    for (jobs, ended) in [
        ("air:test air:bench?", "air:test passed air:bench failed"),
        ("air:test air:bench?", "air:test passed"),
        ("air:test cloak:test-", "air:test passed cloak:test failed"),
        ("", ""),
    ] {
        check(jobs, ended, "success: pull request can be merged");
    }
}

#[test]
fn a_required_job_behind_an_optional_one_that_failed_is_not_forgotten() {
    let jobs = "air:bench? air:test<air:bench air:last<air:test";
    check(jobs, "air:bench failed", "pending: awaiting air:last, air:test");
    let world = World::planned(jobs, "air:bench failed", |_| {});
    assert_eq!(
        world.verdict().unmet[0].met_by,
        "their end; `/ci retry` runs the optional job that blocks them"
    );
}

#[test]
fn a_job_that_waits_for_approval_is_not_what_one_reads() {
    check_changed(JOBS, GREEN, no_review, "pending: awaiting approval");
    check(JOBS, GREEN, "pending: awaiting cloak:ship");
    let chain = "air:ship! air:tell<air:ship";
    check_changed(chain, "", no_review, "pending: awaiting approval");
    check(chain, "", "pending: awaiting air:ship, air:tell");
}

#[test]
fn what_people_say_comes_last() {
    let objects = |world: &mut World| world.truth.review("eve", ReviewState::ChangesRequested);
    check_changed(JOBS, FINISHED, |world| world.truth.facts.draft = true, "pending: draft");
    check_changed(JOBS, FINISHED, objects, "pending: changes requested");
    check_changed(JOBS, FINISHED, no_review, "pending: awaiting approval");
    let world = World::planned("air:test", "air:test failed", |world| {
        world.truth.facts.draft = true;
        objects(world);
    });
    let conditions: Vec<String> =
        world.verdict().unmet.into_iter().map(|unmet| unmet.condition).collect();
    assert_eq!(conditions, ["air:test failed", "draft", "changes requested", "awaiting approval"]);
}

#[test]
fn approval_is_the_latest_decisive_word_of_enough_people_who_may_write() {
    use ReviewState::{Approved, ChangesRequested, Commented, Dismissed, Unknown};
    let pending = "pending: awaiting approval";
    let merged = "success: pull request can be merged";
    for (reviews, expected) in [
        (vec![("ada", Approved)], merged),
        (vec![("ada", Approved), ("ada", Commented)], merged),
        (vec![("ada", Approved), ("ada", Unknown)], merged),
        (vec![("ada", Approved), ("ada", Dismissed)], pending),
        (vec![("ada", ChangesRequested), ("ada", Approved)], merged),
        (vec![("ada", Approved), ("ada", ChangesRequested)], "pending: changes requested"),
        (vec![("ada", Approved), ("eve", ChangesRequested)], "pending: changes requested"),
        (vec![("bob", Approved)], pending),
        (vec![("stranger", Approved)], pending),
    ] {
        let change = |world: &mut World| {
            no_review(world);
            for (who, state) in reviews.clone() {
                world.truth.review(who, state);
            }
            for review in &mut world.truth.facts.reviews {
                review.writer = review.author.as_str() != "stranger";
            }
        };
        check_changed("", "", change, expected);
    }
}

#[test]
fn the_policy_says_how_many_approvals_count_and_for_how_long() {
    let two = |world: &mut World| world.policy.mergeable.approvals = 2;
    let tolerant = |world: &mut World| {
        world.policy.mergeable.block_on_changes_requested = false;
        world.truth.review("eve", ReviewState::ChangesRequested);
    };
    let none = |world: &mut World| {
        no_review(world);
        world.policy.mergeable.approvals = 0;
    };
    let stale = |world: &mut World| {
        world.policy.mergeable.stale_approvals = StaleApprovals::Dismiss;
        world.truth.facts.head.sha = sha('f');
    };
    let merged = "success: pull request can be merged";
    check_changed("", "", two, "pending: awaiting approval");
    check_changed("", "", tolerant, merged);
    check_changed("", "", none, merged);
    check_changed("", "", stale, "pending: awaiting approval");
    check_changed("", "", |world| world.truth.facts.head.sha = sha('f'), merged);
}

#[test]
fn a_fork_waits_to_be_let_run_where_it_has_jobs() {
    let waits = "pending: awaiting approval to run aaaaaaaaaaaa";
    let never = |world: &mut World| {
        fork(world);
        world.policy.forks = Forks::Never;
    };
    let always = |world: &mut World| {
        fork(world);
        world.policy.forks = Forks::Always;
    };
    check_changed("air:test", "", fork, waits);
    check_changed("air:test- +air:gone", "", fork, "failure: air:gone missing");
    check_changed("", "", fork, "pending: awaiting approval");
    check_changed("air:test", "", never, "failure: forks are not built");
    check_changed("air:test", "", always, "pending: awaiting air:test");
}

#[test]
fn a_node_that_cannot_run_jobs_says_so_unless_a_failure_is_known() {
    for (ended, expected) in [
        ("", "pending: waiting for disk"),
        ("air:compile passed", "pending: waiting for disk"),
        ("air:test failed", "failure: air:test failed; awaiting air:compile"),
        ("air:compile passed air:test passed", "success: pull request can be merged"),
    ] {
        let full = |world: &mut World| {
            let step = world.pull.note_disk(Disk::Low);
            world.carry_out(step, None);
        };
        check_changed("air:compile air:test", ended, full, expected);
    }
}

#[test]
fn a_long_description_is_cut() {
    let jobs: Vec<String> = (10..60).map(|number| format!("component:job_{number}")).collect();
    let world = World::planned(&jobs.join(" "), "", |_| {});
    let description = world.verdict().description;
    assert_eq!(description.chars().count(), 140);
    assert!(description.starts_with("awaiting component:job_10, ") && description.ends_with(" …"));
}
