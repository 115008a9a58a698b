//! Builds, event by event.

use std::time::Duration;

use super::*;
use crate::outcome::JobResult;
use crate::world::{id, sha};

/// Reads `job` and `job<need,need`.
fn requests(text: &str) -> BTreeMap<JobId, JobRequest> {
    let request = |word: &str| {
        let (job, needs) = word.split_once('<').unwrap_or((word, ""));
        let needs = needs.split(',').filter(|need| !need.is_empty()).map(id).collect();
        (id(job), JobRequest { needs, digest: "1".to_owned() })
    };
    text.split_whitespace().map(request).collect()
}

fn build(jobs: &str) -> Build {
    Build::new(BuildSpec {
        number: BuildNumber(1),
        head: sha('a'),
        merge: sha('c'),
        prefix: "b1".to_owned(),
        reseed: false,
        jobs: requests(jobs),
    })
}

fn event(word: &str) -> BuildEvent {
    let (verb, rest) = word.split_once(' ').unwrap_or((word, ""));
    let (subject, end) = rest.split_once(' ').unwrap_or((rest, ""));
    let order = |order| BuildEvent::Ordered { index: subject.parse().unwrap(), order };
    match verb {
        "ready" => BuildEvent::WorkspaceReady,
        "unready" => BuildEvent::WorkspaceFailed { reason: "disk full".to_owned() },
        "superseded" => BuildEvent::Superseded,
        "run" => order(Order::Run(requests(end))),
        "cancel" => order(Order::Cancel(end.parse().ok())),
        "lost" => ended(subject, AttemptEnd::Lost),
        "interrupted" => ended(subject, AttemptEnd::Interrupted),
        _ => {
            let result = match verb {
                "passed" => JobResult::Passed,
                "failed" => JobResult::Failed,
                "cancelled" => JobResult::Cancelled,
                _ => panic!("no such event: {word}"),
            };
            ended(subject, AttemptEnd::Finished { result, duration: Duration::ZERO })
        }
    }
}

fn ended(attempt: &str, end: AttemptEnd) -> BuildEvent {
    BuildEvent::AttemptEnded { attempt: AttemptId::new(format!("b1-{attempt}")).unwrap(), end }
}

fn in_short(effect: &BuildEffect) -> String {
    match effect {
        BuildEffect::PrepareWorkspace => "prepare".to_owned(),
        BuildEffect::StartAttempt { job, attempt } => format!("start {job} {attempt}"),
        BuildEffect::CancelAttempt { attempt } => format!("cancel {attempt}"),
        BuildEffect::TellResumed { orders } => format!("resumed {orders}"),
        BuildEffect::TellFinishedJob { job, outcome } => {
            format!("{job} {}", outcome.result.word())
        }
        BuildEffect::TellFinished { orders } => format!("finished {orders}"),
    }
}

fn effects(step: &BuildStep) -> String {
    step.effects.iter().map(in_short).collect::<Vec<_>>().join(", ")
}

/// Tells a resumed build of `jobs` one thing after the other, each with the effects that it shall have.
/// After each, a build that is replayed from the record must be the same, less what is not on record.
#[track_caller]
fn check(jobs: &str, story: &[(&str, &str)]) {
    let mut build = build(jobs);
    let mut record = vec![BuildEvent::Began(build.spec.clone())];
    let step = build.resume();
    assert_eq!(effects(&step), "resumed 0, prepare");
    for (word, expected) in story {
        let found = if *word == "restart" {
            build = Build::replay(record.clone()).unwrap();
            let step = build.resume();
            record.extend(step.record.clone());
            effects(&step)
        } else {
            match build.apply(event(word)) {
                Ok(step) => {
                    record.extend(step.record.clone());
                    effects(&step)
                }
                Err(unexpected) => format!("unexpected: {}", unexpected.0),
            }
        };
        assert_eq!(found, *expected, "after `{word}` of {story:?}");
        let mut replayed = Build::replay(record.clone()).unwrap();
        replayed.preparing = build.preparing;
        assert_eq!(replayed, build, "after `{word}`");
    }
}

const CHAIN: &str = "air:compile air:test<air:compile";

#[test]
fn jobs_start_when_their_needs_have_passed() {
    check(
        "air:compile air:test<air:compile cloak:compile",
        &[
            ("ready", "start air:compile b1-1, start cloak:compile b1-2"),
            ("passed 1", "air:compile passed, start air:test b1-3"),
            ("passed 2", "cloak:compile passed"),
            ("failed 3", "air:test failed, finished 0"),
        ],
    );
}

#[test]
fn a_blocked_job_goes_on_when_its_need_is_run_again() {
    check(
        CHAIN,
        &[
            ("ready", "start air:compile b1-1"),
            ("failed 1", "air:compile failed, finished 0"),
            ("run 1 air:compile", "start air:compile b1-2"),
            ("passed 2", "air:compile passed, start air:test b1-3"),
            ("passed 3", "air:test passed, finished 1"),
        ],
    );
}

#[test]
fn a_killed_runner_is_replaced_once() {
    check(
        "air:compile",
        &[
            ("ready", "start air:compile b1-1"),
            ("lost 1", "start air:compile b1-2"),
            ("lost 1", "unexpected: no such attempt is under way"),
            ("lost 2", "air:compile crashed, finished 0"),
            ("run 1 air:compile", "start air:compile b1-3"),
            ("lost 3", "start air:compile b1-4"),
        ],
    );
}

#[test]
fn an_interrupted_job_runs_again_unless_it_brings_its_machine_down_each_time() {
    let mut story = vec![("ready".to_owned(), "start air:compile b1-1".to_owned())];
    for attempt in 1..10 {
        let next = format!("start air:compile b1-{}", attempt + 1);
        story.push((format!("interrupted {attempt}"), next));
    }
    story.push(("interrupted 10".to_owned(), "air:compile crashed, finished 0".to_owned()));
    let story: Vec<_> = story.iter().map(|(event, effects)| (&**event, &**effects)).collect();
    check("air:compile", &story);
}

#[test]
fn an_interruption_is_no_killed_runner_and_ends_a_cancelled_job() {
    check(
        "air:compile",
        &[
            ("ready", "start air:compile b1-1"),
            ("interrupted 1", "start air:compile b1-2"),
            ("lost 2", "start air:compile b1-3"),
            ("cancel 1", "cancel b1-3"),
            ("interrupted 3", "air:compile cancelled, finished 1"),
        ],
    );
}

#[test]
fn a_workspace_that_cannot_be_made_crashes_what_waits_for_it() {
    check(
        CHAIN,
        &[
            ("unready", "air:compile crashed, air:test crashed, finished 0"),
            ("ready", "unexpected: no workspace is being prepared"),
            ("run 1 air:compile", "prepare"),
            ("run 2 air:test<air:compile", ""),
            ("ready", "start air:compile b1-1"),
            ("unready", "unexpected: no workspace is being prepared"),
        ],
    );
}

#[test]
fn a_superseded_build_is_finished_when_nothing_of_it_runs() {
    check(
        CHAIN,
        &[
            ("ready", "start air:compile b1-1"),
            ("superseded", "cancel b1-1"),
            ("superseded", "unexpected: it is being stopped already"),
            ("run 1 air:lint", ""),
            ("cancelled 1", "finished 1"),
        ],
    );
    check(CHAIN, &[("superseded", ""), ("ready", "finished 0")]);
    check(CHAIN, &[("superseded", ""), ("unready", "finished 0")]);
    check(CHAIN, &[("superseded", ""), ("restart", "resumed 0, finished 0")]);
    check(
        CHAIN,
        &[
            ("ready", "start air:compile b1-1"),
            ("superseded", "cancel b1-1"),
            ("passed 1", "air:compile passed, finished 0"),
        ],
    );
}

#[test]
fn a_cancellation_stops_what_runs_and_keeps_the_rest_from_starting() {
    check(
        CHAIN,
        &[
            ("ready", "start air:compile b1-1"),
            ("cancel 1", "air:test cancelled, cancel b1-1"),
            ("restart", "resumed 1, start air:compile b1-1, cancel b1-1, air:test cancelled"),
            ("lost 1", "air:compile cancelled, finished 1"),
        ],
    );
    check(
        "air:compile cloak:compile",
        &[
            ("ready", "start air:compile b1-1, start cloak:compile b1-2"),
            ("cancel 1 cloak:compile", "cancel b1-2"),
            ("cancelled 2", "cloak:compile cancelled"),
            ("passed 1", "air:compile passed, finished 1"),
        ],
    );
    check(
        CHAIN,
        &[("cancel 1", "air:compile cancelled, air:test cancelled"), ("ready", "finished 1")],
    );
}

#[test]
fn an_order_is_taken_once_and_in_its_turn() {
    check(
        "air:compile",
        &[
            ("ready", "start air:compile b1-1"),
            ("run 2 air:lint", "unexpected: that order is not the next one"),
            ("run 1 air:lint", "start air:lint b1-2"),
            ("run 1 air:lint", "unexpected: that order is not the next one"),
            ("run 2 air:lint", ""),
            ("passed 2", "air:lint passed"),
            ("run 3 air:lint", "start air:lint b1-3"),
        ],
    );
}

#[test]
fn a_restart_asks_for_all_that_is_owed() {
    check(
        CHAIN,
        &[
            ("restart", "resumed 0, prepare"),
            ("ready", "start air:compile b1-1"),
            ("restart", "resumed 0, start air:compile b1-1"),
            ("passed 1", "air:compile passed, start air:test b1-2"),
            ("restart", "resumed 0, start air:test b1-2, air:compile passed"),
            ("failed 2", "air:test failed, finished 0"),
            ("restart", "resumed 0, air:compile passed, air:test failed, finished 0"),
        ],
    );
}

#[test]
fn needs_that_go_in_a_circle_end_the_build() {
    check(
        "air:a air:b<air:a",
        &[
            ("ready", "start air:a b1-1"),
            ("failed 1", "air:a failed, finished 0"),
            ("run 1 air:a<air:b", "finished 1"),
        ],
    );
}

#[test]
fn a_record_begins_with_the_beginning() {
    assert_eq!(Build::replay([]), None);
    assert_eq!(Build::replay([BuildEvent::WorkspaceReady]), None);
}
