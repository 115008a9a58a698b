//! What the forge should say, as a whole.

use super::*;
use crate::forge::{PullState, ReviewState};
use crate::ids::PullNumber;
use crate::outline::Preparation;
use crate::world::{World, sha};

const JOBS: &str = "air:compile air:test<air:compile cloak:test<air:compile";

fn voice() -> Voice {
    Voice { node: "ci".to_owned(), public_url: "https://ci.example.com".to_owned() }
}

fn report(world: &World) -> Report {
    world.pull.report(&voice()).unwrap()
}

/// `component state: words` of each component, and the topics of the comments with their texts.
fn said(world: &World) -> (Vec<String>, Vec<String>) {
    let report = report(world);
    let status = |(name, status): (&ComponentName, &StatusWrite)| {
        format!("{name} {}: {}", status.state.as_str(), status.description)
    };
    let comment = |wish: &CommentWish| match &wish.content {
        CommentContent::Text(text) => format!("{}: {text}", wish.topic.word()),
        CommentContent::Nightly { entry, .. } => format!("{}: {}", wish.topic.word(), entry.job),
        CommentContent::Failures(entries) => {
            let entry = |e: &FailureEntry| format!("{} {} {}", e.job, e.result.word(), e.log_url);
            let entries: Vec<String> = entries.iter().map(entry).collect();
            format!("{}: {}", wish.topic.word(), entries.join(", "))
        }
    };
    (
        report.components.iter().flatten().map(status).collect(),
        report.comments.iter().map(comment).collect(),
    )
}

#[track_caller]
fn check_components(jobs: &str, ended: &str, expected: &[&str]) {
    let world = World::planned(jobs, ended, |_| {});
    assert_eq!(said(&world).0, expected, "{jobs}: {ended}");
}

#[track_caller]
fn check_comments(world: &World, expected: &[&str]) {
    assert_eq!(said(world).1, expected);
}

#[test]
fn nothing_is_said_before_the_forge_was_read() {
    assert_eq!(World::new(JOBS).pull.report(&voice()), None);
}

#[test]
fn every_status_leads_to_the_dashboard() {
    let report = report(&World::planned(JOBS, "", |_| {}));
    let url = Some("https://ci.example.com/acme/shop/pull/7".to_owned());
    assert_eq!(report.head, sha('a'));
    let umbrella = report.umbrella.unwrap();
    assert_eq!(umbrella.context, "continuous-integration/ci/mergeable");
    assert_eq!(umbrella.target_url, url);
    for (name, status) in report.components.unwrap() {
        assert_eq!(status.context, format!("continuous-integration/ci/{name}"));
        assert_eq!(status.target_url, url);
    }
}

#[test]
fn each_component_says_how_it_stands() {
    for (jobs, ended, expected) in [
        (
            JOBS,
            "",
            ["air pending: awaiting air:compile, air:test", "cloak pending: awaiting cloak:test"],
        ),
        (
            JOBS,
            "air:compile failed",
            [
                "air failure: air:compile failed",
                "cloak pending: blocked by a job of another component",
            ],
        ),
        (
            JOBS,
            "air:compile passed air:test oom cloak:test passed",
            ["air error: air:test crashed", "cloak success: all jobs passed"],
        ),
        (
            "air:test +air:gone cloak:bench?",
            "air:test cancelled cloak:bench failed",
            [
                "air failure: air:gone missing",
                "cloak success: no job is required; optional cloak:bench failed",
            ],
        ),
        (
            "air:test air:lint? air:b? air:a? air:fmt? cloak:test cloak:bench?",
            "air:test passed air:lint failed air:b oom air:a oom air:fmt passed cloak:test passed",
            [
                "air success: all required jobs passed; optional air:lint failed; optional air:a, air:b \
                 crashed",
                "cloak success: all required jobs passed",
            ],
        ),
        (
            "air:test air:lint? cloak:test cloak:bench?",
            "air:test passed air:lint passed cloak:test passed cloak:bench cancelled",
            [
                "air success: all jobs passed",
                "cloak success: all required jobs passed; optional cloak:bench cancelled",
            ],
        ),
        (
            "air:test cloak:test cloak:ship!<cloak:test",
            "air:test cancelled cloak:test passed",
            ["air error: air:test cancelled", "cloak pending: awaiting approval"],
        ),
    ] {
        check_components(jobs, ended, &expected);
    }
}

#[test]
fn components_are_not_known_without_a_plan() {
    let world = World::planned(JOBS, "", |world| {
        world.plan = Box::new(|_| Preparation::Conflict { paths: Vec::new() });
    });
    assert_eq!(report(&world).components, None);
    let unaffected = World::planned("air:test-", "", |_| {});
    assert_eq!(report(&unaffected).components, Some(BTreeMap::new()));
}

#[test]
fn green_tests_are_told_while_approval_is_missing() {
    let mut world = World::planned("air:test air:ship!", "", |_| {});
    check_comments(&world, &["failures: "]);
    world = World::planned("air:test air:ship!", "air:test passed", |_| {});
    let passed = format!("tests-passed: {}", wording::standard_tests_passed(&sha('a')));
    check_comments(&world, &[&passed, "failures: "]);
    world.truth.review("ada", ReviewState::Approved);
    world.observe();
    check_comments(&world, &["failures: "]);
    world.settle();
    let merged = format!("mergeable: {}", wording::can_be_merged(&sha('a')));
    check_comments(&world, &[&merged, "failures: "]);
}

#[test]
fn failures_are_listed_and_those_behind_them_are_not() {
    let ended = "air:compile failed air:test cancelled cloak:test oom";
    let world = World::planned("air:compile air:test<air:compile cloak:test", ended, |_| {});
    let at = "https://ci.example.com/acme/shop/pull/7/jobs/try";
    let expected = format!(
        "failures: air:compile failed {at}-air-compile, cloak:test crashed {at}-cloak-test"
    );
    check_comments(&world, &[&expected]);
}

#[test]
fn a_head_older_than_the_node_gets_no_comment() {
    let mut world = World::planned("air:test", "air:test passed", |world| {
        world.truth.preexisting = true;
    });
    check_comments(&world, &[]);
    world.truth.preexisting = false;
    world.truth.facts.head.sha = sha('f');
    world.settle();
    assert_eq!(said(&world).1.len(), 2);
    world.truth.facts.head.sha = sha('a');
    world.settle();
    check_comments(&world, &[]);
}

#[test]
fn a_closed_pull_request_says_nothing_new() {
    let mut world = World::planned("air:test", "air:test passed", |_| {});
    world.truth.facts.state = PullState::Merged;
    world.observe();
    assert!(!report(&world).open);
    check_comments(&world, &[]);
}

#[test]
fn a_quarantine_is_commented() {
    let mut world = World::planned("air:test", "", |_| {});
    world.quarantine("it broke");
    check_comments(
        &world,
        &[
            "quarantine: This pull request is quarantined: it broke\n\nA new head lifts it, and so \
             does `ci-node quarantine lift 7 --repo acme/shop`.",
            "failures: ",
        ],
    );
}

#[test]
fn a_marker_names_node_topic_subject_and_head() {
    assert_eq!(
        Topic::Failures.marker("ci", &Subject::Pull(PullNumber(7)), &sha('a')),
        format!("<!-- ci-node:ci:failures:pull-7:{} -->", "a".repeat(40))
    );
    let hostile = Subject::Branch("x--->/y".parse().unwrap());
    assert_eq!(
        Topic::Failures.marker("ci", &hostile, &sha('a')),
        format!("<!-- ci-node:ci:failures:branch-x-%2D-%3E%2Fy:{} -->", "a".repeat(40))
    );
}

/// `job: how it stands` of each check run.
#[track_caller]
fn check_runs(jobs: &str, ended: &str, expected: &[&str]) {
    let world = World::planned(jobs, ended, |_| {});
    let checks = report(&world).checks.unwrap();
    let shown = |(job, wish): (&JobId, &CheckWish)| {
        format!("{job}: {} ({})", wish.stands.state().as_str(), wording::check_title(&wish.stands))
    };
    let shown: Vec<String> = checks.iter().map(shown).collect();
    assert_eq!(shown, expected, "{jobs}: {ended}");
}

#[test]
fn jobs_whose_turn_has_come_have_check_runs() {
    check_runs(JOBS, "", &["air:compile: in_progress (running)"]);
    check_runs(
        JOBS,
        "air:compile passed",
        &[
            "air:compile: success (passed)",
            "air:test: in_progress (running)",
            "cloak:test: in_progress (running)",
        ],
    );
    // What is blocked never begins.
    check_runs(JOBS, "air:compile failed", &["air:compile: failure (failed)"]);
}

#[test]
fn a_check_run_is_of_a_job_of_this_node() {
    let job: JobId = "libs/cart:test".parse().unwrap();
    let name = wording::check_name("ci", &job);
    assert_eq!(wording::job_of_check("ci", &name), Some(job));
    for other in [
        "continuous-integration/ci-2/libs/cart:test",
        "continuous-integration/ci/cart",
        "continuous-integration/ci/cart:no job",
        "build (ubuntu)",
    ] {
        assert_eq!(wording::job_of_check("ci", other), None, "{other}");
    }
}

#[test]
fn no_log_breaks_out_of_the_summary_of_a_check_run() {
    let stands = Standing::Ended { result: JobResult::Failed, attempt: None, optional: false };
    let tail = vec!["```` @everyone".to_owned(), "x".repeat(100_000)];
    let marks = wording::Marks { shown: 250, found: 300 };
    let text = wording::check_summary(&stands, Some("https://ci/x"), &tail, marks);
    assert!(text.contains("\n`````text\n```` @everyone\n"), "{text}");
    assert!(text.contains("300 lines of code were found to be marked; 250 are."));
    assert!(text.chars().count() < 65_535);
}
