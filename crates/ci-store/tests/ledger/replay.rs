//! Random histories: folding a stream must not change what a replay gives, on disk, in memory, or after a move.

use ci_store::{Append, Ledger, MemoryLedger, Replay, Seq, SledLedger, export};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Disk, record, stamp, stream};

#[derive(Clone, Debug)]
enum Step {
    /// Appends these, in one go.
    Append(u8, Vec<Value>),
    /// Folds all but the last few.
    Fold(u8, u64),
    Drop(u8),
    /// Closes the ledger and opens it again.
    Reopen,
}

/// Any body that JSON can say.
fn bodies() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z]{5000}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((any::<String>(), inner), 0..4).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..3_u8, vec(bodies(), 0..5)).prop_map(|(stream, bodies)| Step::Append(stream, bodies)),
        3 => (0..3_u8, 0..4_u64).prop_map(|(stream, back)| Step::Fold(stream, back)),
        1 => (0..3_u8).prop_map(Step::Drop),
        1 => Just(Step::Reopen),
    ];
    vec(step, 1..30)
}

/// What an actor makes of its stream: the list of all bodies, from the snapshot and from the records after it.
fn fold(replay: &Replay, upto: Seq) -> Value {
    let folded = replay.snapshot.as_ref().map_or(json!([]), |snapshot| snapshot.body.clone());
    let mut all = folded.as_array().unwrap().clone();
    let records = replay.records.iter().take_while(|(seq, _)| *seq <= upto);
    all.extend(records.map(|(_, record)| record.body.clone()));
    Value::from(all)
}

fn run(ledger: &dyn Ledger, step: &Step) {
    let name = |number: &u8| stream(&format!("s/{number}"));
    match step {
        Step::Append(number, bodies) => {
            let records = bodies.iter().map(|body| record("said", body.clone())).collect();
            ledger.append(Append::new(name(number), records)).wait().unwrap();
        }
        Step::Fold(number, back) => {
            let replay = ledger.read(&name(number)).unwrap();
            let upto = Seq(replay.last().0.saturating_sub(*back));
            // Which positions can be folded is the contract's business; here both ledgers must agree.
            let _refused = ledger.snapshot(name(number), upto, fold(&replay, upto)).wait();
        }
        Step::Drop(number) => {
            ledger.drop_stream(name(number)).wait().unwrap();
        }
        Step::Reopen => {}
    }
}

fn text(ledger: &dyn Ledger) -> String {
    let mut text = Vec::new();
    export(ledger, &stamp("20260131T101500Z"), &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_ledgers_hold_the_same_and_so_do_their_exports(steps in steps()) {
        let (disk, moved, memory) = (Disk::new(), Disk::new(), MemoryLedger::new());
        let mut on_disk = disk.open();
        for step in &steps {
            if let Step::Reopen = step {
                drop(on_disk);
                on_disk = disk.open();
            }
            run(&on_disk, step);
            run(&memory, step);
        }
        let exported = text(&on_disk);
        prop_assert_eq!(&exported, &text(&memory));
        prop_assert_eq!(on_disk.check().unwrap(), memory.check().unwrap());
        SledLedger::import(&moved.path(), &mut exported.as_bytes()).unwrap();
        prop_assert_eq!(text(&moved.open()), exported);
    }

    #[test]
    fn a_snapshot_and_the_rest_replay_as_the_whole(steps in steps()) {
        let (folding, plain) = (MemoryLedger::new(), MemoryLedger::new());
        for step in &steps {
            run(&folding, step);
            if !matches!(step, Step::Fold(..)) {
                run(&plain, step);
            }
        }
        for stream in plain.streams("").unwrap() {
            let (folded, whole) = (folding.read(&stream).unwrap(), plain.read(&stream).unwrap());
            prop_assert_eq!(whole.snapshot.as_ref(), None);
            prop_assert_eq!(folded.last(), whole.last());
            prop_assert_eq!(fold(&folded, folded.last()), fold(&whole, whole.last()));
        }
    }
}
