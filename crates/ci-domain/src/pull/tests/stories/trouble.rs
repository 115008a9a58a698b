//! Disks, runners, actors and the machine itself giving way.

use crate::build::Order;
use crate::forge::ReviewState;
use crate::may_run::Disk;
use crate::outline::Preparation;
use crate::pull::tests::stories::{ALL, MERGEABLE, approved, check, check_trace, run_until, shop};
use crate::pull::{PullEvent, Refusal, Request};
use crate::world::sha;

#[test]
fn a_full_disk_starts_nothing() {
    let mut world = approved();
    let step = world.pull.note_disk(Disk::Low);
    world.carry_out(step, None);
    world.observe();
    check(&world, "pending: waiting for disk", "");
    world.answer_preparation(true);
    world.deliver_to_pull(None);
    check(&world, "pending: waiting for disk", "");
    assert_eq!(world.pull.build(), None);
    world.settle();
    check(&world, MERGEABLE, ALL);
    let step = world.pull.note_disk(Disk::Low);
    world.carry_out(step, None);
    check(&world, MERGEABLE, ALL);
}

#[test]
fn a_job_whose_runner_is_lost_again_has_crashed() {
    let mut world = approved();
    for _ in 0..2 {
        run_until(&mut world, "air:compile");
        world.lose_runners();
    }
    while world.jobs_that("crashed").is_empty() {
        assert!(world.progress());
    }
    world.settle();
    let umbrella = world.umbrella();
    assert!(umbrella.starts_with("error: air:compile"), "{umbrella}");
    world.request(Request::Retry(None)).unwrap();
    world.settle();
    check(&world, MERGEABLE, ALL);
}

#[test]
fn another_life_looks_again_at_what_was_invalid() {
    let mut world = approved();
    let plan = std::mem::replace(&mut world.plan, Box::new(|_| invalid()));
    world.settle();
    check(&world, "failure: ci-policy.yaml:2: no such secret", "");
    world.plan = plan;
    world.settle();
    check(&world, "failure: ci-policy.yaml:2: no such secret", "");
    world.crash();
    // What was said is not taken back before there is something else to say.
    check(&world, "failure: ci-policy.yaml:2: no such secret", "");
    world.settle();
    check(&world, MERGEABLE, ALL);
    let trace = world.trace.len();
    world.crash();
    check_trace(&world, trace, &[]);
}

fn invalid() -> Preparation {
    Preparation::Invalid {
        first: "ci-policy.yaml:2: no such secret".to_owned(),
        findings: Vec::new(),
    }
}

#[test]
fn a_restart_repeats_every_order() {
    let mut world = shop();
    run_until(&mut world, "air:test");
    world.truth.review("ada", ReviewState::Approved);
    world.observe();
    let trace = world.trace.len();
    world.crash();
    check_trace(
        &world,
        trace,
        &[
            "build 1: air:compile air:test cloak:compile cloak:test",
            "order 1: run cloak:compliance",
        ],
    );
    world.settle();
    check(&world, MERGEABLE, ALL);
    assert_eq!(world.started.len(), 5);
}

#[test]
fn an_order_that_a_crashed_build_never_saw_is_repeated() {
    let mut world = shop();
    run_until(&mut world, "air:test");
    world.truth.review("ada", ReviewState::Approved);
    world.observe();
    world.crash_build();
    world.settle();
    check(&world, MERGEABLE, ALL);
}

#[test]
fn a_quarantine_ends_with_what_it_left_running() {
    let mut world = approved();
    run_until(&mut world, "air:test");
    world.quarantine("it broke\nbadly");
    world.settle();
    check(&world, "error: quarantined: it broke", "air:compile");
    assert_eq!(
        world.request(Request::Retry(None)),
        Err(Refusal::Quarantined("it broke\nbadly".to_owned()))
    );
    let trace = world.trace.len();
    world.lift();
    world.settle();
    check(&world, MERGEABLE, ALL);
    assert_eq!(world.trace[trace], "abandon 1");
    assert!(world.tell(PullEvent::Lifted, None).is_err());
}

#[test]
fn a_new_head_lifts_a_quarantine() {
    let mut world = approved();
    run_until(&mut world, "air:test");
    world.quarantine("it broke");
    world.truth.facts.head.sha = sha('f');
    world.settle();
    check(&world, MERGEABLE, ALL);
    assert!(world.trace.contains(&"abandon 1".to_owned()));
}

#[test]
fn only_the_machine_itself_decides() {
    let mut world = approved();
    run_until(&mut world, "air:test");
    let spec = world.pull.build().unwrap().spec.clone();
    for event in [
        PullEvent::BuildDecided(spec.clone()),
        PullEvent::OrderDecided(Order::Cancel(None)),
        PullEvent::SupersedeDecided,
        PullEvent::BuildFinished { build: crate::ids::BuildNumber(9), orders: 0 },
    ] {
        assert!(world.tell(event, None).is_err());
    }
}
