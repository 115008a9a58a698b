//! What people ask for.

use crate::forge::{CommentId, ForceTarget, PullState, ReviewState};
use crate::ids::{Login, RepoName};
use crate::outcome::JobResult;
use crate::pull::tests::stories::{
    ALL, MERGEABLE, approved, check, check_trace, failing, run_until, shop,
};
use crate::pull::{PullEvent, Refusal, Request};
use crate::world::{World, id, plan_of, sha};

#[test]
fn a_retry_runs_what_failed_and_what_it_blocked() {
    let mut world = failing("air:compile");
    world.settle();
    world.result = Box::new(|_, _| JobResult::Passed);
    let trace = world.trace.len();
    assert_eq!(world.request(Request::Retry(None)), Ok(vec![id("air:compile")]));
    world.settle();
    check(&world, MERGEABLE, ALL);
    check_trace(&world, trace, &["build 2: air:compile air:test", "end 2"]);
}

#[test]
fn force_runs_what_passed_and_what_is_not_affected() {
    let mut world = approved();
    world.plan = plan_of("air:compile air:test<air:compile cloak:compile- cloak:test-");
    world.settle();
    let forced = |world: &mut World, target| {
        let trace = world.trace.len();
        world.request(Request::Force(target)).map(|_| {
            world.settle();
            world.trace[trace].clone()
        })
    };
    for (target, expected) in [
        (ForceTarget::Job(id("air:test")), "build 2: air:test"),
        (ForceTarget::Job(id("cloak:test")), "build 3: cloak:test"),
        (ForceTarget::All, "build 4: air:compile air:test cloak:compile cloak:test"),
    ] {
        assert_eq!(forced(&mut world, target).as_deref(), Ok(expected));
    }
    let unknown = forced(&mut world, ForceTarget::Job(id("air:tset"))).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "there is no job `air:tset`; there are: air:compile, air:test, cloak:compile, cloak:test"
    );
}

#[test]
fn a_forced_job_survives_what_an_older_head_still_tells() {
    let mut world = World::new("air:compile cloak:test-");
    run_until(&mut world, "air:compile");
    world.request(Request::Force(ForceTarget::Job(id("cloak:test")))).unwrap();
    while world.running() != "air:compile cloak:test" {
        assert!(world.deliver_to_build(None));
    }
    world.truth.facts.head.sha = sha('f');
    world.observe();
    world.answer_preparation(true);
    world.deliver_to_pull(None);
    world.end_runner(1, false);
    world.request(Request::Force(ForceTarget::Job(id("cloak:test")))).unwrap();
    world.settle();
    assert_eq!(world.jobs_that("passed"), "air:compile cloak:test");
}

#[test]
fn cancelled_jobs_stay_so_until_somebody_retries() {
    let mut world = approved();
    run_until(&mut world, "air:test");
    world.request(Request::Cancel(None)).unwrap();
    world.settle();
    let umbrella = world.umbrella();
    assert!(umbrella.starts_with("error: ") && umbrella.ends_with(" cancelled"), "{umbrella}");
    world.request(Request::Retry(None)).unwrap();
    world.settle();
    check(&world, MERGEABLE, ALL);
}

#[test]
fn a_build_that_is_being_stopped_cannot_be_cancelled() {
    let mut world = approved();
    run_until(&mut world, "air:test");
    world.truth.facts.head.sha = sha('f');
    world.observe();
    assert!(matches!(world.request(Request::Cancel(None)), Err(Refusal::NotPlanned(_))));
    world.answer_preparation(true);
    while world.pull.outline().is_none() {
        world.deliver_to_pull(None);
    }
    assert_eq!(world.request(Request::Cancel(None)), Err(Refusal::NothingToCancel));
}

#[test]
fn people_are_told_why_they_are_refused() {
    let mut world = failing("air:compile");
    world.settle();
    let job = |name| ForceTarget::Job(id(name));
    for (request, expected) in [
        (Request::Cancel(None), "there is nothing to cancel"),
        (Request::Retry(Some(id("cloak:test"))), "there is nothing to retry"),
        (
            Request::Retry(Some(id("air:test"))),
            "`air:test` is blocked by `air:compile`; retry or force that first",
        ),
        (
            Request::Force(job("air:test")),
            "`air:test` is blocked by `air:compile`; retry or force that first",
        ),
        (
            Request::ApproveRun(sha('f')),
            &format!("{} is not the head of the pull request, which is {}", sha('f'), sha('a')),
        ),
    ] {
        assert_eq!(world.request(request).unwrap_err().to_string(), expected);
    }
    world.truth.facts.state = PullState::Closed;
    world.observe();
    assert_eq!(world.request(Request::Retry(None)), Err(Refusal::Closed));
}

#[test]
fn a_comment_that_is_found_twice_acts_once() {
    let mut world = failing("air:test");
    world.settle();
    let (by, comment) = (Login::new("ada").unwrap(), Some(CommentId(1)));
    let retry = PullEvent::Requested { request: Request::Retry(None), by, comment };
    world.tell(retry.clone(), None).unwrap();
    world.settle();
    assert!(world.pull.has_heeded(CommentId(1)));
    assert!(world.tell(retry, None).is_err());
    assert!(world.replayed().has_heeded(CommentId(1)));
}

#[test]
fn a_fresh_workspace_is_made_by_the_next_build() {
    let mut world = approved();
    run_until(&mut world, "air:test");
    world.request(Request::Reseed).unwrap();
    world.request(Request::Force(ForceTarget::Job(id("air:compile")))).unwrap();
    let reseeds = |world: &World| world.pull.build().map(|build| build.spec.reseed);
    assert_eq!(reseeds(&world), Some(false));
    while reseeds(&world) != Some(true) {
        assert!(world.progress(), "no build makes a fresh workspace");
    }
    world.settle();
    world.request(Request::Force(ForceTarget::All)).unwrap();
    assert_eq!(reseeds(&world), Some(false));
}

#[test]
fn a_fork_runs_once_its_head_is_approved() {
    let mut world = shop();
    world.truth.facts.head.repo = Some(RepoName::new("mallory/shop").unwrap());
    world.settle();
    check(&world, "pending: awaiting approval to run aaaaaaaaaaaa", "");
    world.request(Request::ApproveRun(sha('a'))).unwrap();
    world.settle();
    check(&world, "pending: awaiting approval", "air:compile air:test cloak:compile cloak:test");
    world.truth.facts.head.sha = sha('f');
    world.settle();
    check(&world, "pending: awaiting approval to run ffffffffffff", "");
    world.truth.review("ada", ReviewState::Approved);
    world.settle();
    check(&world, MERGEABLE, ALL);
}
