//! Line 104 of the conformance list: partitions, and what is kept beside the entries.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use heights_registry::{Change, Owner, Registry};

type Names = Registry<u32, u32>;

/// Does a bit of everything and writes down the answers.
fn answers(partitions: usize) -> Vec<String> {
    let changes = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&changes);
    let listener = move |change: Change<'_, u32, u32>| {
        seen.lock().unwrap().insert(format!("{change:?}"));
    };
    let names: Names =
        Registry::builder().duplicate().partitions(partitions).listener(listener).build();
    let (owners, mut ends): (Vec<_>, Vec<_>) = (0..4).map(|_| Owner::new()).unzip();
    for entry in 0..200 {
        names.register(entry % 30, entry, &owners[entry as usize % 4]).unwrap();
    }
    names.unregister(&7, &owners[3]);
    ends.remove(0).end();
    let sorted = |mut values: Vec<u32>| {
        values.sort_unstable();
        values
    };
    let all: BTreeSet<_> = names.all().into_iter().collect();
    vec![
        format!("{:?}", (0..30).map(|key| names.lookup_all(&key)).collect::<Vec<_>>()),
        format!("{:?}", owners.iter().map(|owner| sorted(names.keys(owner))).collect::<Vec<_>>()),
        format!("{all:?} {}", names.count()),
        format!("{:?}", names.dispatch(&11, |_, _| {})),
        format!("{:?}", changes.lock().unwrap()),
    ]
}

#[test]
fn l104_any_number_of_partitions_gives_the_same_answers() {
    let one = answers(1);
    for partitions in [0, 2, 3, 8, 64] {
        assert_eq!(answers(partitions), one, "{partitions} partitions");
    }
}

#[test]
fn l104_a_unique_key_is_unique_in_all_partitions() {
    let names: Names = Registry::builder().partitions(8).build();
    let (owner, _alive) = Owner::new();
    for key in 0..50 {
        names.register(key, 1, &owner).unwrap();
        assert_eq!(names.register(key, 2, &owner).unwrap_err().value, 1);
    }
    assert_eq!(names.count(), 50);
}

#[test]
fn l104_keeps_one_value_of_each_type_beside_the_entries() {
    #[derive(Debug, PartialEq)]
    struct Color(&'static str);

    let names = Names::unique();
    assert_eq!(names.meta::<Color>(), None);
    assert_eq!(names.put_meta(Color("red")), None);
    assert_eq!(names.put_meta(7_u8), None);
    assert_eq!(names.put_meta(Color("blue")).as_deref(), Some(&Color("red")));
    assert_eq!(names.clone().meta().as_deref(), Some(&Color("blue")));
    assert_eq!(names.delete_meta().as_deref(), Some(&Color("blue")));
    assert_eq!((names.meta::<Color>(), names.meta().as_deref()), (None, Some(&7_u8)));
}
