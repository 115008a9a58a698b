//! Heads and bases that move, conflict, close and come back.

use std::sync::Arc;

use crate::forge::PullState;
use crate::ids::BranchName;
use crate::outline::Preparation;
use crate::policy::BaseMoved;
use crate::pull::Request;
use crate::pull::tests::stories::{
    ALL, MERGEABLE, SHOP, approved, check, check_trace, conflict, failing, run_until, shop,
};
use crate::world::{World, plan_of, planned, sha};

#[test]
fn a_conflict_runs_nothing_until_it_is_resolved() {
    let mut world = shop();
    world.plan = Box::new(|_| conflict());
    world.settle();
    check(&world, "failure: there are merge conflicts", "");
    assert!(world.started.is_empty());
    world.plan = plan_of(SHOP);
    world.truth.facts.base_sha = Some(sha('c'));
    world.settle();
    check(&world, "pending: awaiting approval", "air:compile air:test cloak:compile cloak:test");
}

#[test]
fn nothing_runs_while_the_merge_is_unknown() {
    let mut world = approved();
    world.observe();
    check(&world, "pending: initializing", "");
    assert!(world.started.is_empty());
    world.truth.facts.base_sha = None;
    let mut baseless = approved();
    baseless.truth.facts.base_sha = None;
    baseless.settle();
    check(&baseless, "pending: initializing", "");
    check_trace(&baseless, 0, &[]);
}

#[test]
fn a_new_commit_runs_everything_again() {
    let mut world = approved();
    world.settle();
    world.truth.facts.head.sha = sha('f');
    world.observe();
    check(&world, "pending: initializing", "");
    while world.pull.outline().is_none() {
        assert!(world.progress());
    }
    let awaiting = ALL.replace(' ', ", ");
    assert_eq!(world.umbrella(), format!("pending: awaiting {awaiting}"));
    world.settle();
    check(&world, MERGEABLE, ALL);
}

#[test]
fn a_moved_base_lets_running_jobs_go_on() {
    let mut world = approved();
    run_until(&mut world, "air:test");
    world.truth.facts.base_sha = Some(sha('c'));
    world.settle();
    check(&world, MERGEABLE, ALL);
    assert_eq!(world.started.len(), 5, "{:?}", world.started);
    assert!(!world.trace.contains(&"supersede".to_owned()));
}

#[test]
fn a_green_pull_request_stays_green_when_its_base_moves() {
    let mut world = approved();
    world.settle();
    let trace = world.trace.len();
    world.truth.facts.base_sha = Some(sha('c'));
    world.observe();
    check(&world, MERGEABLE, ALL);
    world.settle();
    check(&world, MERGEABLE, ALL);
    check_trace(&world, trace, &["prepare a on c"]);
}

#[test]
fn what_is_asked_for_on_a_newer_merge_waits_for_the_build_of_the_older() {
    let mut world = failing("air:compile");
    run_until(&mut world, "cloak:test");
    while world.jobs_that("failed").is_empty() {
        assert!(world.deliver_to_pull(None) || world.deliver_to_build(None));
    }
    world.truth.facts.base_sha = Some(sha('c'));
    world.observe();
    world.answer_preparation(true);
    while world.deliver_to_pull(None) {}
    world.request(Request::Retry(None)).unwrap();
    let trace = world.trace.len();
    world.settle();
    check_trace(&world, trace, &["end 1", "build 2: air:compile air:test", "end 2"]);
}

#[test]
fn a_base_that_never_rests_does_not_keep_a_head_waiting() {
    let mut world = approved();
    world.observe();
    for base in ['c', 'd', 'e', 'f'] {
        world.truth.facts.base_sha = Some(sha(base));
        world.observe();
        world.answer_preparation(true);
        while world.deliver_to_pull(None) {}
    }
    check_trace(
        &world,
        0,
        &[
            "prepare a on b",
            "prepare a on c",
            &format!("build 1: {ALL}"),
            "prepare a on d",
            "prepare a on e",
            "prepare a on f",
        ],
    );
}

#[test]
fn a_head_that_goes_back_is_not_built_again() {
    let mut world = approved();
    world.settle();
    world.truth.facts.head.sha = sha('f');
    run_until(&mut world, "air:compile");
    world.truth.facts.head.sha = sha('a');
    world.settle();
    check(&world, MERGEABLE, ALL);
    assert_eq!(world.pull.build(), None);
}

#[test]
fn closing_stops_everything_and_reopening_finishes_it() {
    let mut world = approved();
    run_until(&mut world, "air:test");
    world.truth.facts.state = PullState::Closed;
    world.settle();
    assert_eq!((world.closed, world.running().as_str()), (true, ""));
    let started = world.started.len();
    let trace = world.trace.len();
    world.truth.facts.state = PullState::Open;
    world.settle();
    check(&world, MERGEABLE, ALL);
    assert_eq!(world.trace[trace], "prepare a on b", "the merge was let go of");
    assert!(world.started.len() < started + 5, "what had passed ran again");
}

#[test]
fn reopening_while_the_build_stops_waits_for_its_end() {
    let mut world = approved();
    run_until(&mut world, "air:test");
    world.truth.facts.state = PullState::Merged;
    world.observe();
    world.truth.facts.state = PullState::Open;
    world.settle();
    check(&world, MERGEABLE, ALL);
    assert!(!world.closed);
}

#[test]
fn a_preparation_that_does_not_work_is_tried_again() {
    let mut world = approved();
    world.observe();
    world.answer_preparation(false);
    world.deliver_to_pull(None);
    check(&world, "pending: initializing", "");
    let why = &world.verdict().unmet[0].met_by;
    assert_eq!(why, "the merge, which is tried again: out of memory");
    world.settle();
    check(&world, MERGEABLE, ALL);
}

/// The jobs of [`SHOP`], whose inputs `air` shares with the base.
fn plan_with_base(world: &mut World) {
    world.plan = Box::new(|basis| match planned(basis, SHOP) {
        Preparation::Planned { merge, mut outline } => {
            for (id, job) in Arc::make_mut(&mut outline.jobs) {
                let is_shared = id.component.as_str() == "air";
                job.digest = if is_shared { basis.base.to_string() } else { "1".to_owned() };
            }
            Preparation::Planned { merge, outline }
        }
        other => other,
    });
}

#[test]
fn a_moved_base_runs_again_what_its_changes_touch_where_the_policy_says_so() {
    for (base_moved, expected) in
        [(BaseMoved::Keep, ""), (BaseMoved::Rerun, "build 2: air:compile air:test")]
    {
        let mut world = approved();
        world.policy.base_moved = base_moved;
        plan_with_base(&mut world);
        world.settle();
        let trace = world.trace.len();
        world.truth.facts.base_sha = Some(sha('c'));
        world.settle();
        check(&world, MERGEABLE, ALL);
        let built = world.trace[trace..].iter().find(|line| line.starts_with("build"));
        assert_eq!(built.map_or("", String::as_str), expected, "{base_moved:?}");
    }
}

#[test]
fn a_moved_base_whose_changes_come_back_runs_nothing_a_third_time() {
    let mut world = approved();
    world.policy.base_moved = BaseMoved::Rerun;
    plan_with_base(&mut world);
    for base in ['b', 'c', 'c'] {
        world.truth.facts.base_sha = Some(sha(base));
        world.settle();
    }
    check(&world, MERGEABLE, ALL);
    assert_eq!(world.started.len(), 7, "{:?}", world.started);
}

#[test]
fn a_pull_request_for_another_branch_is_merged_there_and_keeps_what_has_passed() {
    let mut world = approved();
    world.settle();
    let trace = world.trace.len();
    world.truth.facts.base = BranchName::new("release").unwrap();
    world.truth.facts.base_sha = Some(sha('d'));
    world.settle();
    check(&world, MERGEABLE, ALL);
    check_trace(&world, trace, &["prepare a on d"]);
    world.plan = Box::new(|_| conflict());
    world.truth.facts.base = BranchName::new("main").unwrap();
    world.truth.facts.base_sha = Some(sha('e'));
    world.settle();
    check(&world, "failure: there are merge conflicts", ALL);
}

#[test]
fn another_branch_that_affects_more_builds_what_is_new() {
    let mut world = approved();
    world.plan = Box::new(|basis| {
        let jobs =
            if basis.base == sha('b') { "air:test cloak:test-" } else { "air:test cloak:test" };
        planned(basis, jobs)
    });
    world.settle();
    check(&world, MERGEABLE, "air:test");
    let trace = world.trace.len();
    world.truth.facts.base = BranchName::new("release").unwrap();
    world.truth.facts.base_sha = Some(sha('d'));
    world.settle();
    check(&world, MERGEABLE, "air:test cloak:test");
    check_trace(&world, trace, &["prepare a on d", "build 2: cloak:test", "end 2"]);
}
