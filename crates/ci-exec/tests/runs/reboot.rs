//! Machines that were started anew, and what a loss of power leaves of the files.

use std::fs;
use std::path::PathBuf;

use ci_exec::{RunDir, RunState, SweepError, sweep, sweep_attempt};

use crate::support::{Place, kill, until_lost, within, written};

/// What a file system makes of a file that was not yet on the disk.
const TORN: [&[u8]; 3] = [b"", b"{\"version\":1,\"pid\":4", &[0; 64]];

/// A run whose runner was killed while two commands ran, one of which left its session.
async fn lost(place: &Place) -> RunDir {
    let dir = place.start().await;
    written(&place.file("up")).await;
    kill(dir.identity().unwrap().unwrap().pid);
    until_lost(&dir).await;
    dir
}

fn place() -> Place {
    Place::with_command("setsid sleep 600 & echo up > up; sleep 600")
}

fn identity_file(dir: &RunDir) -> PathBuf {
    dir.path().join("identity.json")
}

#[tokio::test]
async fn a_machine_that_was_started_anew_is_known_by_its_boot() {
    let place = place();
    let dir = lost(&place).await;
    assert!(!dir.is_of_an_earlier_boot().unwrap());
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let identity = fs::read_to_string(identity_file(&dir)).unwrap();
    assert!(identity.contains(boot.trim()));
    fs::write(identity_file(&dir), identity.replace(boot.trim(), "another-boot")).unwrap();
    assert!(dir.is_of_an_earlier_boot().unwrap());
    assert!(matches!(dir.state().unwrap(), RunState::Lost));
    within("the sweep", sweep(&dir)).await.unwrap();
    place.assert_nothing_is_left();
}

#[tokio::test]
async fn an_identity_that_was_torn_is_none() {
    for torn in TORN {
        let place = place();
        let dir = lost(&place).await;
        fs::write(identity_file(&dir), torn).unwrap();
        assert_eq!(dir.identity().unwrap(), None);
        assert!(!dir.is_of_an_earlier_boot().unwrap());
        within("the sweep", sweep(&dir)).await.unwrap();
        place.assert_nothing_is_left();
    }
}

#[tokio::test]
async fn an_identity_that_is_whole_and_makes_no_sense_is_an_error() {
    let place = place();
    let dir = lost(&place).await;
    fs::write(identity_file(&dir), "{\"version\": \"?\"}").unwrap();
    let error = dir.identity().unwrap_err().to_string();
    assert!(error.contains("identity.json"), "{error}");
    within("the sweep", sweep_attempt(&place.spec.attempt)).await.unwrap();
    place.assert_nothing_is_left();
}

#[tokio::test]
async fn an_attempt_whose_spec_was_torn_is_swept_by_its_name() {
    for torn in TORN {
        let place = place();
        let dir = lost(&place).await;
        fs::write(dir.path().join("spec.json"), torn).unwrap();
        let error = within("the sweep", sweep(&dir)).await.unwrap_err();
        assert!(matches!(error, SweepError::RunDir(_)), "{error}");
        within("the sweep", sweep_attempt(&place.spec.attempt)).await.unwrap();
        place.assert_nothing_is_left();
    }
}
