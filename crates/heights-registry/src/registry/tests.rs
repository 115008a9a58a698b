//! That nothing is left behind, where one cannot see it from outside.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Waker};

use super::*;

type Names = Registry<&'static str, u32>;

fn sizes(names: &Names) -> (usize, usize) {
    names.0.partitions.read(&"build").sizes()
}

#[test]
fn l104_a_failed_registration_leaves_no_trace() {
    let names = Names::unique();
    let (holder, end) = Owner::new();
    let (refused, _alive) = Owner::new();
    let (ended, _) = Owner::new();
    names.register("build", 1, &holder).unwrap();
    names.register("build", 2, &refused).unwrap_err();
    names.register("other", 3, &ended).unwrap();
    assert_eq!(sizes(&names), (1, 1));
    end.end();
    assert_eq!(sizes(&names), (0, 0));
}

#[test]
fn l105_a_panic_of_a_callers_closure_changes_nothing() {
    let names = Names::duplicate();
    let (owner, end) = Owner::new();
    names.register("build", 1, &owner).unwrap();
    names.register("build", 2, &owner).unwrap();
    let bad = |value: &u32| if *value == 2 { panic!("a bad closure") } else { true };
    let panicked = catch_unwind(AssertUnwindSafe(|| names.unregister_match(&"build", &owner, bad)));
    assert!(panicked.is_err());
    assert_eq!((names.lookup_all(&"build"), sizes(&names)), (vec![1, 2], (1, 1)));
    end.end();
    assert_eq!(sizes(&names), (0, 0));
}

#[test]
fn l103_a_key_that_nobody_locks_takes_no_room() {
    let names = Names::unique();
    let mut cx = Context::from_waker(Waker::noop());
    let mut holder = Box::pin(names.lock("build", pending::<()>));
    let mut waiter = Box::pin(names.lock("build", pending::<()>));
    assert!(holder.as_mut().poll(&mut cx).is_pending());
    assert!(waiter.as_mut().poll(&mut cx).is_pending());
    assert_eq!(names.0.locks.len(), 1);
    drop(holder);
    drop(waiter);
    assert_eq!(names.0.locks.len(), 0);
}
