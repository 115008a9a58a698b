//! A writer is killed a hundred times, while it opens the ledger and while it writes. Nothing that it was told is
//! durable may be missing, and nothing may be half there.
//!
//! The writer is this test program once more, told by its environment to be one. It prints each record after it was
//! acknowledged; the pipe keeps what it printed.

use std::collections::{BTreeMap, HashMap};
use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use ci_store::{Append, Ledger, Options, Replay, Seq, SledLedger, StreamId};
use serde_json::json;

use crate::support::{Disk, Random, record, stamp, stream};

const ROUNDS: u64 = 100;
const WRITERS: u64 = 4;
/// Tells the program to be the writer, and where.
const FOLDER: &str = "CI_STORE_TEST_FOLDER";
/// Makes each writer write something else.
const SEED: &str = "CI_STORE_TEST_SEED";
/// After so many records a writer folds its stream.
const FOLD_AFTER: u64 = 16;
/// A writer that says nothing for so long is stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// When a writer is killed.
enum Moment {
    AfterStart(Duration),
    /// After it has acknowledged so many; so there is something to lose, however slow the disk is.
    AfterRecords(u64),
}

/// Every record that is known to exist, by stream and seq.
type Truth = HashMap<StreamId, BTreeMap<u64, u64>>;

#[test]
fn a_writer_that_is_killed_loses_nothing_it_acknowledged() {
    let disk = Disk::new();
    let mut truth = Truth::new();
    let mut random = Random(20260131);
    for round in 0..ROUNDS {
        let moment = match round % 2 {
            0 => Moment::AfterStart(Duration::from_micros(2_000 + random.below(58_000))),
            _ => Moment::AfterRecords(1 + random.below(60)),
        };
        for acknowledged in run_and_kill(&disk.path(), random.next(), &moment) {
            let (stream, seq, payload) = acknowledged;
            assert_eq!(truth.entry(stream).or_default().insert(seq, payload), None, "twice");
        }
        compare(&disk, &mut truth);
    }
    let records: usize = truth.values().map(BTreeMap::len).sum();
    assert!(records > 1_000, "the writers only wrote {records} records, so little was tried");
}

/// Does nothing unless it is started by the test above.
#[test]
fn the_writer_that_is_killed() {
    let (Ok(folder), Ok(seed)) = (env::var(FOLDER), env::var(SEED)) else { return };
    let options = Options::new(stamp("20260131T101500Z"));
    let opened = SledLedger::open(Path::new(&folder), options).unwrap();
    assert_eq!(opened.recovery, None);
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let random = Random(seed.parse::<u64>().unwrap() + writer);
            let ledger = &opened.ledger;
            scope.spawn(move || write(ledger, writer, random));
        }
    });
}

/// Appends for ever, and folds now and then.
fn write(ledger: &SledLedger, writer: u64, mut random: Random) {
    let stream = stream(&format!("writer/{writer}"));
    let mut sum = fold(&ledger.read(&stream).unwrap());
    let mut out = io::stdout();
    loop {
        let payload = random.next();
        // Some records need several cells.
        let padding = if random.below(10) == 0 { "x".repeat(10_000) } else { String::new() };
        let written = record("paid", json!({"payload": payload, "padding": padding}));
        let seq = ledger.append(Append::new(stream.clone(), vec![written])).wait().unwrap();
        writeln!(out, "acknowledged {stream} {seq} {payload}").unwrap();
        sum = add(sum, payload);
        if seq.0.is_multiple_of(FOLD_AFTER) {
            ledger.snapshot(stream.clone(), seq, json!(sum)).wait().unwrap();
        }
    }
}

/// Starts a writer, kills it at that moment, and gives what it acknowledged.
fn run_and_kill(folder: &Path, seed: u64, moment: &Moment) -> Vec<(StreamId, u64, u64)> {
    let (mut child, lines) = start_writer(folder, seed >> 1);
    let mut acknowledged = Vec::new();
    match *moment {
        Moment::AfterStart(time) => {
            let end = Instant::now() + time;
            loop {
                match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                    Ok(line) => acknowledged.push(line),
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => panic!("the writer ended by itself"),
                }
            }
        }
        Moment::AfterRecords(count) => {
            let next = || lines.recv_timeout(PATIENCE).expect("the writer writes something");
            acknowledged.extend((0..count).map(|_| next()));
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged.extend(lines);
    acknowledged
}

fn start_writer(folder: &Path, seed: u64) -> (Child, Receiver<(StreamId, u64, u64)>) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "kill::the_writer_that_is_killed", "--nocapture"])
        .env(FOLDER, folder)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = channel();
    thread::spawn(move || {
        let mut line = String::new();
        while output.read_line(&mut line).unwrap() > 0 {
            if let Some(acknowledged) = parse(&line) {
                sender.send(acknowledged).unwrap();
            }
            line.clear();
        }
    });
    (child, lines)
}

/// A whole line of the writer; the test harness prints lines too.
fn parse(line: &str) -> Option<(StreamId, u64, u64)> {
    let mut words = line.strip_suffix('\n')?.strip_prefix("acknowledged ")?.split(' ');
    Some((stream(words.next()?), words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

/// Compares what is in the ledger with what was acknowledged, and learns what was written but not acknowledged.
fn compare(disk: &Disk, truth: &mut Truth) {
    let ledger = disk.open();
    assert_eq!(ledger.check().unwrap().findings, []);
    for stream in ledger.streams("").unwrap() {
        let replay = ledger.read(&stream).unwrap();
        let truth = truth.entry(stream.clone()).or_default();
        for (Seq(seq), record) in &replay.records {
            let payload = record.body["payload"].as_u64().unwrap();
            assert_eq!(*truth.entry(*seq).or_insert(payload), payload, "{stream} {seq}");
        }
        let expected = truth.values().copied().fold(0, add);
        assert_eq!(fold(&replay), expected, "{stream}");
        assert_eq!(replay.last().0, truth.len() as u64, "{stream}");
    }
    let known = truth.values().filter(|records| !records.is_empty()).count();
    assert_eq!(ledger.streams("").unwrap().len(), known);
}

fn fold(replay: &Replay) -> u64 {
    let folded = replay.snapshot.as_ref().map_or(0, |snapshot| snapshot.body.as_u64().unwrap());
    let payloads =
        replay.records.iter().map(|(_, record)| record.body["payload"].as_u64().unwrap());
    payloads.fold(folded, add)
}

fn add(sum: u64, payload: u64) -> u64 {
    sum.wrapping_add(payload)
}
