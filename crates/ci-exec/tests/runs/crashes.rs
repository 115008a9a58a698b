//! Runners that are killed, and machines that fail.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ci_exec::{
    FollowError, JournalOffset, Outcome, RunnerExit, Stopped, SweepError, Swept, cancel, follow,
    sweep,
};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{
    Place, Run, command, command_with, kill, parallel, skip, until, until_lost, within, written,
};

#[tokio::test]
async fn what_a_killed_runner_leaves_is_swept() {
    let stubborn = "trap '' TERM; echo up > up; sleep 600; :";
    let place = Place::new(vec![parallel(vec![
        command(stubborn),
        command("setsid sleep 600 & sleep 600"),
        command("env -i sleep 600"),
        command("env -i sh -c 'sleep 600 & sleep 600'; :"),
    ])]);
    let dir = place.start().await;
    written(&place.file("up")).await;
    assert!(matches!(sweep(&dir).await, Err(SweepError::Alive(_))));
    let runner = dir.identity().unwrap().unwrap();
    kill(runner.pid);
    until_lost(&dir).await;
    let swept = within("the sweep", sweep(&dir)).await.unwrap();
    assert!(swept.processes > 0, "they are counted");
    assert_eq!(dir.swept().unwrap(), swept, "and on record");
    place.assert_nothing_is_left();
    assert_eq!(processes_in_session(runner.pid), Vec::<String>::new());
    assert_eq!(within("another sweep", sweep(&dir)).await.unwrap(), swept, "nothing more");
}

/// A program that goes on in a second thread when its first has ended, which takes with it what the kernel tells
/// of the process.
const HEADLESS: &str = r#"
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static void *go_on(void *nothing) { for (;;) sleep(600); return nothing; }
int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, go_on, NULL);
    FILE *up = fopen("up", "w");
    fprintf(up, "%d\n", (int) getpid());
    fclose(up);
    pthread_exit(NULL);
}
"#;

#[tokio::test]
async fn what_goes_on_without_its_first_thread_is_swept() {
    // Neither its session nor its parent tells whose it is.
    let place = Place::with_command("setsid sh -c './headless & exit' & sleep 600");
    let (source, program) = (place.file("headless.c"), place.file("headless"));
    fs::write(&source, HEADLESS).unwrap();
    let compiler = Command::new("cc").arg("-pthread").arg("-o").args([&program, &source]).status();
    if !compiler.is_ok_and(|status| status.success()) {
        return skip("a compiler of C: apt-get install gcc libc6-dev");
    }
    let dir = place.start().await;
    let pid = written(&place.file("up")).await;
    let stat = || fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    until("its first thread to end", || stat().contains(") Z ")).await;
    let threads = || fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    assert_eq!(threads(), 2);
    kill(dir.identity().unwrap().unwrap().pid);
    until_lost(&dir).await;
    within("the sweep", sweep(&dir)).await.unwrap();
    assert!(threads() < 2, "{}", stat());
}

fn processes_in_session(session: i32) -> Vec<String> {
    let stats = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| fs::read_to_string(entry.unwrap().path().join("stat")).ok());
    let session = session.to_string();
    stats
        .filter(|stat| {
            let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
            fields[3] == session && fields[0] != "Z"
        })
        .collect()
}

#[tokio::test]
async fn followers_hear_of_the_death_of_a_runner() {
    let place = Place::with_command("echo up > up; sleep 600");
    let dir = place.start().await;
    written(&place.file("up")).await;
    let mut follower = follow(&dir, JournalOffset(0));
    for _ in 0..2 {
        within("a fact", follower.next()).await.unwrap().unwrap();
    }
    kill(dir.identity().unwrap().unwrap().pid);
    let error = within("the news", follower.next()).await.unwrap_err();
    assert!(matches!(error, FollowError::Lost), "{error}");
    let stopped = within("the cancel", cancel(&dir)).await.unwrap();
    assert!(matches!(stopped, Stopped::Swept(Swept { processes: 1.., .. })), "{stopped:?}");
    place.assert_nothing_is_left();
}

#[tokio::test]
async fn a_journal_torn_by_the_death_of_its_runner_is_readable() {
    for tail in
        ["0000", "00000040 0badc0de {\"fact\":\"command_ex", "garbage that was never a record\n"]
    {
        let place = Place::with_command("echo up > up; sleep 600");
        let dir = place.start().await;
        written(&place.file("up")).await;
        kill(dir.identity().unwrap().unwrap().pid);
        until_lost(&dir).await;
        let journal = fs::OpenOptions::new().append(true).open(dir.path().join("journal"));
        journal.unwrap().write_all(tail.as_bytes()).unwrap();
        let mut follower = follow(&dir, JournalOffset(0));
        for _ in 0..2 {
            within("a fact", follower.next()).await.unwrap().unwrap();
        }
        let error = within("the news", follower.next()).await.unwrap_err();
        assert!(matches!(error, FollowError::Lost), "{tail}: {error}");
        within("the sweep", sweep(&dir)).await.unwrap();
    }
}

#[tokio::test]
async fn a_runner_that_is_told_to_end_leaves_neither_processes_nor_an_outcome() {
    let place = Place::with_command("echo up > up; sleep 600");
    let dir = place.start().await;
    written(&place.file("up")).await;
    let runner = Pid::from_raw(dir.identity().unwrap().unwrap().pid).unwrap();
    kill_process(runner, Signal::TERM).unwrap();
    until_lost(&dir).await;
    place.assert_nothing_is_left();
    assert_eq!(dir.exit_record().unwrap(), None);
}

#[tokio::test]
async fn a_working_folder_that_is_missing_crashes_the_job() {
    let mut place = Place::with_command("true");
    place.spec.working_dir = place.file("missing");
    let run = place.run().await;
    let Outcome::Crashed { reason } = &run.outcome else { panic!("{:?}", run.outcome) };
    assert!(
        reason.starts_with("start \"true\" in ") && reason.contains("No such file"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_text_that_no_shell_takes_crashes_the_job_and_ends_the_rest() {
    let long = format!(": {}", "x".repeat(200_000));
    let place = Place::new(vec![parallel(vec![command("sleep 600"), command(&long)])]);
    let run = place.run().await;
    let Outcome::Crashed { reason } = &run.outcome else { panic!("{:?}", run.outcome) };
    assert!(reason.contains("Argument list too long"), "{reason}");
    assert_eq!(run.exits_in_order(), "0.0-1=cancelled");
    place.assert_nothing_is_left();
}

#[tokio::test]
async fn a_full_disk_is_never_a_pass() {
    // The second title does not fit into what the first command leaves of a disk of its own.
    let place = Place::new(vec![
        command("head -c 1000000 /dev/zero > disk/filler; true"),
        command_with("true", |command| command.name = Some("x".repeat(20_000))),
    ]);
    let dir = place.create();
    let script = r#"
        mount -t tmpfs -o size=256k none "$2" && cp -r "$1/." "$2" || exit 99
        "$0" "$2" > /dev/null
        code=$?
        cat "$2/exit.json"
        exit $code"#;
    let disk = place.file("disk");
    fs::create_dir(&disk).unwrap();
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
        .args([Path::new(env!("CARGO_BIN_EXE_ci-exec-runner")), dir.path(), &disk])
        .output()
        .unwrap();
    if output.status.code() == Some(99) || output.status.code() == Some(1) {
        skip("user namespaces: sysctl kernel.unprivileged_userns_clone=1");
        return;
    }
    assert_eq!(output.status.code(), Some(i32::from(RunnerExit::Unrecorded.code())), "{output:?}");
    assert_eq!(output.stdout, b"", "no outcome is recorded");
}

#[tokio::test]
async fn an_outcome_without_its_last_fact_is_told_from_the_record() {
    let run = Place::with_command("true").run().await;
    let runner = run.dir.identity().unwrap().unwrap();
    until("the runner to end", || !runner.is_alive().unwrap()).await;
    let path = run.dir.path().join("journal");
    let journal = fs::read(&path).unwrap();
    fs::write(&path, &journal[..journal.len() - 5]).unwrap();
    assert_eq!(Run::follow(&run.dir).await.facts, run.facts);
}

#[tokio::test]
async fn a_zero_grace_kills_at_once() {
    let mut place = Place::with_command("trap '' TERM; echo up > up; while :; do sleep 600; done");
    place.spec.grace = Duration::ZERO;
    let dir = place.start().await;
    written(&place.file("up")).await;
    within("the cancel", cancel(&dir)).await.unwrap();
    place.assert_nothing_is_left();
}

#[tokio::test]
async fn a_runner_can_be_killed_at_any_fact() {
    for facts in 0..9 {
        let short = (0..4).map(|_| command("setsid sleep 600 & sleep 600 & echo x"));
        // However late the runner is killed, the job goes on.
        let place = Place::new(vec![parallel(short.chain([command("sleep 600")]).collect())]);
        let dir = place.start().await;
        let mut follower = follow(&dir, JournalOffset(0));
        for _ in 0..facts {
            within("a fact", follower.next()).await.unwrap().unwrap();
        }
        kill(dir.identity().unwrap().unwrap().pid);
        until_lost(&dir).await;
        while let Ok(fact) = within("the end", follower.next()).await {
            assert!(!fact.unwrap().1.is_last(), "a lost run has no outcome");
        }
        within("the sweep", sweep(&dir)).await.unwrap();
        place.assert_nothing_is_left();
    }
}
