//! Line 100 of the conformance list: doing something with every entry of a key.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};

use heights_registry::{Owner, OwnerEnd, Registry};

fn five() -> (Registry<&'static str, u32>, Vec<Owner>, Vec<OwnerEnd>) {
    let names = Registry::duplicate();
    let (owners, ends): (Vec<_>, Vec<_>) = (0..5).map(|_| Owner::new()).unzip();
    for (value, owner) in (1..).zip(&owners) {
        names.register("log", value, owner).unwrap();
    }
    (names, owners, ends)
}

#[test]
fn l100_a_serial_dispatch_tells_in_the_order_of_registration() {
    let (names, _owners, _ends) = five();
    let told = Mutex::new(Vec::new());
    let came = names.dispatch(&"log", |value, _owner| told.lock().unwrap().push(*value));
    assert_eq!((came.told, came.panics), (5, Vec::new()));
    assert_eq!(*told.lock().unwrap(), [1, 2, 3, 4, 5]);
    assert_eq!(names.dispatch(&"nothing", |_, _| unreachable!("nobody is there")).told, 0);
}

#[test]
fn l100_a_parallel_dispatch_tells_side_by_side() {
    let (names, _owners, _ends) = five();
    // Nobody gets past the barrier unless all five are in their callback at once.
    let all = Barrier::new(5);
    let sum = AtomicUsize::new(0);
    let came = names.dispatch_parallel(&"log", 5, |value, _owner| {
        all.wait();
        sum.fetch_add(*value as usize, Ordering::Relaxed);
    });
    assert_eq!((came.told, sum.into_inner()), (5, 15));
}

#[test]
fn l100_a_panic_is_reported_and_leaves_the_others_and_the_entries_alone() {
    let (names, owners, _ends) = five();
    let tell = |value: &u32, _owner: &Owner| assert!(*value != 2, "not you");
    for came in [names.dispatch(&"log", tell), names.dispatch_parallel(&"log", 2, tell)] {
        assert_eq!((came.told, came.panics.len()), (4, 1));
        assert_eq!(came.panics[0].owner, owners[1]);
        assert_eq!(came.panics[0].message, "not you");
    }
    assert_eq!(names.lookup_all(&"log"), [1, 2, 3, 4, 5]);
}

#[test]
fn l100_a_callback_may_call_the_registry() {
    let (names, owners, _ends) = five();
    let came = names.dispatch(&"log", |value, owner| {
        names.unregister_match(&"log", owner, |own| own == value);
        names.register("told", *value, owner).unwrap();
    });
    assert_eq!(came.told, owners.len());
    assert_eq!((names.lookup_all(&"log").len(), names.lookup_all(&"told").len()), (0, 5));
}
