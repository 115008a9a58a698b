//! What is built, and what people read of it.

use crate::forge::ReviewState;
use crate::pull::tests::stories::{
    ALL, MERGEABLE, approved, check, check_trace, failing, run_until, shop,
};
use crate::world::{World, id, plan_of, planned};

#[test]
fn a_successful_build() {
    let mut world = approved();
    world.settle();
    check(&world, MERGEABLE, ALL);
    check_trace(&world, 0, &["prepare a on b", &format!("build 1: {ALL}"), "end 1"]);
}

#[test]
fn only_changed_components_are_built() {
    let mut world = approved();
    world.plan = plan_of("air:compile air:test<air:compile cloak:compile- cloak:test-");
    world.settle();
    check(&world, MERGEABLE, "air:compile air:test");
}

#[test]
fn nothing_affected_is_nothing_required() {
    let mut world = World::new("air:compile- air:test-<air:compile");
    world.settle();
    check(&world, "pending: awaiting approval", "");
    world.truth.review("ada", ReviewState::Approved);
    world.settle();
    check(&world, MERGEABLE, "");
    check_trace(&world, 0, &["prepare a on b"]);
}

#[test]
fn a_delayed_approval_starts_what_waited_for_it() {
    let mut world = shop();
    world.settle();
    check(&world, "pending: awaiting approval", "air:compile air:test cloak:compile cloak:test");
    world.truth.review("ada", ReviewState::Approved);
    world.observe();
    assert_eq!(world.umbrella(), "pending: awaiting cloak:compliance");
    world.settle();
    check(&world, MERGEABLE, ALL);
}

#[test]
fn an_approval_that_is_taken_back_and_given_again_runs_nothing_twice() {
    let mut world = approved();
    world.settle();
    world.truth.review("ada", ReviewState::ChangesRequested);
    world.settle();
    check(&world, "pending: changes requested", ALL);
    world.truth.review("ada", ReviewState::Approved);
    world.settle();
    check(&world, MERGEABLE, ALL);
    assert_eq!(world.started.len(), 5);
}

#[test]
fn a_failed_compilation_blocks_its_component_only() {
    let mut world = failing("air:compile");
    world.settle();
    check(&world, "failure: air:compile failed", "cloak:compile cloak:compliance cloak:test");
    assert!(!world.started.contains(&id("air:test")));
}

#[test]
fn a_failed_test_is_named_while_others_run() {
    let mut world = failing("air:test");
    run_until(&mut world, "air:test");
    while world.jobs_that("failed").is_empty() {
        assert!(world.progress());
    }
    let umbrella = world.umbrella();
    assert!(umbrella.starts_with("failure: air:test failed; awaiting cloak:"), "{umbrella}");
    world.settle();
    check(&world, "failure: air:test failed", &ALL.replace("air:test ", ""));
}

#[test]
fn a_job_whose_need_waits_for_approval_waits_too() {
    let mut world = World::new("air:compile air:ship!<air:compile air:announce<air:ship");
    world.settle();
    check(&world, "pending: awaiting approval", "air:compile");
    world.truth.review("ada", ReviewState::Approved);
    world.settle();
    check(&world, MERGEABLE, "air:announce air:compile air:ship");
}

#[test]
fn a_graph_as_wide_as_it_is_deep_is_no_work() {
    let layers: Vec<Vec<String>> =
        (0..40).map(|layer| (0..10).map(|job| format!("air:j{layer}x{job}")).collect()).collect();
    let mut words = Vec::new();
    for (depth, layer) in layers.iter().enumerate() {
        let needs = if depth == 0 { String::new() } else { layers[depth - 1].join(",") };
        words.extend(layer.iter().map(|job| format!("{job}<{needs}")));
    }
    let jobs = words.join(" ");
    let mut world = approved();
    world.plan = Box::new(move |basis| planned(basis, &jobs));
    world.observe();
    world.answer_preparation(true);
    world.deliver_to_pull(None);
    assert_eq!(world.pull.build().unwrap().pending.len(), 400);
}
