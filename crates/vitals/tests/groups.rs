//! Process groups, which are ractor's and of the whole process: a program of its own, so that no other
//! test sees them.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use heights::ractor::{self, Actor, ActorProcessingErr, ActorRef};
use heights::{ChildSpec, Hub, Supervisor};
use heights_vitals::Inspector;
use serde_json::Value;
use tempfile::TempDir;

const CEILING: Duration = Duration::from_secs(60);

/// A plain actor, which joins a group.
struct Plain;

impl Actor for Plain {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        ractor::pg::join("passers-by".to_owned(), vec![myself.get_cell()]);
        Ok(())
    }
}

/// Runs the program, and returns what it prints.
async fn vitals(socket: &Path, args: &'static [&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitals"));
    command.args(args).arg("--socket").arg(socket);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = tokio::time::timeout(CEILING, output).await.expect("vitals ends").unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn groups_tell_who_is_in_them() {
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let hub = Hub::new();
    let root = Supervisor::builder("demo").hub(hub.clone()).start().await.unwrap();
    let inspector = Inspector::builder("demo", &hub).directory(folder.path()).start().unwrap();
    let socket = inspector.socket();
    assert_eq!(vitals(&socket, &["groups"]).await, "there are no groups\n");
    let (plain, _) = ChildSpec::actor("plain", || (Plain, ()));
    root.start_child(plain).await.unwrap();
    let table = vitals(&socket, &["groups"]).await;
    assert!(table.starts_with("SCOPE"), "{table}");
    let row = table.lines().nth(1).unwrap();
    assert!(row.contains("passers-by") && row.ends_with("demo/plain"), "{table}");
    let row = vitals(&socket, &["groups", "passers", "-o", "jsonl"]).await;
    let row: Value = serde_json::from_str(&row).unwrap();
    assert_eq!((&row["schema"], &row["path"]), (&"vitals.member/1".into(), &"demo/plain".into()));
    assert!(vitals(&socket, &["tree"]).await.contains("plain"));
    root.stop().await;
}
