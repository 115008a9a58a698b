//! Databases that do not open, and what becomes of them.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ci_store::{Append, Ledger, OpenError, Opened, Pid, Recovery, Seq, export_to_dir};
use serde_json::json;

use crate::support::{Disk, append, record, stamp, stream, tamper};

/// A closed ledger of ten records in `kept`, exported after the seventh.
fn ledger_with_an_export() -> Disk {
    let disk = Disk::new();
    let ledger = disk.open();
    append(&ledger, "kept", 7).unwrap();
    export_to_dir(&ledger, &disk.exports(), &stamp("20260131T09"), 3).unwrap();
    append(&ledger, "kept", 3).unwrap();
    drop(ledger);
    // sled writes a snapshot of its log when it opens one.
    drop(disk.open());
    disk
}

/// Opens a ledger whose database is broken, and checks that it went back to the export.
fn opens_with_the_export(disk: &Disk) -> Recovery {
    let Opened { ledger, recovery } = disk.try_open().unwrap();
    let recovery = recovery.expect("the database was broken");
    assert_eq!(ledger.read(&stream("kept")).unwrap().last(), Seq(7), "{recovery}");
    assert_eq!(ledger.check().unwrap().findings, []);
    assert_eq!(append(&ledger, "kept", 1), Ok(Seq(8)), "it takes writes again");
    drop(ledger);
    assert_eq!(disk.open().read(&stream("kept")).unwrap().last(), Seq(8));
    recovery
}

fn overwrite(path: &Path, from: u64, bytes: usize) {
    let mut file = File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(from)).unwrap();
    file.write_all(&vec![0xA5; bytes]).unwrap();
}

fn snapshot_file(disk: &Disk) -> PathBuf {
    let files = fs::read_dir(disk.path().join("db")).unwrap().map(|entry| entry.unwrap().path());
    let mut snapshots = files.filter(|path| path.to_string_lossy().contains("snap."));
    snapshots.next().unwrap()
}

#[test]
fn a_half_written_snapshot_of_sled_does_no_harm() {
    let disk = ledger_with_an_export();
    let half = disk.path().join("db/snap.7FFFFFFFFFFFFFFF.generating");
    fs::write(&half, "half a snapshot").unwrap();
    assert_eq!(disk.open().read(&stream("kept")).unwrap().last(), Seq(10));
    assert!(!half.exists());
}

/// sled puts large pages into files of their own, which nobody syncs: there must be none.
#[test]
fn everything_is_in_the_file_that_is_synced() {
    let disk = Disk::new();
    let ledger = disk.open();
    let named = |number: usize| format!("{number:03}{}", "x".repeat(500));
    let long = json!("y".repeat(4_000));
    let answers: Vec<_> = (0..600)
        .map(|number| Append::new(stream(&named(number)), vec![record("long", long.clone())]))
        .map(|append| ledger.append(append))
        .collect();
    for answer in answers {
        answer.wait().unwrap();
    }
    ledger.snapshot(stream(&named(7)), Seq(1), json!("z".repeat(1 << 20))).wait().unwrap();
    drop(ledger);
    drop(disk.open());
    assert_eq!(fs::read_dir(disk.path().join("db/blobs")).unwrap().count(), 0);
}

#[test]
fn a_second_opener_is_told_who_has_it() {
    let disk = Disk::new();
    let first = disk.open();
    let Err(OpenError::Locked { path, pid }) = disk.try_open() else { panic!("opened twice") };
    assert_eq!((path, pid), (disk.path().join("lock"), Pid(Some(std::process::id()))));
    drop(first);
    disk.open();
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let disk = ledger_with_an_export();
    tamper(&disk, |db, _| drop(db.insert("schema", "2").unwrap()));
    let Err(refused @ OpenError::NewerSchema { found: 2 }) = disk.try_open() else {
        panic!("opened a newer schema")
    };
    assert_eq!(
        refused.to_string(),
        "open a ledger of schema 2: this version knows schemas up to 1"
    );
    tamper(&disk, |db, _| drop(db.insert("schema", "1").unwrap()));
    assert_eq!(disk.open().read(&stream("kept")).unwrap().last(), Seq(10));
}

#[test]
fn a_damaged_snapshot_of_sled_is_restored_from_the_export() {
    let disk = ledger_with_an_export();
    overwrite(&snapshot_file(&disk), 8, 32);
    let recovery = opens_with_the_export(&disk);
    let broken = disk.path().join("db.broken-20260131T101500Z");
    assert_eq!(recovery.moved_to.as_ref(), Some(&broken));
    assert!(broken.join("db").exists());
    let export = disk.exports().join("export-20260131T09.ndjson");
    let restored = recovery.restored.as_ref().unwrap();
    assert_eq!((&restored.0, restored.1.records), (&export, 7));
    let said = recovery.to_string();
    assert!(said.contains(&broken.display().to_string()), "{said}");
    assert!(said.contains("1 streams with 7 records were restored from"), "{said}");
}

#[test]
fn whatever_is_damaged_the_export_is_restored() {
    let check = |damage: fn(&Disk)| {
        let disk = ledger_with_an_export();
        damage(&disk);
        opens_with_the_export(&disk);
    };
    check(|disk| overwrite(&disk.path().join("db/db"), 0, 4096));
    check(|disk| {
        let log = File::options().write(true).open(disk.path().join("db/db")).unwrap();
        log.set_len(30).unwrap();
    });
    check(|disk| overwrite(&disk.path().join("db/conf"), 0, 16));
    check(|disk| fs::remove_file(disk.path().join("db/db")).unwrap());
    check(|disk| {
        // To sled this is a new database; the ledger knows better.
        fs::remove_file(disk.path().join("db/db")).unwrap();
        fs::remove_file(snapshot_file(disk)).unwrap();
    });
    check(|disk| tamper(disk, |db, _| drop(db.remove("schema").unwrap())));
    check(|disk| tamper(disk, |db, _| drop(db.insert("schema", "one").unwrap())));
}

#[test]
fn exports_without_a_database_are_restored() {
    let disk = ledger_with_an_export();
    fs::remove_dir_all(disk.path().join("db")).unwrap();
    assert_eq!(opens_with_the_export(&disk).moved_to, None);
}

#[test]
fn a_damaged_export_gives_way_to_an_older_one() {
    let disk = ledger_with_an_export();
    let newer = disk.exports().join("export-20260131T10.ndjson");
    let text = fs::read_to_string(disk.exports().join("export-20260131T09.ndjson")).unwrap();
    fs::write(&newer, text.replace("counted", "courted")).unwrap();
    overwrite(&snapshot_file(&disk), 8, 32);
    let recovery = opens_with_the_export(&disk);
    let (skipped, reason) = recovery.skipped.first().unwrap();
    assert_eq!(skipped, &newer);
    assert!(reason.contains("checksum"), "{reason}");
}

#[test]
fn an_export_of_a_newer_schema_is_not_skipped() {
    let disk = ledger_with_an_export();
    let newer = disk.exports().join("export-20260131T10.ndjson");
    fs::write(&newer, r#"{"format":"ci-ledger","schema":2,"created":"x"}"#).unwrap();
    overwrite(&snapshot_file(&disk), 8, 32);
    let refused = disk.try_open().map(|opened| opened.recovery);
    assert!(
        matches!(&refused, Err(OpenError::Restore { path, .. }) if *path == newer),
        "{refused:?}"
    );
    assert!(disk.path().join("db").exists(), "the broken database stays until there is another");
}

#[test]
fn without_an_export_the_ledger_is_empty_and_says_so() {
    let disk = ledger_with_an_export();
    fs::remove_dir_all(disk.exports()).unwrap();
    for name in ["db.broken-20260131T101500Z", "db.broken-20260131T101500Z-again"] {
        overwrite(&disk.path().join("db/db"), 0, 4096);
        let Opened { ledger, recovery } = disk.try_open().unwrap();
        assert_eq!(ledger.streams("").unwrap(), []);
        let recovery = recovery.unwrap();
        assert_eq!(recovery.moved_to, Some(disk.path().join(name)));
        assert!(recovery.to_string().ends_with("there was no export to restore, so it is empty"));
    }
}
