//! The git program itself: which one, and what happens when it hangs or gives up.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ci_git::{Git, GitMissing, MINIMUM, Mirror, MirrorConfig, OpenError, Version};
use tempfile::TempDir;

use crate::fixture::{self, LIMIT, explain};

/// A program that says it is git, and does `body` when asked for more than its version.
fn pretender(folder: &Path, version: &str, body: &str) -> PathBuf {
    let path = folder.join("git");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *version) echo '{version}'; exit;; esac\ncd '{}'\n{body}\n",
        folder.display()
    );
    fixture::program(&path, &script);
    path
}

async fn open(folder: &TempDir, body: &str, timeout: Duration) -> Result<(), OpenError> {
    let program = pretender(folder.path(), "git version 2.47.3", body);
    let git = Git::discover(Some(program)).await.unwrap();
    let dir = folder.path().join("mirror.git");
    let config = MirrorConfig { git, dir, url: "/nowhere".to_owned(), credential: None, timeout };
    Mirror::open(config).await.map(drop)
}

#[tokio::test]
async fn the_installed_git_is_found() {
    let git = Git::discover(None).await.unwrap();
    assert!(git.version() >= MINIMUM);
}

#[tokio::test]
async fn a_missing_git_is_told() {
    let missing = Git::discover(Some("/nowhere/git".into())).await.unwrap_err();
    assert!(missing.is_absent(), "{missing:?}");
    assert_eq!(missing.to_string(), "find git as /nowhere/git");
}

#[tokio::test]
async fn an_old_git_is_refused() {
    let folder = TempDir::new().unwrap();
    let program = pretender(folder.path(), "git version 2.30.2", "");
    match Git::discover(Some(program)).await.unwrap_err() {
        GitMissing::TooOld { found, .. } => {
            assert_eq!(found, Version { major: 2, minor: 30, patch: 2 });
        }
        other => panic!("{other:?}"),
    }
    let program = pretender(folder.path(), "I am no git", "");
    let error = Git::discover(Some(program)).await.unwrap_err();
    assert!(matches!(error, GitMissing::Unreadable { .. }), "{error:?}");
}

#[tokio::test]
async fn what_git_complains_of_is_passed_on() {
    let folder = TempDir::new().unwrap();
    let body = "echo 'fatal: write error: No space left on device' >&2; exit 128";
    let error = explain(&open(&folder, body, LIMIT).await.unwrap_err());
    assert!(
        error.ends_with("git init (exit status: 128): fatal: write error: No space left on device"),
        "{error}"
    );
}

#[tokio::test]
async fn long_complaints_keep_their_end() {
    let folder = TempDir::new().unwrap();
    let body = "yes warning | head -c 1000000 >&2; echo last words >&2; exit 1";
    let error = explain(&open(&folder, body, LIMIT).await.unwrap_err());
    assert!(error.len() < 5000 && error.ends_with("last words"), "{} bytes", error.len());
}

#[tokio::test]
async fn a_git_that_hangs_is_killed_with_its_children() {
    let folder = TempDir::new().unwrap();
    let (body, child) = ("sleep 600 & echo $! > child; wait", folder.path().join("child"));
    for limit in [Duration::from_millis(300), Duration::from_secs(30)] {
        let error = open(&folder, body, limit).await.unwrap_err();
        assert!(explain(&error).contains(&format!("finish git init within {limit:?}")), "{error}");
        // On a busy machine it may have been killed before it had a child.
        if fs::read_to_string(&child).is_ok_and(|child| child.ends_with('\n')) {
            break;
        }
    }
    let child = fs::read_to_string(&child).unwrap();
    wait_until(|| is_gone(child.trim()), "the child of git is gone").await;
}

#[tokio::test]
async fn a_git_that_nobody_waits_for_is_killed_with_its_children() {
    let folder = TempDir::new().unwrap();
    let body = "sleep 600 & echo $! > child.new; mv child.new child; wait";
    let child = folder.path().join("child");
    tokio::select! {
        opened = open(&folder, body, LIMIT) => panic!("{opened:?}"),
        () = wait_until(|| child.exists(), "git has started its child") => {}
    }
    let child = fs::read_to_string(child).unwrap();
    wait_until(|| is_gone(child.trim()), "the child of git is gone").await;
}

#[tokio::test]
async fn the_next_life_waits_for_a_git_that_has_survived() {
    let folder = TempDir::new().unwrap();
    // A session of its own is out of reach of the group's end, like a git whose node was killed.
    let body = "exec 3<&0; setsid sleep 600 <&3 3<&- >/dev/null 2>&1 & echo $! > child; exit 1";
    open(&folder, body, LIMIT).await.unwrap_err();
    let busy = open(&folder, body, Duration::from_millis(100)).await.unwrap_err();
    assert!(explain(&busy).contains("another git command has used it"), "{busy}");
    let child = fs::read_to_string(folder.path().join("child")).unwrap();
    fixture::run(std::process::Command::new("kill").arg(child.trim()));
    let failed = open(&folder, "exit 3", LIMIT).await.unwrap_err();
    assert!(explain(&failed).contains("exit status: 3"), "{failed}");
}

#[tokio::test]
async fn what_a_remote_says_does_not_steer_a_terminal() {
    let folder = TempDir::new().unwrap();
    let error = open(&folder, "printf 'remote: \\033[2Jgone' >&2; exit 1", LIMIT).await;
    let error = explain(&error.unwrap_err());
    assert!(error.ends_with("remote: \u{fffd}[2Jgone"), "{error:?}");
}

/// Whether a process has ended, even if nobody has asked for its exit code yet.
fn is_gone(pid: &str) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')),
        Err(_) => true,
    }
}

async fn wait_until(fact: impl Fn() -> bool, what: &str) {
    let give_up = Instant::now() + LIMIT;
    while !fact() {
        assert!(Instant::now() < give_up, "waited for: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
