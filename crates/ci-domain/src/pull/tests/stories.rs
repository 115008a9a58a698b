//! Stories of single pull requests, from the first look at the forge to what people read.

use crate::build::Order;
use crate::forge::{CommentId, ForceTarget, PullState, ReviewState};
use crate::ids::{Login, RepoName};
use crate::may_run::Disk;
use crate::outcome::JobResult;
use crate::outline::Preparation;
use crate::pull::{PullEvent, Refusal, Request};
use crate::world::{World, id, plan_of, planned, sha};

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
