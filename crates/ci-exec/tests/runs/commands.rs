//! What commands see and how their ends add up.

use std::fs;
use std::time::Duration;

use ci_exec::{Exit, Fact, FailReason, Outcome};

use crate::support::{Place, command, command_with, env, parallel, parallel_with};

#[tokio::test]
async fn a_job_passes_and_says_everything_once() {
    let place = Place::new(vec![command("echo one"), command("echo two; echo three >&2")]);
    let run = place.run().await;
    assert_eq!(run.outcome, Outcome::Passed);
    assert_eq!(run.exits_in_order(), "0-1=0 1-1=0");
    assert_eq!((run.log_text("0-1"), run.log_text("1-1")), ("one\n".into(), "two\nthree\n".into()));
    let kinds: Vec<&str> = run
        .facts
        .iter()
        .map(|fact| match fact {
            Fact::RunnerStarted { .. } => "runner",
            Fact::CommandStarted { title, .. } => title,
            Fact::CommandExited { .. } => "exited",
            Fact::JobEnded { .. } => "ended",
        })
        .collect();
    let second = "echo two; echo three >&2";
    assert_eq!(kinds, ["runner", "echo one", "exited", second, "exited", "ended"]);
    place.assert_nothing_is_left();
}

#[tokio::test]
async fn a_sequence_stops_at_its_first_failure_but_always_steps_run() {
    let place = Place::new(vec![
        command("exit 3"),
        command("touch never"),
        command_with("touch always; exit 4", |command| command.always = true),
        command("touch never"),
    ]);
    let run = place.run().await;
    assert_eq!(run.exits_in_order(), "0-1=3 2-1=4");
    assert_eq!(run.failed(), ["0-1", "2-1"]);
    assert!(place.file("always").exists() && !place.file("never").exists());
}

#[tokio::test]
async fn a_parallel_group_runs_all_branches_and_reports_every_failure() {
    let place = Place::new(vec![
        parallel(vec![command("exit 1"), command("true"), command("kill -9 $$")]),
        command("touch never"),
    ]);
    let run = place.run().await;
    assert_eq!(run.exits_in_order(), "0.0-1=1 0.1-1=0 0.2-1=signal 9");
    assert_eq!(run.failed(), ["0.0-1", "0.2-1"]);
    assert!(!place.file("never").exists());
}

#[tokio::test]
async fn branches_run_at_once() {
    // Each waits for the other, which no order of running them one by one satisfies.
    let meet = |own: &str, other: &str| {
        command(&format!("touch {own}; until [ -e {other} ]; do sleep 0.01; done"))
    };
    let place = Place::new(vec![parallel(vec![meet("a", "b"), meet("b", "a")])]);
    assert_eq!(place.run().await.outcome, Outcome::Passed);
}

#[tokio::test]
async fn a_limit_bounds_how_many_run() {
    let alone = "mkdir busy || exit 1; sleep 0.02; rmdir busy";
    let steps = (0..5).map(|_| command(alone)).collect();
    let place = Place::new(vec![parallel_with(Some(1), false, steps)]);
    assert_eq!(place.run().await.outcome, Outcome::Passed);
}

#[tokio::test]
async fn fail_fast_cancels_the_rest() {
    let slow = command("touch started; sleep 600");
    let failing = command("until [ -e started ]; do sleep 0.01; done; exit 1");
    let place = Place::new(vec![parallel_with(None, true, vec![slow, failing])]);
    let run = place.run().await;
    assert_eq!(run.exits_in_order(), "0.0-1=cancelled 0.1-1=1");
    assert_eq!(run.failed(), ["0.1-1"]);
    place.assert_nothing_is_left();
}

#[tokio::test]
async fn a_command_is_tried_again_and_each_try_has_its_log() {
    let flaky = command_with("echo try; [ -e again ] || { touch again; exit 1; }", |command| {
        command.retry = 3;
    });
    let run = Place::new(vec![flaky]).run().await;
    assert_eq!((run.exits_in_order().as_str(), &run.outcome), ("0-1=1 0-2=0", &Outcome::Passed));
    assert_eq!((run.log_text("0-1"), run.log_text("0-2")), ("try\n".into(), "try\n".into()));

    let hopeless = command_with("exit 1", |command| command.retry = 2);
    let run = Place::new(vec![hopeless]).run().await;
    assert_eq!(run.exits_in_order(), "0-1=1 0-2=1 0-3=1");
    assert_eq!(run.failed(), ["0-3"]);
}

#[tokio::test]
async fn a_failure_that_is_allowed_is_shown_and_does_not_count() {
    let allowed = command_with("exit 7", |command| command.allow_failure = true);
    let run = Place::new(vec![allowed, command("true")]).run().await;
    assert_eq!((run.exits_in_order().as_str(), &run.outcome), ("0-1=7 1-1=0", &Outcome::Passed));
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_ended() {
    let slow = command_with("sleep 600", |command| {
        command.timeout = Some(Duration::from_millis(50));
        command.retry = 1;
    });
    let place = Place::new(vec![slow]);
    let run = place.run().await;
    assert_eq!(run.exits_in_order(), "0-1=timeout 0-2=timeout");
    let Outcome::Failed { reason, commands } = &run.outcome else { panic!("{:?}", run.outcome) };
    assert_eq!((*reason, commands[0].exit), (FailReason::Commands, Exit::TimedOut));
    place.assert_nothing_is_left();
}

#[tokio::test]
async fn a_job_that_takes_too_long_fails_for_that_reason() {
    // On a busy machine the shorter time may be over before anything has begun.
    for timeout in [Duration::from_millis(100), Duration::from_secs(20)] {
        let mut place = Place::new(vec![
            command("sleep 600"),
            command_with("touch never", |command| command.always = true),
        ]);
        place.spec.timeout = timeout;
        let run = place.run().await;
        let Outcome::Failed { reason, .. } = run.outcome else { panic!("{:?}", run.outcome) };
        assert_eq!(reason, FailReason::JobTimeout);
        assert!(!place.file("never").exists(), "nothing begins when time is over");
        place.assert_nothing_is_left();
        if !run.exits().is_empty() {
            return assert_eq!(run.exits_in_order(), "0-1=timeout");
        }
    }
    panic!("nothing has begun");
}

#[tokio::test]
async fn the_environment_is_exactly_what_was_given() {
    let given = [("B", "two words"), ("A", "component"), ("CI_ATTEMPT", "forged")];
    let own = |pairs: &[(&str, &str)]| {
        let env = env(pairs);
        command_with("exec /usr/bin/env -0", move |command| command.env = env)
    };
    let mut place = Place::new(vec![own(&[("A", "command"), ("CI_ATTEMPT", "forged")])]);
    place.spec.env = env(&given);
    let run = place.run().await;
    let mut seen: Vec<String> =
        run.log_text("0-1").split_terminator('\0').map(str::to_owned).collect();
    seen.sort();
    let attempt = format!("CI_ATTEMPT={}", place.spec.attempt);
    let pwd = format!("PWD={}", place.spec.working_dir.display());
    // The shell itself adds where it is.
    assert_eq!(seen, ["A=command", "B=two words", &attempt, &pwd]);
}

#[tokio::test]
async fn a_command_starts_in_its_folder_with_nothing_to_read() {
    let mut place = Place::with_command("pwd; cat; echo end");
    let folder = place.file("libs");
    fs::create_dir(&folder).unwrap();
    place.spec.working_dir = folder.clone();
    let run = place.run().await;
    assert_eq!(run.log_text("0-1"), format!("{}\nend\n", folder.display()));
}

#[tokio::test]
async fn the_text_of_a_command_reaches_the_shell_unchanged() {
    let text = "printf '%s' '$HOME {{x}} ${{y}} \"\\'\nprintf ' second line'";
    let run = Place::with_command(text).run().await;
    assert_eq!(run.log_text("0-1"), "$HOME {{x}} ${{y}} \"\\ second line");
}
