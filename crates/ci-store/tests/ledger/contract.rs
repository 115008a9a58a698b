//! What every ledger does, checked on each of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};

use ci_store::{
    Append, Change, Ledger, MemoryLedger, ReadError, Replay, Seq, Snapshot, WriteError,
};
use serde_json::json;

use crate::support::{Disk, append, record, stream};

type Shared = Arc<dyn Ledger>;

/// One function per promise, run on the twin in memory and on the one on disk.
macro_rules! contract {
    ($($promise:ident)+) => {
        mod in_memory {
            $(#[test] fn $promise() {
                super::$promise(&(super::Arc::new(super::MemoryLedger::new()) as super::Shared));
            })+
        }
        mod on_disk {
            $(#[test] fn $promise() {
                let disk = super::Disk::new();
                super::$promise(&(super::Arc::new(disk.open()) as super::Shared));
            })+
        }
    };
}

contract! {
    an_unwritten_stream_is_empty
    numbers_records_from_one_in_each_stream
    gives_back_what_was_appended
    an_append_of_nothing_tells_where_the_stream_stands
    a_stale_writer_is_refused_and_writes_nothing
    expecting_the_start_makes_a_stream_once
    a_snapshot_takes_the_place_of_the_records_it_folds
    a_snapshot_can_be_replaced_but_not_taken_back
    a_snapshot_of_what_is_not_there_is_refused
    a_dropped_stream_starts_anew
    streams_are_listed_by_prefix_in_order
    one_stream_is_not_part_of_another
    large_bodies_come_back_whole
    a_body_that_could_not_be_read_back_is_refused
    a_callback_may_write_the_next_change
    a_callback_that_panics_stops_nobody
    an_answer_that_nobody_waits_for_is_still_a_write
    counts_what_it_does
    a_sound_ledger_has_no_findings
}

fn read(ledger: &Shared, name: &str) -> Replay {
    ledger.read(&stream(name)).unwrap()
}

fn seqs(replay: &Replay) -> Vec<u64> {
    replay.records.iter().map(|(seq, _)| seq.0).collect()
}

fn an_unwritten_stream_is_empty(ledger: &Shared) {
    assert_eq!(ledger.read(&stream("nobody")), Ok::<_, ReadError>(Replay::default()));
    assert_eq!(read(ledger, "nobody").last(), Seq::START);
}

fn numbers_records_from_one_in_each_stream(ledger: &Shared) {
    assert_eq!(append(&**ledger, "one", 2), Ok(Seq(2)));
    assert_eq!(append(&**ledger, "other", 1), Ok(Seq(1)));
    assert_eq!(append(&**ledger, "one", 1), Ok(Seq(3)));
    assert_eq!(seqs(&read(ledger, "one")), [1, 2, 3]);
}

fn gives_back_what_was_appended(ledger: &Shared) {
    let records =
        vec![record("opened", json!({"head": "f00d", "draft": null})), record("", json!(0.1))];
    ledger.append(Append::new(stream("pull/a/b/1"), records.clone())).wait().unwrap();
    let stored: Vec<_> = read(ledger, "pull/a/b/1").records;
    assert_eq!(stored, [(Seq(1), records[0].clone()), (Seq(2), records[1].clone())]);
}

fn an_append_of_nothing_tells_where_the_stream_stands(ledger: &Shared) {
    assert_eq!(append(&**ledger, "s", 0), Ok(Seq::START));
    append(&**ledger, "s", 4).unwrap();
    assert_eq!(append(&**ledger, "s", 0), Ok(Seq(4)));
    assert_eq!(ledger.streams("").unwrap(), [stream("s")]);
}

fn a_stale_writer_is_refused_and_writes_nothing(ledger: &Shared) {
    append(&**ledger, "s", 2).unwrap();
    let stale = Append::new(stream("s"), vec![record("late", json!(1))]).expecting(Seq(1));
    let conflict = WriteError::Conflict { stream: stream("s"), expected: Seq(1), actual: Seq(2) };
    assert_eq!(ledger.append(stale.clone()).wait(), Err(conflict));
    assert_eq!(seqs(&read(ledger, "s")), [1, 2]);
    assert_eq!(ledger.append(stale.expecting(Seq(2))).wait(), Ok(Seq(3)));
}

fn expecting_the_start_makes_a_stream_once(ledger: &Shared) {
    let first = Append::new(stream("s"), vec![record("made", json!({}))]).expecting(Seq::START);
    assert_eq!(ledger.append(first.clone()).wait(), Ok(Seq(1)));
    assert!(matches!(ledger.append(first).wait(), Err(WriteError::Conflict { .. })));
}

fn a_snapshot_takes_the_place_of_the_records_it_folds(ledger: &Shared) {
    append(&**ledger, "s", 5).unwrap();
    assert_eq!(ledger.snapshot(stream("s"), Seq(3), json!("folded")).wait(), Ok(Seq(5)));
    let replay = read(ledger, "s");
    assert_eq!(replay.snapshot, Some(Snapshot { seq: Seq(3), body: json!("folded") }));
    assert_eq!(seqs(&replay), [4, 5]);
    assert_eq!(append(&**ledger, "s", 1), Ok(Seq(6)));
}

fn a_snapshot_can_be_replaced_but_not_taken_back(ledger: &Shared) {
    append(&**ledger, "s", 4).unwrap();
    let fold = |upto| ledger.snapshot(stream("s"), Seq(upto), json!(upto)).wait();
    assert_eq!(fold(2), Ok(Seq(4)));
    assert_eq!(fold(2), Ok(Seq(4)));
    assert_eq!(fold(4), Ok(Seq(4)));
    let refused =
        WriteError::OutOfRange { stream: stream("s"), upto: Seq(3), first: Seq(4), last: Seq(4) };
    assert_eq!(fold(3), Err(refused));
    let replay = read(ledger, "s");
    assert_eq!((replay.last(), replay.records.len()), (Seq(4), 0));
    assert_eq!(append(&**ledger, "s", 1), Ok(Seq(5)));
}

fn a_snapshot_of_what_is_not_there_is_refused(ledger: &Shared) {
    append(&**ledger, "s", 1).unwrap();
    for (name, upto) in [("s", 0), ("s", 2), ("nobody", 0), ("nobody", 1)] {
        let answer = ledger.snapshot(stream(name), Seq(upto), json!(1)).wait();
        assert!(matches!(answer, Err(WriteError::OutOfRange { .. })), "{name} {upto}: {answer:?}");
    }
    assert_eq!(ledger.streams("").unwrap(), [stream("s")]);
}

fn a_dropped_stream_starts_anew(ledger: &Shared) {
    append(&**ledger, "s", 3).unwrap();
    ledger.snapshot(stream("s"), Seq(2), json!(2)).wait().unwrap();
    assert_eq!(ledger.drop_stream(stream("s")).wait(), Ok(Seq(3)));
    assert_eq!(ledger.drop_stream(stream("s")).wait(), Ok(Seq::START));
    assert!(read(ledger, "s").is_empty());
    assert!(ledger.streams("").unwrap().is_empty());
    assert_eq!(append(&**ledger, "s", 1), Ok(Seq(1)));
}

fn streams_are_listed_by_prefix_in_order(ledger: &Shared) {
    for name in ["pull/a/b/10", "pull/a/b/9", "branch/a/b/main", "pull/a/bc/1", "intake"] {
        append(&**ledger, name, 1).unwrap();
    }
    let listed = |prefix| {
        let streams = ledger.streams(prefix).unwrap();
        streams.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(listed("pull/a/b/"), ["pull/a/b/10", "pull/a/b/9"]);
    assert_eq!(listed("int"), ["intake"]);
    assert_eq!(listed("x"), [""; 0]);
    assert_eq!(listed("").len(), 5);
}

fn one_stream_is_not_part_of_another(ledger: &Shared) {
    append(&**ledger, "pull/1", 1).unwrap();
    append(&**ledger, "pull/10", 2).unwrap();
    append(&**ledger, "pull/1 ", 3).unwrap();
    ledger.drop_stream(stream("pull/1")).wait().unwrap();
    assert_eq!(seqs(&read(ledger, "pull/10")), [1, 2]);
    assert_eq!(seqs(&read(ledger, "pull/1 ")), [1, 2, 3]);
}

fn large_bodies_come_back_whole(ledger: &Shared) {
    for bytes in [4_000, 4_096, 10_000, 1_000_000] {
        let big = record("big", json!("x".repeat(bytes)));
        let seq = ledger.append(Append::new(stream("s"), vec![big.clone()])).wait().unwrap();
        assert_eq!(read(ledger, "s").records.last(), Some(&(seq, big)));
    }
    ledger.snapshot(stream("s"), Seq(4), json!(vec!["y"; 100_000])).wait().unwrap();
    assert_eq!(read(ledger, "s").snapshot.unwrap().body, json!(vec!["y"; 100_000]));
    ledger.snapshot(stream("s"), Seq(4), json!("small")).wait().unwrap();
    assert_eq!(read(ledger, "s").snapshot.unwrap().body, json!("small"));
}

fn a_body_that_could_not_be_read_back_is_refused(ledger: &Shared) {
    append(&**ledger, "s", 1).unwrap();
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    let batch = vec![record("fine", json!(1)), record("deep", deep.clone())];
    let answer = ledger.append(Append::new(stream("s"), batch)).wait();
    assert!(matches!(answer, Err(WriteError::Unstorable { .. })), "{answer:?}");
    let answer = ledger.snapshot(stream("s"), Seq(1), deep).wait();
    assert!(matches!(answer, Err(WriteError::Unstorable { .. })), "{answer:?}");
    assert_eq!(seqs(&read(ledger, "s")), [1]);
}

fn one_record(kind: &str) -> Change {
    Change::Append(Append::new(stream("s"), vec![record(kind, json!(null))]))
}

fn a_callback_may_write_the_next_change(ledger: &Shared) {
    let (sender, answers) = mpsc::channel();
    let again = ledger.clone();
    let next = move |_| {
        again.submit(one_record("second"), Box::new(move |answer| sender.send(answer).unwrap()));
    };
    ledger.submit(one_record("first"), Box::new(next));
    assert_eq!(answers.recv().unwrap(), Ok(Seq(2)));
}

fn a_callback_that_panics_stops_nobody(ledger: &Shared) {
    let panics =
        || ledger.submit(one_record("first"), Box::new(|_| panic!("as the test wants it")));
    // In memory the callback runs within the call.
    let _ = catch_unwind(AssertUnwindSafe(panics));
    assert_eq!(append(&**ledger, "s", 1), Ok(Seq(2)));
}

fn an_answer_that_nobody_waits_for_is_still_a_write(ledger: &Shared) {
    drop(ledger.append(Append::new(stream("s"), vec![record("a", json!(1))])));
    assert_eq!(append(&**ledger, "s", 1), Ok(Seq(2)));
}

fn counts_what_it_does(ledger: &Shared) {
    append(&**ledger, "s", 1).unwrap();
    append(&**ledger, "s", 1).unwrap();
    ledger.snapshot(stream("s"), Seq(9), json!(1)).wait().unwrap_err();
    let stats = ledger.stats();
    assert_eq!((stats.changes, stats.refused, stats.commits), (2, 1, 2));
    assert_eq!((stats.largest_commit, stats.queued, stats.failed), (1, 0, false));
}

fn a_sound_ledger_has_no_findings(ledger: &Shared) {
    append(&**ledger, "a", 3).unwrap();
    append(&**ledger, "b", 300).unwrap();
    ledger.snapshot(stream("b"), Seq(290), json!(1)).wait().unwrap();
    append(&**ledger, "c", 1).unwrap();
    ledger.snapshot(stream("c"), Seq(1), json!(1)).wait().unwrap();
    append(&**ledger, "d", 2).unwrap();
    ledger.drop_stream(stream("d")).wait().unwrap();
    let audit = ledger.check().unwrap();
    assert_eq!((audit.streams, audit.snapshots, audit.records), (3, 2, 13));
    assert_eq!(audit.findings, []);
}
