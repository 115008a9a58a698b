//! How long appends wait while streams are folded: `cargo bench -p ci-store --bench fold`.
//!
//! A thousand records of 250 bytes a second, each due a millisecond after the one before; the time of each
//! counts from when it is due. Their ids are remembered in snapshots, as those of deliveries are. What is
//! compared is one stream that is folded whole, after half as many records as it remembers, and segments
//! of some hundred records, each with a stream of its own; and what it costs to fold nothing.
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]
#![expect(
    clippy::disallowed_methods,
    reason = "the load comes by the clock, from a thread of its own"
)]

use std::io::{self, Write};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use ci_store::{Append, Change, Ledger, Options, Record, Seq, SledLedger, Stamp, StreamId};
use serde_json::{Value, json};

const RECORDS: usize = 20_000;
const APART: Duration = Duration::from_millis(1);
const BODY: usize = 250;
/// The least that one stream gathers before it is folded.
const AT_LEAST: usize = 1024;

fn main() {
    let mut out = io::stdout();
    writeln!(out, "{RECORDS} appends, one each {APART:?}; until durable    p50      p99      max")
        .unwrap();
    for round in 1..=2 {
        let mut say = |what: &str, fold: &dyn Fn(&SledLedger, usize, Seq)| {
            let [half, most, all] = measure(fold, what);
            writeln!(out, "{round} {what:<44} {half:7.1?} {most:8.1?} {all:8.1?}").unwrap();
        };
        say("nothing is folded", &|_, _, _| {});
        say("one stream", &whole);
        for size in [256, 512, 1024] {
            say(&format!("segments of {size}"), &|ledger, number, seq| {
                segment(ledger, size, (number, seq));
            });
        }
    }
}

/// Appends all; gives back the median, the longest of 99 in a hundred, and the longest wait.
fn measure(fold: &dyn Fn(&SledLedger, usize, Seq), what: &str) -> [Duration; 3] {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let options = Options::new(Stamp::new("bench").unwrap());
    let ledger = SledLedger::open(dir.path(), options).unwrap().ledger;
    let size = what.strip_prefix("segments of ").map(|size| size.parse::<usize>().unwrap());
    let (answered, answers) = channel();
    let begin = Instant::now();
    for number in 0..RECORDS {
        let due = APART * u32::try_from(number).unwrap();
        thread::sleep(due.saturating_sub(begin.elapsed()));
        let stream = stream(size.map_or(0, |size| number / size));
        append(&ledger, stream, number, (begin + due, answered.clone()));
        fold(&ledger, number, Seq(size.map_or(number, |size| number % size) as u64 + 1));
    }
    drop(answered);
    let mut times: Vec<Duration> = answers.iter().collect();
    times.sort();
    [times[RECORDS / 2], times[RECORDS / 100 * 99], times[RECORDS - 1]]
}

fn append(
    ledger: &SledLedger,
    stream: StreamId,
    number: usize,
    (due, answered): (Instant, Sender<Duration>),
) {
    let body = json!({"delivery": id(number), "words": "x".repeat(BODY)});
    let record = Record { kind: "bench".to_owned(), version: 1, body };
    let done = move |result: Result<Seq, _>| {
        result.unwrap();
        answered.send(due.elapsed()).unwrap();
    };
    ledger.submit(Change::Append(Append::new(stream, vec![record])), Box::new(done));
}

fn whole(ledger: &SledLedger, number: usize, seq: Seq) {
    // Each time after half as many records as are remembered.
    let mut next = AT_LEAST;
    while next < number + 1 {
        next += AT_LEAST.max(next / 2);
    }
    if next == number + 1 {
        snapshot(ledger, stream(0), seq, ids(0..number + 1));
    }
}

fn segment(ledger: &SledLedger, size: usize, (number, seq): (usize, Seq)) {
    if (number + 1).is_multiple_of(size) {
        snapshot(ledger, stream(number / size), seq, ids(number + 1 - size..number + 1));
    }
}

fn snapshot(ledger: &SledLedger, stream: StreamId, upto: Seq, body: Value) {
    let done = |result: Result<Seq, _>| {
        result.unwrap();
    };
    ledger.submit(Change::Snapshot { stream, upto, body }, Box::new(done));
}

fn ids(numbers: std::ops::Range<usize>) -> Value {
    json!({"seen": numbers.map(id).collect::<Vec<_>>()})
}

fn id(number: usize) -> String {
    format!("11111111-0000-0000-0000-{number:012x}")
}

fn stream(number: usize) -> StreamId {
    StreamId::new(format!("deliveries/{number:06}")).unwrap()
}
