//! Line 105 of the conformance list: whatever panics, nothing is half registered.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use heights_registry::{Owner, Registry};

type Names = Registry<&'static str, u32>;

fn panics<R>(run: impl FnOnce() -> R) -> bool {
    catch_unwind(AssertUnwindSafe(run)).is_err()
}

#[test]
fn l105_a_listener_that_panics_stops_neither_the_change_nor_the_other_listeners() {
    let (told, seen) = mpsc::channel();
    let builder = Registry::builder().listener(|_| panic!("a bad listener"));
    let names: Names = builder.listener(move |_| told.send(()).unwrap()).build();
    let (owner, end) = Owner::new();
    names.register("a", 1, &owner).unwrap();
    names.register("b", 2, &owner).unwrap();
    assert_eq!((names.lookup(&"a"), names.keys(&owner)), (Some(1), vec!["a", "b"]));
    assert_eq!(names.unregister(&"a", &owner), 1);
    end.end();
    assert_eq!((names.count(), seen.try_iter().count()), (0, 4));
}

#[test]
fn l105_a_closure_that_panics_changes_nothing() {
    let names = Names::unique();
    let (owner, _alive) = Owner::new();
    names.register("a", 1, &owner).unwrap();
    assert!(panics(|| names.update_value(&"a", &owner, |_| panic!("a bad update"))));
    assert!(panics(|| names.select(|_, _, _| -> Option<()> { panic!("a bad choice") })));
    assert!(panics(|| names.count_match(&"a", |_| panic!("a bad match"))));
    assert_eq!((names.lookup(&"a"), names.keys(&owner)), (Some(1), vec!["a"]));
    assert_eq!(names.update_value(&"a", &owner, |value| value + 1), Some(2));
}

/// Values that panic when they are cloned.
#[derive(Debug)]
struct Fragile(Arc<AtomicUsize>);

impl Clone for Fragile {
    fn clone(&self) -> Self {
        assert_ne!(self.0.fetch_sub(1, Ordering::Relaxed), 1, "cloned once too often");
        Self(Arc::clone(&self.0))
    }
}

#[test]
fn l105_a_value_that_cannot_be_cloned_keeps_its_place() {
    let names = Registry::unique();
    let (owner, _alive) = Owner::new();
    let clones = Arc::new(AtomicUsize::new(1));
    names.register("a", Fragile(Arc::clone(&clones)), &owner).unwrap();
    assert!(panics(|| names.lookup(&"a")));
    assert_eq!((names.count(), names.keys(&owner)), (1, vec!["a"]));
}
