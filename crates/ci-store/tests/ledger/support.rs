//! Ledgers and records for the tests.

use std::path::PathBuf;

use ci_store::{
    Append, Ledger, OpenError, Opened, Options, Record, Seq, SledLedger, Stamp, StreamId,
    WriteError,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder for a ledger, deleted at the end of the test.
pub struct Disk {
    dir: TempDir,
}

impl Disk {
    pub fn new() -> Self {
        Self { dir: TempDir::new().unwrap() }
    }

    /// Where the ledger is.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("ledger")
    }

    /// Opens the ledger, which must be sound.
    pub fn open(&self) -> SledLedger {
        let Opened { ledger, recovery } = self.try_open().unwrap();
        assert_eq!(recovery, None);
        ledger
    }

    pub fn try_open(&self) -> Result<Opened, OpenError> {
        SledLedger::open(&self.path(), Options::new(stamp("20260131T101500Z")))
    }

    pub fn exports(&self) -> PathBuf {
        SledLedger::exports_dir(&self.path())
    }
}

pub fn stamp(text: &str) -> Stamp {
    Stamp::new(text).unwrap()
}

pub fn stream(name: &str) -> StreamId {
    StreamId::new(name).unwrap()
}

pub fn record(kind: &str, body: Value) -> Record {
    Record { kind: kind.to_owned(), version: 1, body }
}

/// Appends `count` records in one go.
pub fn append<L: Ledger + ?Sized>(ledger: &L, name: &str, count: usize) -> Result<Seq, WriteError> {
    let records = (0..count).map(|number| record("counted", json!({ "number": number }))).collect();
    ledger.append(Append::new(stream(name), records)).wait()
}

/// Changes the cells of a closed database behind the ledger's back.
pub fn tamper(disk: &Disk, change: impl FnOnce(&sled::Db, &sled::Tree)) {
    let db = sled::open(disk.path().join("db")).unwrap();
    change(&db, &db.open_tree("ledger").unwrap());
    db.flush().unwrap();
}

/// Numbers that look random and are the same in every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}
