//! A disk that is full: nothing more is acknowledged, the node is told once, and what was acknowledged stays.
//!
//! The full disk is a limit on the size of files, set by a shell around this test program started once more.

use std::env;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ci_store::{Append, Ledger, Options, SledLedger, WriteError};
use serde_json::json;

use crate::support::{Disk, record, stamp, stream};

/// Tells the program to be the writer, and where.
const FOLDER: &str = "CI_STORE_TEST_FULL_FOLDER";
/// Lets files grow to 4 MiB; writes beyond that fail instead of killing the writer.
const LIMITED: &str = "trap '' XFSZ; ulimit -f 8192; exec \"$0\" --nocapture --exact \"$1\"";

#[test]
fn a_full_disk_fails_writes_and_loses_nothing() {
    let disk = Disk::new();
    drop(disk.open());
    let output = Command::new("sh")
        .args(["-c", LIMITED])
        .arg(env::current_exe().unwrap())
        .arg("disk_full::the_writer_on_a_full_disk")
        .env(FOLDER, disk.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let acknowledged = said.lines().filter(|line| line.starts_with("acknowledged")).count() as u64;
    let refused = said.lines().find(|line| line.starts_with("refused")).expect("the disk is full");
    assert!(acknowledged > 0, "the limit is too low: {refused}");
    let ledger = disk.open();
    let last = ledger.read(&stream("s")).unwrap().last().0;
    assert!(last >= acknowledged, "{last} of {acknowledged} acknowledged records are left");
    assert_eq!(ledger.check().unwrap().findings, []);
}

/// Does nothing unless it is started by the test above.
#[test]
fn the_writer_on_a_full_disk() {
    let Ok(folder) = env::var(FOLDER) else { return };
    let fatal = Arc::new(AtomicU32::new(0));
    let count = fatal.clone();
    let options = Options::new(stamp("20260131T101500Z")).on_fatal(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let ledger = SledLedger::open(Path::new(&folder), options).unwrap().ledger;
    let write = || {
        let big = record("big", json!("x".repeat(3_000)));
        ledger.append(Append::new(stream("s"), vec![big])).wait()
    };
    let error = loop {
        match write() {
            Ok(seq) => println!("acknowledged {seq}"),
            Err(error) => break error,
        }
    };
    println!("refused {error:?}");
    assert_eq!(write(), Err(error.clone()), "it does not come back");
    assert!(matches!(error, WriteError::Io(_)));
    assert_eq!(fatal.load(Ordering::SeqCst), 1);
    assert!(ledger.stats().failed);
}
