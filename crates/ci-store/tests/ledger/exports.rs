//! Export, import, and the folder of exports.

use std::fs;
use std::thread;

use ci_store::{
    CompactError, ImportError, Ledger, LoadError, MemoryLedger, Seq, SledLedger, backups, export,
    export_to_dir, latest_export,
};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Disk, append, stamp, stream};

/// A snapshot and a record after it, a snapshot alone, records alone.
fn fill(ledger: &dyn Ledger) {
    append(ledger, "a", 3).unwrap();
    ledger.snapshot(stream("a"), Seq(2), json!({"folded": [1, 2]})).wait().unwrap();
    append(ledger, "b", 2).unwrap();
    ledger.snapshot(stream("b"), Seq(2), json!("ü")).wait().unwrap();
    append(ledger, "c/d", 2).unwrap();
}

fn text(ledger: &dyn Ledger) -> String {
    let mut text = Vec::new();
    export(ledger, &stamp("20260131T101500Z"), &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

const EXPORT: &str = r#"{"format":"ci-ledger","schema":1,"created":"20260131T101500Z"}
{"snapshot":{"stream":"a","seq":2,"body":{"folded":[1,2]}}}
{"record":{"stream":"a","seq":3,"kind":"counted","version":1,"body":{"number":2}}}
{"snapshot":{"stream":"b","seq":2,"body":"ü"}}
{"record":{"stream":"c/d","seq":1,"kind":"counted","version":1,"body":{"number":0}}}
{"record":{"stream":"c/d","seq":2,"kind":"counted","version":1,"body":{"number":1}}}
{"end":{"streams":3,"records":3,"crc32":CRC}}
"#;

#[test]
fn an_export_looks_like_this_from_either_ledger() {
    let (memory, disk) = (MemoryLedger::new(), Disk::new());
    let on_disk = disk.open();
    fill(&memory);
    fill(&on_disk);
    let crc = crc32fast::hash(EXPORT.split_inclusive('\n').take(6).collect::<String>().as_bytes());
    let expected = EXPORT.replace("CRC", &crc.to_string());
    assert_eq!(text(&memory), expected);
    assert_eq!(text(&on_disk), expected);
}

#[test]
fn an_import_gives_back_what_was_exported() {
    let memory = MemoryLedger::new();
    fill(&memory);
    let before = text(&memory);
    let disk = Disk::new();
    let imported = SledLedger::import(&disk.path(), &mut before.as_bytes()).unwrap();
    assert_eq!((imported.streams, imported.records), (3, 3));
    let ledger = disk.open();
    assert_eq!(text(&ledger), before);
    assert_eq!(ledger.check().unwrap().findings, []);
    assert_eq!(append(&ledger, "b", 1), Ok(Seq(3)), "the numbering goes on");
    assert_eq!(text(&MemoryLedger::import(&mut before.as_bytes()).unwrap()), before);
}

#[test]
fn only_an_empty_ledger_takes_an_import() {
    let disk = Disk::new();
    append(&disk.open(), "mine", 1).unwrap();
    let refused = SledLedger::import(&disk.path(), &mut text(&MemoryLedger::new()).as_bytes());
    assert!(matches!(refused, Err(LoadError::NotEmpty)), "{refused:?}");
    assert_eq!(disk.open().streams("").unwrap(), [stream("mine")]);
}

#[test]
fn a_damaged_export_is_refused_with_its_line() {
    let memory = MemoryLedger::new();
    fill(&memory);
    let sound = text(&memory);
    let line = |number: usize| format!("{}\n", sound.lines().nth(number - 1).unwrap());
    let check = |damaged: &str, expected: &str| {
        let disk = Disk::new();
        let refused = SledLedger::import(&disk.path(), &mut damaged.as_bytes()).unwrap_err();
        assert!(refused.to_string().contains(expected), "{refused} should say {expected:?}");
        assert!(disk.open().streams("").unwrap().is_empty());
    };
    check("", "line 1");
    check("{}", "missing field `format`");
    check(&sound.replace("ci-ledger", "zip"), "expected format \"ci-ledger\"");
    check(
        &sound.replace("\"schema\":1", "\"schema\":2"),
        "schema 2: this version knows schemas up to 1",
    );
    check(&sound.replace("folded", "forged"), "line 7: counts or checksum");
    check(&sound.replace(&line(7), ""), "line 7: the export was cut short");
    check(&sound.replace(&line(5), ""), "line 5: expected seq 1");
    check(&sound.replace(&line(3), &(line(3) + &line(2))), "line 4: a snapshot comes first");
    check(&sound.replace(&line(4), &(line(5) + &line(4))), "line 5: streams come in order");
    check(&sound[..sound.len() / 2], "line 4: EOF");
    check(&sound.replace("\"c/d\"", "\"c%d\""), "line 5: name a stream");
}

#[test]
fn an_export_of_a_busy_ledger_can_be_imported() {
    let disk = Disk::new();
    let ledger = disk.open();
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..60 {
                let name = format!("s/{}", round % 7);
                let seq = append(&ledger, &name, 3).unwrap();
                match round % 5 {
                    0 => ledger.snapshot(stream(&name), seq, json!(round)).wait().unwrap(),
                    1 => ledger.drop_stream(stream(&name)).wait().unwrap(),
                    _ => seq,
                };
            }
        });
        while !writer.is_finished() {
            MemoryLedger::import(&mut text(&ledger).as_bytes()).unwrap();
        }
    });
}

#[test]
fn the_newest_exports_are_kept() {
    let (ledger, dir) = (MemoryLedger::new(), TempDir::new().unwrap());
    let dir = dir.path().join("exports");
    assert_eq!(latest_export(&dir).unwrap(), None);
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("export-0.unfinished"), "half").unwrap();
    fs::write(dir.join("notes.txt"), "not ours").unwrap();
    for hour in ["20260131T10", "20260131T12", "20260131T11"] {
        fill(&ledger);
        export_to_dir(&ledger, &dir, &stamp(hour), 2).unwrap();
    }
    let kept = backups(&dir).unwrap();
    assert_eq!(kept, ["12", "11"].map(|hour| dir.join(format!("export-20260131T{hour}.ndjson"))));
    assert_eq!(latest_export(&dir).unwrap().as_ref(), kept.first());
    assert_eq!(
        fs::read_dir(&dir).unwrap().count(),
        3,
        "what was unfinished is gone, the notes are not"
    );
}

#[test]
fn a_stamp_cannot_leave_the_folder() {
    for text in ["", "../x", "a b", "a.b", &"x".repeat(65)] {
        assert!(ci_store::Stamp::new(text).is_err(), "{text:?}");
    }
}

#[test]
fn compacting_keeps_everything_and_frees_space() {
    let disk = Disk::new();
    let ledger = disk.open();
    fill(&ledger);
    for _ in 0..20 {
        append(&ledger, "gone", 2_000).unwrap();
        ledger.drop_stream(stream("gone")).wait().unwrap();
    }
    let before = text(&ledger);
    assert!(matches!(SledLedger::compact(&disk.path()), Err(CompactError::Open(_))));
    drop(ledger);
    let compacted = SledLedger::compact(&disk.path()).unwrap();
    assert!(compacted.after_bytes < compacted.before_bytes, "{compacted:?}");
    assert_eq!(text(&disk.open()), before);
    let left: Vec<_> =
        fs::read_dir(disk.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "only the lock and the database are left: {left:?}");
}

#[test]
fn an_unfit_import_says_why_in_its_sources() {
    let refused = MemoryLedger::import(&mut &b"\xff"[..]).unwrap_err();
    assert!(matches!(refused, ImportError::Read(_)), "{refused:?}");
}
