//! The program that falls ill, and what `vitals` says of each illness.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use heights::vitals::wire::{Cause, Fact, Picture};
use heights::vitals::{Client, Condition};
use tempfile::TempDir;

const CEILING: Duration = Duration::from_secs(60);

/// The program, and the way into it.
struct Patient {
    program: Child,
    client: Client,
    _runtime: TempDir,
}

impl Patient {
    async fn with(illness: &str) -> Self {
        let runtime = TempDir::new().unwrap();
        std::fs::set_permissions(runtime.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let test = std::env::current_exe().unwrap();
        let path = test.parent().unwrap().parent().unwrap().join("examples/unwell");
        let mut command = Command::new(path);
        command.env("XDG_RUNTIME_DIR", runtime.path()).stdin(Stdio::piped());
        let mut program = command.spawn().unwrap();
        let socket = runtime.path().join("heights").join(format!("{}.sock", program.id()));
        let client = Client::new(socket).patience(CEILING);
        program.stdin.as_mut().unwrap().write_all(format!("{illness}\n").as_bytes()).unwrap();
        Self { program, client, _runtime: runtime }
    }

    async fn until(&self, condition: &str) -> Picture {
        let condition: Condition = condition.parse().unwrap();
        let looking = async {
            loop {
                // It may not be up yet.
                if let Ok(picture) = self.client.picture().await
                    && condition.judge(&picture).holds
                {
                    return picture;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(CEILING, looking).await.unwrap_or_else(|_| panic!("{condition}"))
    }
}

impl Drop for Patient {
    fn drop(&mut self) {
        self.program.kill().unwrap();
        self.program.wait().unwrap();
    }
}

#[tokio::test]
async fn slow_is_found_at_the_end_of_the_chain() {
    let patient = Patient::with("slow").await;
    let picture = patient.until("state(front)=waiting && state(back)=busy").await;
    let why = picture.why("front").unwrap();
    assert_eq!((why.verdict.cause, why.verdict.path.as_str()), (Cause::Handling, "clinic/back"));
    assert_eq!(why.verdict.waiting, ["clinic/front"]);
}

#[tokio::test]
async fn a_blocked_runtime_is_seen_from_outside_and_the_culprit_named() {
    let patient = Patient::with("block").await;
    let picture = patient.until("busy(back)>1s").await;
    assert!(picture.runtime.as_ref().is_some_and(|runtime| runtime.silent_ms > 500));
    let back = picture.detail("back").unwrap().actor;
    assert_eq!(back.working.unwrap().label, "Block");
}

#[tokio::test]
async fn a_crash_is_remembered_with_what_recurs() {
    let patient = Patient::with("crash").await;
    let picture = patient.until("crashes(back)=1 && restarts(back)=1").await;
    let crash = &picture.crashes[0];
    assert_eq!(
        (crash.message.as_deref(), crash.exit.as_str()),
        (Some("Crash"), "error: the form is missing")
    );
    assert_eq!(crash.fingerprint.len(), 6);
}

#[tokio::test]
async fn a_leak_is_seen_in_what_was_handled_and_what_is_kept() {
    let patient = Patient::with("leak").await;
    let picture = patient.until("handled(back)>=20001 && state(**)!=busy").await;
    let back = picture.detail("back").unwrap().actor;
    let keep = back.messages.iter().find(|kind| kind.label == "Keep").unwrap();
    assert_eq!((keep.handled, back.mailbox), (20_000, Some(0)), "nothing waits, and nothing hangs");
    let view = patient.client.state("back", None).await.unwrap().view.unwrap();
    assert_eq!((&view["kept"], &view["bytes"]), (&20_000.into(), &20_480_000.into()));
    assert_eq!(view["drawer"], "***", "a secret is none of it");
}

#[tokio::test]
async fn a_deadlock_is_named() {
    let patient = Patient::with("deadlock").await;
    let picture = patient.until("state(front)=waiting && state(back)=waiting").await;
    let verdict = picture.why("front").unwrap().verdict;
    assert_eq!(verdict.cause, Cause::Deadlock);
    assert_eq!(verdict.cycle, ["clinic/front", "clinic/back"]);
}

#[tokio::test]
async fn a_flood_is_seen_with_the_time_it_takes() {
    let patient = Patient::with("flood").await;
    let picture =
        patient.until("mailbox(back)>1000 && handled(back)>10 && state(front)=waiting").await;
    let why = picture.why("back").unwrap();
    let drain = why.links[0].facts.iter().find_map(|fact| match fact {
        Fact::Backlog { drain_ms, .. } => *drain_ms,
        _ => None,
    });
    assert!(drain > Some(1_000), "{why:?}");
}
