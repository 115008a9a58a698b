//! Runs of earlier and of later versions of this program.
//!
//! What is in `version-1` was written by a runner of the first version, whose commands were `echo one`,
//! then `exit 3` with one more try beside `sleep 600`.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ci_exec::{
    CommandId, JournalOffset, OpenError, Outcome, RunDir, RunState, Stopped, Swept, cancel, follow,
    ping, sweep,
};
use rustix::fs::{FlockOperation, fcntl_lock};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixListener;

use crate::support::{Place, Run, until, within, written};

/// Where the process that plays an early runner finds its directory.
const RUNNER_DIR: &str = "CI_EXEC_TEST_RUNNER_DIR";
/// What it does with those who want to follow, if anything.
const RUNNER_MANNERS: &str = "CI_EXEC_TEST_RUNNER_MANNERS";
const RECORDED: [(&str, &str); 5] = [
    ("spec.json", include_str!("version-1/spec.json")),
    ("journal", include_str!("version-1/journal")),
    ("exit.json", include_str!("version-1/exit.json")),
    ("identity.json", include_str!("version-1/identity.json")),
    ("logs/0.0-1.log", include_str!("version-1/0.0-1.log")),
];

/// The first version's files of a run, as far as they are among `names`.
fn record(place: &Place, names: &[&str]) -> RunDir {
    let path = place.run_dir_path();
    fs::create_dir_all(path.join("logs")).unwrap();
    for (name, content) in RECORDED.iter().filter(|(name, _)| names.contains(name)) {
        fs::write(path.join(name), content).unwrap();
    }
    RunDir::open(path).unwrap()
}

#[tokio::test]
async fn a_run_that_the_first_version_has_ended_is_read() {
    let place = Place::with_command("false");
    let dir = record(&place, &RECORDED.map(|(name, _)| name));
    assert!(matches!(dir.state().unwrap(), RunState::Finished(_)));
    let spec = dir.spec().unwrap();
    assert_eq!((spec.attempt.as_str(), spec.bounds), ("recorded-1", None));
    let run = Run::follow(&dir).await;
    assert_eq!(run.exits_in_order(), "0.0-1=0 0.1.0-1=3 0.1.0-2=3 0.1.1-1=cancelled");
    assert_eq!(
        (run.failed(), run.log_text("0.0-1").as_str()),
        (vec!["0.1.0-2".to_owned()], "one\n")
    );
    within("the sweep", sweep(&dir)).await.unwrap();
}

#[tokio::test]
async fn a_run_that_the_first_version_has_lost_is_swept() {
    let place = Place::with_command("false");
    let dir = record(&place, &["spec.json", "identity.json"]);
    let journal = RECORDED[1].1;
    fs::write(dir.path().join("journal"), &journal[..journal.len() - 200]).unwrap();
    assert_eq!(dir.state().unwrap(), RunState::Lost);
    assert_eq!(within("the cancel", cancel(&dir)).await.unwrap(), Stopped::Swept(Swept::default()));
}

/// Does nothing by itself. Started by the tests below, this process is a runner of the first version.
#[tokio::test]
async fn plays_an_early_runner_when_told_to() {
    let Some(path) = std::env::var_os(RUNNER_DIR) else { return };
    let manners = std::env::var(RUNNER_MANNERS).unwrap();
    let path = Path::new(&path);
    let lock = File::create(path.join("lock")).unwrap();
    fcntl_lock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
    let socket = UnixListener::bind(path.join("control.sock")).unwrap();
    let identity = own_identity();
    fs::write(path.join("identity.json"), &identity).unwrap();
    fs::write(path.join("journal"), "ci-exec journal 1\n").unwrap();
    append(path, &format!(r#"{{"fact":"runner_started","identity":{identity},"at":1}}"#));
    append(path, r#"{"fact":"command_started","command":"0.0-1","title":"the first","at":2}"#);
    fs::write(path.join("logs/0.0-1.log"), "one\n").unwrap();
    let outcome = serve(path, &socket, &manners).await;
    let exit = if outcome == "passed" { r#"{"code":0}"# } else { r#""cancelled""# };
    append(
        path,
        &format!(
            r#"{{"fact":"command_exited","command":"0.0-1","exit":{exit},"duration_us":7,"log_bytes":4,"at":3}}"#
        ),
    );
    let end = format!(r#""outcome":"{outcome}","at":4"#);
    fs::write(path.join("exit.json.tmp"), format!(r#"{{"version":1,{end}}}"#)).unwrap();
    fs::rename(path.join("exit.json.tmp"), path.join("exit.json")).unwrap();
    append(path, &format!(r#"{{"fact":"job_ended",{end}}}"#));
}

/// Answers as the first version did, until it is cancelled or the file `go` is there.
async fn serve(path: &Path, socket: &UnixListener, manners: &str) -> &'static str {
    let mut followers = Vec::new();
    loop {
        let mut stream = tokio::select! {
            accepted = socket.accept() => accepted.unwrap().0,
            () = until("the word to go", || path.join("go").exists()) => return "passed",
        };
        let mut request = String::new();
        BufReader::new(&mut stream).read_line(&mut request).await.unwrap();
        let requests = OpenOptions::new().append(true).create(true).open(path.join("requests"));
        requests.unwrap().write_all(request.as_bytes()).unwrap();
        let asks = |word: &str| request.contains(&format!(r#""request":"{word}""#));
        if manners == "polite" && asks("attach") {
            stream.write_all(b".").await.unwrap();
            followers.push(stream);
        } else if asks("cancel") {
            stream.write_all(b"ok\n").await.unwrap();
            return "cancelled";
        } else if asks("ping") {
            stream.write_all(b"ok\n").await.unwrap();
        }
    }
}

fn own_identity() -> String {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let start_time = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap();
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let (pid, boot_id) = (std::process::id(), boot_id.trim());
    format!(r#"{{"version":1,"pid":{pid},"start_time":{start_time},"boot_id":"{boot_id}"}}"#)
}

fn append(path: &Path, text: &str) {
    let mut journal = OpenOptions::new().append(true).open(path.join("journal")).unwrap();
    let record = format!("{:08x} {:08x} {text}\n", text.len(), crc32fast::hash(text.as_bytes()));
    journal.write_all(record.as_bytes()).unwrap();
}

/// A run whose runner is of the first version and at work.
async fn early_runner(place: &Place, manners: &str) -> (RunDir, Child) {
    let dir = record(place, &["spec.json"]);
    let runner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "versions::plays_an_early_runner_when_told_to"])
        .env(RUNNER_DIR, dir.path())
        .env(RUNNER_MANNERS, manners)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    written(&dir.path().join("logs/0.0-1.log")).await;
    let RunState::Running(Some(identity)) = dir.state().unwrap() else { panic!("not running") };
    assert_eq!(identity.pid, runner.id().cast_signed());
    (dir, runner)
}

#[tokio::test]
async fn a_runner_of_the_first_version_is_adopted() {
    let place = Place::with_command("false");
    let (dir, mut runner) = early_runner(&place, "polite").await;
    ping(&dir).await.unwrap();
    let mut follower = follow(&dir, JournalOffset(0));
    for _ in 0..2 {
        within("a fact", follower.next()).await.unwrap().unwrap();
    }
    fs::write(dir.path().join("go"), "").unwrap();
    let mut facts = 2;
    while within("a fact", follower.next()).await.unwrap().is_some() {
        facts += 1;
    }
    let run = Run::follow(&dir).await;
    assert_eq!((facts, run.facts.len(), run.outcome.clone()), (4, 4, Outcome::Passed));
    let log = dir.log(&CommandId::parse("0.0-1").unwrap()).read_at(0, 100).unwrap();
    assert_eq!(log.bytes, b"one\n");
    assert!(runner.wait().unwrap().success());
}

#[tokio::test]
async fn a_runner_of_the_first_version_is_cancelled() {
    let place = Place::with_command("false");
    let (dir, mut runner) = early_runner(&place, "polite").await;
    let stopped = within("the cancel", cancel(&dir)).await.unwrap();
    let Stopped::Ended(record) = stopped else { panic!("{stopped:?}") };
    assert_eq!(record.outcome, Outcome::Cancelled);
    assert!(runner.wait().unwrap().success());
}

#[tokio::test]
async fn a_runner_that_does_not_understand_is_followed_without_hurry() {
    let place = Place::with_command("false");
    let (dir, mut runner) = early_runner(&place, "deaf").await;
    let began = Instant::now();
    let is_asked_often = || {
        fs::read_to_string(dir.path().join("requests")).is_ok_and(|all| all.lines().count() >= 12)
    };
    let (run, ()) = tokio::join!(Run::follow(&dir), async {
        until("the runner to be asked again", is_asked_often).await;
        fs::write(dir.path().join("go"), "").unwrap();
    });
    assert_eq!(run.outcome, Outcome::Passed);
    assert!(began.elapsed() > Duration::from_millis(500), "{:?}", began.elapsed());
    assert!(runner.wait().unwrap().success());
}

#[tokio::test]
async fn a_run_of_a_later_version_is_refused_by_name_and_left_alone() {
    let place = Place::with_command("echo up > up; sleep 600");
    let dir = place.start().await;
    written(&place.file("up")).await;
    for (name, known) in [("spec.json", 3), ("identity.json", 1)] {
        let path = dir.path().join(name);
        let earlier = fs::read_to_string(&path).unwrap();
        fs::write(&path, r#"{"version":9,"shape":"unknown"}"#).unwrap();
        let refused = |error: String| {
            let says = format!("{name}: it has version 9, this program knows {known}");
            assert!(error.ends_with(&says), "{error}");
        };
        refused(within("the cancel", cancel(&dir)).await.unwrap_err().to_string());
        fs::write(&path, earlier).unwrap();
        assert!(matches!(dir.state().unwrap(), RunState::Running(Some(_))));
        assert!(!place.left().is_empty(), "its commands run");
    }
    within("the cancel", cancel(&dir)).await.unwrap();
    fs::write(dir.path().join("exit.json"), r#"{"version":9,"outcome":"splendid"}"#).unwrap();
    assert!(matches!(dir.state(), Err(OpenError::Version { found: 9, known: 1, .. })));
}
