//! Where the socket is, and who may go there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use heights_supervisor::Hub;
use heights_vitals::{Inspector, PlaceError, StartError, Tier, processes};

use crate::support::{private_directory, start};

#[tokio::test]
async fn leaves_nothing_behind_and_is_found_only_while_it_lives() {
    let tree = start(Tier::Read).await;
    let directory = tree.inspector.socket().parent().unwrap().to_owned();
    let found = processes([directory.clone()]);
    assert_eq!(
        (found[0].announcement.name.as_str(), found[0].socket.clone()),
        ("app", tree.inspector.socket())
    );
    drop(tree.inspector);
    assert_eq!(processes([directory.clone()]), []);
    assert_eq!(fs::read_dir(directory).unwrap().count(), 0);
    tree.root.stop().await;
}

#[test]
fn what_dead_processes_left_is_cleared_away() {
    let directory = private_directory();
    // No process has the largest id: the kernel's limit is far below it.
    let (socket, note) =
        (directory.path().join("2147483647.sock"), directory.path().join("2147483647.json"));
    drop(UnixListener::bind(&socket).unwrap());
    fs::write(&note, r#"{"name":"dead","version":"","os_pid":2147483647,"started_ms":0}"#).unwrap();
    let inspector =
        Inspector::builder("app", &Hub::new()).directory(directory.path()).start().unwrap();
    assert!(!socket.exists() && !note.exists());
    drop(inspector);
}

#[test]
fn a_directory_that_others_may_enter_is_not_used() {
    let directory = private_directory();
    let open = directory.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o750)).unwrap();
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(directory.path(), &link).unwrap();
    for path in [open, link] {
        let refused = Inspector::builder("app", &Hub::new()).directory(&path).start().unwrap_err();
        assert!(matches!(refused, StartError::Place(PlaceError::Untrusted { .. })), "{refused}");
    }
}

/// Not a test by itself: what the test below runs with the switch off.
#[test]
fn plays_turned_off() {
    if std::env::var_os("HEIGHTS_VITALS").is_some() {
        let directory = private_directory();
        let refused = Inspector::builder("app", &Hub::new()).directory(directory.path()).start();
        assert!(matches!(refused.unwrap_err(), StartError::TurnedOff));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

#[test]
fn the_environment_turns_it_off() {
    let mut test = std::process::Command::new(std::env::current_exe().unwrap());
    let output = test
        .args(["place::plays_turned_off", "--exact"])
        .env("HEIGHTS_VITALS", "off")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
