//! What a check finds, and what it leaves alone.

use ci_store::{Ledger, ReadError, Seq};
use serde_json::json;

use crate::support::{Disk, append, stream, tamper};

/// Changes the cells of a sound stream `s` of five records, three of them folded, and checks what is then found.
fn finds(change: impl FnOnce(&sled::Tree), expected: &[&str]) {
    let disk = Disk::new();
    let ledger = disk.open();
    append(&ledger, "other", 1).unwrap();
    append(&ledger, "s", 5).unwrap();
    ledger.snapshot(stream("s"), Seq(3), json!("folded")).wait().unwrap();
    drop(ledger);
    tamper(&disk, |_, cells| change(cells));
    let ledger = disk.open();
    let findings = ledger.check().unwrap().findings;
    assert_eq!(findings.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    let read = ledger.read(&stream("s"));
    assert!(matches!(read, Err(ReadError::Damaged(_))), "{read:?}");
    assert_eq!(ledger.read(&stream("other")).unwrap().last(), Seq(1), "others are not affected");
    ledger.drop_stream(stream("s")).wait().unwrap();
    assert_eq!(ledger.check().unwrap().findings, [], "a damaged stream can be dropped");
    assert_eq!(append(&ledger, "s", 1), Ok(Seq(1)));
}

fn entry(section: u8, seq: u8) -> Vec<u8> {
    [&[section, 1, b's', 0][..], &[0, 0, 0, 0, 0, 0, 0, seq], &[0, 0]].concat()
}

fn flip(cells: &sled::Tree, key: &[u8]) {
    let mut value = cells.get(key).unwrap().unwrap().to_vec();
    *value.last_mut().unwrap() ^= 1;
    cells.insert(key, value).unwrap();
}

#[test]
fn a_check_finds_each_kind_of_damage() {
    let checksum = "checksum does not match";
    finds(
        |cells| flip(cells, &entry(b'r', 5)),
        &[&format!("s at 5: {checksum}"), "s: stands at 5 by its head, at 4 by its records"],
    );
    finds(
        |cells| drop(cells.remove(entry(b'r', 4)).unwrap()),
        &["s at 5: follows a gap: expected seq 4"],
    );
    finds(
        |cells| drop(cells.remove(entry(b'r', 5)).unwrap()),
        &["s: stands at 5 by its head, at 4 by its records"],
    );
    finds(
        |cells| {
            let other = cells.get(entry(b'r', 4)).unwrap().unwrap();
            cells.insert(entry(b'r', 5), other).unwrap();
        },
        &[&format!("s at 5: {checksum}"), "s: stands at 5 by its head, at 4 by its records"],
    );
    finds(
        |cells| flip(cells, &entry(b's', 3)),
        &[&format!("s at 3: {checksum}"), "s at 4: follows a gap: expected seq 1"],
    );
    finds(|cells| flip(cells, b"h\x01s"), &[&format!("s: {checksum}")]);
    finds(|cells| drop(cells.remove(b"h\x01s").unwrap()), &["s: has records but no head"]);
    finds(
        |cells| drop(cells.insert(entry(b'r', 5), &b"short"[..]).unwrap()),
        &[
            "s at 5: a value of 5 bytes is too short",
            "s: stands at 5 by its head, at 4 by its records",
        ],
    );
}
