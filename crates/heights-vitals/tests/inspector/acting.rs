//! Acting on actors: what it does, who may, and who is told.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use heights_vitals::Tier;
use heights_vitals::wire::ControlRequest;

use crate::support::{reborn, refusal, start};

#[tokio::test]
async fn a_killed_actor_comes_back_and_its_old_pid_names_the_heir() {
    let tree = start(Tier::Control).await;
    let old = tree.client.actor("pull-7").await.unwrap().actor;
    let pid = old.pid.clone().unwrap();
    let request = ControlRequest { reason: Some("a test".to_owned()), ..ControlRequest::default() };
    let killed = tree.client.kill(&pid, &request).await.unwrap();
    assert_eq!(
        (killed.pid.as_str(), killed.ends.as_slice()),
        (pid.as_str(), &["app/pulls/pull-7".to_owned()][..])
    );
    let new = reborn(&tree.client, "pull-7").await;
    assert_ne!(new.pid, old.pid);
    assert_eq!((new.incarnation, new.restarts), (Some(2), Some(1)));
    let (status, body) = refusal(tree.client.kill(&pid, &request).await);
    assert_eq!(
        (status, body.code.as_str(), body.heir.unwrap().now),
        (410, "gone", new.pid.clone())
    );
    let crashes = tree.client.actor("pull-7").await.unwrap().crashes;
    assert_eq!((crashes[0].pid.as_str(), crashes[0].exit.as_str()), (pid.as_str(), "killed"));
    tree.root.stop().await;
}

#[tokio::test]
async fn looking_ahead_tells_what_would_end_and_changes_nothing() {
    let tree = start(Tier::Read).await;
    let before = tree.client.tree().await.unwrap();
    let request = ControlRequest { dry_run: true, reason: None };
    let foreseen = tree.client.kill("app/store", &request).await.unwrap();
    assert_eq!(foreseen.ends, ["app/store"]);
    assert_eq!(foreseen.siblings, ["app/pulls", "app/idle"]);
    assert_eq!(foreseen.along, 4, "with all that is below them");
    assert_eq!((foreseen.messages_lost, foreseen.restarts_left), (Some(0), Some(3)));
    let root = tree.client.stop("@root", &request).await.unwrap();
    assert_eq!(root.ends.len(), 6);
    assert!(root.cautions[0].contains("root"), "{:?}", root.cautions);
    let pids = |tree: &heights_vitals::wire::Tree| {
        tree.actors.iter().map(|actor| actor.pid.clone()).collect::<Vec<_>>()
    };
    assert_eq!(pids(&tree.client.tree().await.unwrap()), pids(&before));
    tree.root.stop().await;
}

#[tokio::test]
async fn below_the_control_tier_nothing_is_ended() {
    let tree = start(Tier::Trace).await;
    for answer in [
        tree.client.kill("store", &ControlRequest::default()).await,
        tree.client.stop("store", &ControlRequest::default()).await,
    ] {
        let (status, body) = refusal(answer);
        assert_eq!((status, body.code.as_str()), (403, "forbidden"));
    }
    assert_eq!(tree.client.actor("store").await.unwrap().actor.incarnation, Some(1));
    tree.root.stop().await;
}

/// Collects what is logged by the whole test program.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_says_who_ended_what_and_why_and_who_was_refused() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).init();
    let because = |reason: &str| ControlRequest {
        reason: Some(reason.to_owned()),
        ..ControlRequest::default()
    };
    let (open, closed) = (start(Tier::Control).await, start(Tier::Read).await);
    let killed = open.client.kill("pull-71", &because("it is a test")).await.unwrap();
    refusal(closed.client.stop("store", &because("it is forbidden")).await);
    let uid = rustix::process::getuid().as_raw();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = |text: &str| {
        log.lines().find(|line| line.contains(text)).unwrap_or_else(|| panic!("{text} in {log}"))
    };
    let done = line("it is a test");
    for part in ["heights_vitals::audit", "action=\"kill\"", "path=app/pulls/pull-71", "done=true"]
    {
        assert!(done.contains(part), "{part} in {done}");
    }
    assert!(
        done.contains(&format!("pid={}", killed.pid)) && done.contains(&format!("uid=Some({uid})")),
        "{done}"
    );
    assert!(line("it is forbidden").contains("refused"));
    open.root.stop().await;
    closed.root.stop().await;
}
