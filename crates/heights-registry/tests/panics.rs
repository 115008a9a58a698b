//! Line 105 of the conformance list: whatever panics, nothing is half registered.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use heights_registry::{Owner, Registry};
use tracing::{Event, Metadata, Subscriber, span};

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

/// A log in which nothing can be written.
struct BadLog;

impl Subscriber for BadLog {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &Event<'_>) {
        panic!("a bad log")
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[test]
fn l105_a_log_that_panics_stops_no_change_either() {
    let _guard = tracing::subscriber::set_default(BadLog);
    let names: Names = Registry::builder().listener(|_| panic!("a bad listener")).build();
    let (owner, end) = Owner::new();
    names.register("a", 1, &owner).unwrap();
    names.register("b", 2, &owner).unwrap();
    assert_eq!(names.keys(&owner), ["a", "b"]);
    end.end();
    assert_eq!(names.count(), 0);
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
