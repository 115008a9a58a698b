//! `run`, interrupted: whatever ran is gone when the program has ended.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::Repo;

/// A job that starts a daemon, and one that would come after it.
const DAEMON: &str = "jobs:\n  compile: ['(echo up > ../up; sleep 1000) & \
                      wait']\n  test: [\"true\"]\n";

/// A job that does not end when it is told to.
const STUBBORN: &str =
    "jobs: {compile: ['trap \"\" TERM; echo up > ../up; while :; do sleep 1; done']}";

const CEILING: Duration = Duration::from_secs(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// A repository whose job runs, and the program that runs it.
fn running(pipeline: &str, args: &[&str]) -> (Repo, Child) {
    let repo = Repo::on_topic(&[("air/ci.yaml", pipeline)]);
    let mut command = repo.command(&[&["run", "--all"], args].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let up = repo.root().join("up");
    wait_until("the job runs", || fs::read_to_string(&up).is_ok_and(|text| text == "up\n"));
    (repo, child)
}

#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + CEILING;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited {CEILING:?} until {what}");
        std::thread::park_timeout(PAUSE);
    }
}

fn signal(name: &str, child: &Child) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

fn processes_of(repo: &Repo) -> usize {
    let root = repo.root();
    let works_there = |entry: &fs::DirEntry| {
        fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(&root))
    };
    fs::read_dir("/proc").unwrap().filter_map(Result::ok).filter(works_there).count()
}

#[test]
fn ctrl_c_ends_everything_that_ran() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let (repo, child) = running(DAEMON, &[]);
        signal(name, &child);
        let output = child.wait_with_output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{stdout}");
        assert!(stdout.contains("air:compile  cancelled in"), "{stdout}");
        assert!(stdout.contains("cancelled  air:test             did not start"), "{stdout}");
        assert_eq!(processes_of(&repo), 0, "{name}");
    }
}

#[test]
fn the_second_time_it_leaves_at_once_and_all_ends_the_same() {
    let (repo, mut child) = running(STUBBORN, &[]);
    signal("-INT", &child);
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    stderr.find(|line| line.as_ref().unwrap().contains("ending what runs")).unwrap().unwrap();
    signal("-INT", &child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    wait_until("what ran is gone", || processes_of(&repo) == 0);
}

#[test]
fn facts_tell_of_it() {
    let (_repo, mut child) = running(DAEMON, &["-o", "jsonl"]);
    signal("-INT", &child);
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let facts: Vec<serde_json::Value> =
        stdout.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    child.wait().unwrap();
    let last = facts.last().unwrap();
    assert_eq!((&last["fact"], &last["verdict"]), (&"ended".into(), &"cancelled".into()));
}

#[test]
fn killed_it_leaves_runners_that_end_by_themselves() {
    let (repo, mut child) = running(DAEMON, &[]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(processes_of(&repo) > 0);
    wait_until("the orphans are gone", || processes_of(&repo) == 0);
}
