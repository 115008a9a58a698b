//! Jobs in a sandbox: the same tree, the same facts, and nothing left of it, ever.

use std::time::{Duration, Instant};

use ci_exec::{Outcome, cancel, sweep};

use crate::support::{
    Place, Run, command, command_with, kill, parallel, processes_in, until, until_lost, within,
    written,
};

#[tokio::test]
async fn commands_run_in_it() {
    let Some(place) = Place::with_command("echo hello; pwd; echo up > up; exit 3").in_sandbox()
    else {
        return;
    };
    let run = place.run().await;
    assert_eq!(run.exits_in_order(), "0-1=3", "{:?}", run.outcome);
    assert_eq!(run.log_text("0-1"), format!("hello\n{}\n", place.spec.workspace.display()));
    assert!(place.file("up").exists());
    place.assert_nothing_is_left();
}

#[tokio::test]
async fn commands_run_at_once_and_see_each_other() {
    let Some(place) = Place::new(vec![
        parallel(vec![
            command("mkfifo p; echo hello > p"),
            command("until [ -p p ]; do sleep 0.01; done; cat p"),
        ]),
        command(
            "setsid sleep 600 > /dev/null 2>&1 & until ps -e | grep sleep; do sleep 0.01; done",
        ),
        command("ps -e | grep sleep"),
    ])
    .in_sandbox() else {
        return;
    };
    let run = place.run().await;
    assert_eq!(run.outcome, Outcome::Passed);
    assert_eq!(run.log_text("0.1-1"), "hello\n");
    place.assert_nothing_is_left();
}

#[tokio::test]
async fn many_short_commands_run_at_once() {
    let many = || (0..100).map(|_| command("true")).collect();
    let Some(place) = Place::new(vec![parallel(many()), parallel(many())]).in_sandbox() else {
        return;
    };
    let run = place.run().await;
    assert_eq!(run.outcome, Outcome::Passed);
    assert_eq!(run.exits().len(), 200);
}

#[tokio::test]
async fn what_a_command_leaves_in_its_group_ends_with_it_and_the_rest_with_the_job() {
    let Some(place) = Place::new(vec![
        command(
            "sleep 600 > /dev/null 2>&1 & echo $! > near
             setsid sh -c 'echo $$ > far; exec sleep 601' > /dev/null 2>&1 &
             until [ -s far ]; do sleep 0.01; done",
        ),
        command("! kill -0 $(cat near) && kill -0 $(cat far)"),
    ])
    .in_sandbox() else {
        return;
    };
    let run = place.run().await;
    assert_eq!(run.outcome, Outcome::Passed, "{}", run.exits_in_order());
    place.assert_nothing_is_left();
}

#[tokio::test]
async fn killing_everything_in_it_ends_the_command_and_not_the_job() {
    let Some(place) = Place::new(vec![
        command_with("(kill -KILL -1); echo never", |command| command.allow_failure = true),
        command("kill -KILL 1; echo here"),
    ])
    .in_sandbox() else {
        return;
    };
    let run = place.run().await;
    assert_eq!(run.exits_in_order(), "0-1=signal 9 1-1=0", "{:?}", run.outcome);
}

#[tokio::test]
async fn with_its_runner_everything_in_it_dies() {
    for grace in [0, 600] {
        let stubborn = "trap '' TERM; setsid sh -c 'trap \"\" TERM; echo up > up; sleep 600; :' & sleep 600; :";
        let Some(mut place) =
            Place::with_command(&format!("readlink /proc/self/ns/pid > namespace; {stubborn}"))
                .in_sandbox()
        else {
            return;
        };
        place.spec.grace = Duration::from_secs(grace);
        let dir = place.start().await;
        written(&place.file("up")).await;
        let namespace = written(&place.file("namespace")).await;
        until("init, two shells, two sleeps", || processes_in(&namespace).len() == 5).await;
        kill(dir.identity().unwrap().unwrap().pid);
        until("the namespace to be empty", || processes_in(&namespace).is_empty()).await;
        within("the sweep", sweep(&dir)).await.unwrap();
        place.assert_nothing_is_left();
    }
}

#[tokio::test]
async fn a_runner_can_be_killed_at_any_moment() {
    for moment in 0..24 {
        let daemon = "readlink /proc/self/ns/pid > namespace; setsid sleep 600 & sleep 600";
        let Some(place) = Place::with_command(daemon).in_sandbox() else { return };
        let dir = place.start().await;
        let moment = Instant::now() + Duration::from_millis(2) * moment;
        until("the moment to come", || Instant::now() >= moment).await;
        kill(dir.identity().unwrap().unwrap().pid);
        until_lost(&dir).await;
        within("the sweep", sweep(&dir)).await.unwrap();
        place.assert_nothing_is_left();
        let namespace = std::fs::read_to_string(place.file("namespace")).unwrap_or_default();
        until("the namespace to be empty", || processes_in(namespace.trim()).is_empty()).await;
    }
}

#[tokio::test]
async fn a_job_can_be_cancelled_while_its_sandbox_is_made() {
    let Some(place) = Place::with_command("touch up; sleep 600").in_sandbox() else { return };
    let dir = place.start().await;
    within("the cancel", cancel(&dir)).await.unwrap();
    place.assert_nothing_is_left();
    assert_eq!(Run::follow(&dir).await.outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn what_loses_its_parent_is_reaped_inside() {
    let orphans = "for i in $(seq 50); do sh -c 'setsid true & exit' ; done";
    let reaped =
        "until ! grep -l '^State:.Z' /proc/[0-9]*/status 2> /dev/null; do sleep 0.01; done";
    let Some(place) = Place::new(vec![command(orphans), command(reaped)]).in_sandbox() else {
        return;
    };
    assert_eq!(place.run().await.outcome, Outcome::Passed);
}

#[tokio::test]
async fn a_job_whose_bubblewrap_is_killed_crashes_and_leaves_nothing() {
    let Some(place) =
        Place::with_command("readlink /proc/self/ns/pid > namespace; echo up > up; sleep 600")
            .in_sandbox()
    else {
        return;
    };
    let dir = place.start().await;
    written(&place.file("up")).await;
    let namespace = written(&place.file("namespace")).await;
    let runner = dir.identity().unwrap().unwrap().pid;
    let children = std::fs::read_to_string(format!("/proc/{runner}/task/{runner}/children"));
    kill(children.unwrap().trim().parse().unwrap());
    let run = Run::follow(&dir).await;
    let Outcome::Crashed { reason } = &run.outcome else { panic!("{:?}", run.outcome) };
    assert!(reason.contains("the sandbox has ended"), "{reason}");
    assert_eq!(processes_in(&namespace), Vec::<String>::new());
}

#[tokio::test]
async fn a_sandbox_that_cannot_be_made_crashes_the_job_with_the_reason() {
    let crash = async |spoil: &dyn Fn(&mut Place)| {
        let mut place = Place::with_command("touch never").in_sandbox()?;
        spoil(&mut place);
        let run = place.run().await;
        assert!(!place.file("never").exists());
        match run.outcome {
            Outcome::Crashed { reason } => Some(reason),
            other => panic!("not crashed but {other:?}"),
        }
    };
    let missing = |place: &mut Place| place.sandbox().bubblewrap = "/nonexistent/bwrap".into();
    let Some(reason) = crash(&missing).await else { return };
    assert_eq!(
        reason,
        "make a sandbox: start /nonexistent/bwrap: No such file or directory (os error 2)"
    );
    let no_folder = |place: &mut Place| place.sandbox().writable.push("/nonexistent/src".into());
    let reason = crash(&no_folder).await.unwrap();
    assert!(reason.contains("/nonexistent/src"), "{reason}");
    let silent = |place: &mut Place| place.sandbox().bubblewrap = "/bin/false".into();
    assert_eq!(crash(&silent).await.unwrap(), "make a sandbox: it ended without a word");
}

#[tokio::test]
async fn a_command_that_cannot_start_crashes_the_job_as_outside() {
    let Some(mut place) = Place::with_command("true").in_sandbox() else { return };
    place.spec.working_dir = place.file("missing");
    let run = place.run().await;
    let Outcome::Crashed { reason } = &run.outcome else { panic!("{:?}", run.outcome) };
    assert!(
        reason.starts_with("start \"true\" in ") && reason.contains("No such file"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_long_environment_and_a_long_log_come_through() {
    let Some(mut place) = Place::with_command("echo ${#LONG}; seq 1 200000").in_sandbox() else {
        return;
    };
    place.spec.env.insert("LONG".to_owned(), "x".repeat(120_000));
    let run = place.run().await;
    let log = run.log_text("0-1");
    assert!(log.starts_with("120000\n1\n2\n") && log.ends_with("\n200000\n"));
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_asked_first() {
    // On a busy machine the shorter time may be over before it can be asked.
    for timeout in [Duration::from_millis(300), Duration::from_secs(20)] {
        let polite = "trap 'echo bye; exit 0' TERM; echo up; while :; do :; done";
        let polite = command_with(polite, |command| command.timeout = Some(timeout));
        let Some(mut place) = Place::new(vec![polite]).in_sandbox() else { return };
        place.spec.grace = Duration::from_secs(20);
        let run = place.run().await;
        assert_eq!(run.exits_in_order(), "0-1=timeout");
        if !run.log("0-1").is_empty() {
            return assert_eq!(run.log_text("0-1"), "up\nbye\n");
        }
    }
    panic!("it was never up");
}
