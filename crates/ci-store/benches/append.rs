//! How fast appends are, next to what the disk can do at all: `cargo bench -p ci-store`.
//!
//! An append is one record of 500 bytes, waited for. The yardstick, taken in the same run on the same disk, is writing
//! the same bytes to a plain file and waiting for `fdatasync`. Ratios can be compared between machines; rates cannot.
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::thread;
use std::time::Instant;

use ci_store::{Append, Ledger, Options, Record, SledLedger, Stamp, StreamId};
use serde_json::json;

const BODY_BYTES: usize = 500;
const ALONE: u32 = 500;
const WRITERS: u32 = 64;
const PER_WRITER: u32 = 100;

fn main() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let plain = rate(ALONE, || write_plain(&dir.path().join("plain")));
    let options = Options::new(Stamp::new("bench").unwrap());
    let ledger = SledLedger::open(dir.path(), options).unwrap().ledger;
    let alone = rate(ALONE, || write(&ledger, 0, ALONE));
    let before = ledger.stats();
    let grouped = rate(WRITERS * PER_WRITER, || {
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                let ledger = &ledger;
                scope.spawn(move || write(ledger, writer, PER_WRITER));
            }
        });
    });
    let commits = ledger.stats().commits - before.commits;
    let per_commit = f64::from(WRITERS * PER_WRITER) / commits as f64;
    let mut out = io::stdout();
    writeln!(out, "write and fdatasync      {plain:8.0}/s   1.00").unwrap();
    writeln!(out, "append, alone            {alone:8.0}/s  {:5.2}", alone / plain).unwrap();
    writeln!(out, "append, {WRITERS} writers       {grouped:8.0}/s  {:5.2}", grouped / plain)
        .unwrap();
    writeln!(out, "appends that share a sync {per_commit:7.1}").unwrap();
}

fn rate(count: u32, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    f64::from(count) / start.elapsed().as_secs_f64()
}

fn write_plain(path: &Path) {
    let mut file = File::create(path).unwrap();
    for _ in 0..ALONE {
        file.write_all(&[b'x'; BODY_BYTES]).unwrap();
        file.sync_data().unwrap();
    }
}

fn write(ledger: &SledLedger, writer: u32, count: u32) {
    let stream = StreamId::new(format!("writer/{writer}")).unwrap();
    let record =
        Record { kind: "bench".to_owned(), version: 1, body: json!("x".repeat(BODY_BYTES)) };
    for _ in 0..count {
        ledger.append(Append::new(stream.clone(), vec![record.clone()])).wait().unwrap();
    }
}
