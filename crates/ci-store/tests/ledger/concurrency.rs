//! Many writers at once.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ci_store::{Append, Completion, Ledger, Seq};
use serde_json::json;

use crate::support::{Disk, append, record, stream};

const WRITERS: u64 = 8;
const APPENDS: u64 = 50;
/// A ledger that has not done it by then never does.
const PATIENCE: Duration = Duration::from_secs(60);

/// Appends as a pull request's actor does: one record, wait for the answer, the next.
fn write(ledger: &dyn Ledger, writer: u64) {
    let name = format!("writer/{writer}");
    for number in 1..=APPENDS {
        let own = Append::new(stream(&name), vec![record("own", json!(number))]);
        assert_eq!(ledger.append(own.expecting(Seq(number - 1))).wait(), Ok(Seq(number)));
        let shared = Append::new(stream("shared"), vec![record(&name, json!(number))]);
        ledger.append(shared).wait().unwrap();
    }
}

#[test]
fn all_that_was_acknowledged_is_there_in_order_and_shares_syncs() {
    let disk = Disk::new();
    let ledger = disk.open();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let ledger = &ledger;
            scope.spawn(move || write(ledger, writer));
        }
    });
    let stats = ledger.stats();
    assert_eq!(stats.changes, 2 * WRITERS * APPENDS);
    // Whether two meet depends on the moment; where they can, they do sooner or later.
    let begin = Instant::now();
    while ledger.stats().largest_commit == 1 {
        assert!(begin.elapsed() < PATIENCE, "each change was synced alone");
        let one = |_| ledger.append(Append::new(stream("crowd"), vec![record("x", json!(null))]));
        let answers: Vec<Completion> = (0..100).map(one).collect();
        assert!(answers.into_iter().all(|answer| answer.wait().is_ok()));
    }
    drop(ledger);

    let ledger = disk.open();
    let shared = ledger.read(&stream("shared")).unwrap();
    assert_eq!(shared.last(), Seq(WRITERS * APPENDS));
    for writer in 0..WRITERS {
        let name = format!("writer/{writer}");
        let own = ledger.read(&stream(&name)).unwrap().records;
        assert!(own.iter().all(|(seq, record)| record.body == json!(seq.0)));
        assert_eq!(own.len() as u64, APPENDS);
        let numbers = shared.records.iter().filter(|(_, record)| record.kind == name);
        assert!(numbers.map(|(_, record)| &record.body).eq(own.iter().map(|(_, own)| &own.body)));
    }
}

#[test]
fn readers_see_whole_writes_only() {
    let disk = Disk::new();
    let ledger = disk.open();
    append(&ledger, "s", 1).unwrap();
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..100 {
                let seq = append(&ledger, "s", 3).unwrap();
                if round % 10 == 0 {
                    ledger.snapshot(stream("s"), seq, json!(round)).wait().unwrap();
                }
            }
        });
        while !writer.is_finished() {
            // A replay that is cut anywhere but between two writes is damaged, or has a gap.
            assert_eq!(ledger.read(&stream("s")).unwrap().last().0 % 3, 1);
        }
    });
    assert_eq!(ledger.check().unwrap().findings, []);
}

#[test]
fn what_is_queued_is_written_before_the_ledger_closes() {
    let disk = Disk::new();
    let ledger = disk.open();
    let one = || Append::new(stream("s"), vec![record("queued", json!(null))]);
    let answers: Vec<Completion> = (0..1000).map(|_| ledger.append(one())).collect();
    drop(ledger);
    for (answer, expected) in answers.into_iter().zip(1..) {
        assert_eq!(answer.wait(), Ok(Seq(expected)));
    }
    assert_eq!(disk.open().read(&stream("s")).unwrap().last(), Seq(1000));
}

#[test]
fn the_last_handle_may_be_dropped_by_a_callback() {
    let disk = Disk::new();
    let ledger: Arc<dyn Ledger> = Arc::new(disk.open());
    let own = ledger.clone();
    let (sender, dropped) = std::sync::mpsc::channel();
    let one = Append::new(stream("s"), vec![record("last", json!(null))]);
    let (other_gone, wait) = std::sync::mpsc::channel::<()>();
    let done = Box::new(move |answer| {
        assert!(wait.recv().is_err(), "the other handle is dropped first");
        drop(own);
        sender.send(answer).unwrap();
    });
    ledger.submit(ci_store::Change::Append(one), done);
    drop(ledger);
    drop(other_gone);
    assert_eq!(dropped.recv().unwrap(), Ok(Seq(1)));
}
