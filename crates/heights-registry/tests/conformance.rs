//! Lines 96 to 99 and 101 of the conformance list: what a registry guarantees.

use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use heights_registry::{Change, Owner, Registry};

type Names = Registry<&'static str, u32>;

#[test]
fn l96_a_second_register_of_a_unique_key_names_the_holder() {
    let names = Names::unique();
    let (first, _alive) = Owner::new();
    let (second, _alive_too) = Owner::new();
    names.register("build", 1, &first).unwrap();
    for owner in [&first, &second] {
        let refused = names.register("build", 2, owner).unwrap_err();
        assert_eq!((refused.value, refused.owner), (1, first.clone()));
    }
    assert_eq!(names.lookup(&"build"), Some(1));
}

#[test]
fn l96_a_name_is_free_when_the_task_has_ended_and_not_before() {
    let names = Names::unique();
    let (old, end) = Owner::new();
    let (new, _alive) = Owner::new();
    names.register("build", 1, &old).unwrap();
    // The owner's last act, after its `terminate`, is to end its token.
    assert!(names.register("build", 2, &new).is_err());
    end.end();
    names.register("build", 2, &new).unwrap();
    assert_eq!(names.lookup(&"build"), Some(2));
}

#[test]
fn l97_the_end_of_an_owner_frees_all_its_entries() {
    let names = Names::unique();
    let (owner, end) = Owner::new();
    let (other, _alive) = Owner::new();
    names.register("a", 1, &owner).unwrap();
    names.register("b", 2, &owner).unwrap();
    names.register("c", 3, &other).unwrap();
    end.end();
    assert_eq!(names.all(), [("c", 3)]);
    assert_eq!(names.keys(&owner), Vec::<&str>::new());
}

/// The owner's first hook stands for clean-up that is late: everything asked during it must already
/// be answered as if the owner had never been.
#[test]
fn l97_a_dead_entry_is_neither_found_nor_in_the_way_even_if_clean_up_is_late() {
    let names = Names::unique();
    let (old, end) = Owner::new();
    let (new, _alive) = Owner::new();
    let (late, heir) = (names.clone(), new.clone());
    old.on_end(move || {
        assert_eq!(late.lookup(&"build"), None);
        assert_eq!(late.count(), 0);
        late.register("build", 2, &heir).unwrap();
    });
    names.register("build", 1, &old).unwrap();
    end.end();
    assert_eq!(names.lookup(&"build"), Some(2), "late clean-up takes nothing from the heir");
    assert_eq!(names.keys(&new), ["build"]);
}

#[test]
fn l97_an_owner_that_has_ended_leaves_nothing_behind() {
    let names = Names::unique();
    let (owner, end) = Owner::new();
    end.end();
    names.register("build", 1, &owner).unwrap();
    assert_eq!((names.lookup(&"build"), names.count()), (None, 0));
}

#[test]
fn l97_of_many_threads_exactly_one_holds_a_unique_key_at_any_time() {
    let names = Names::unique();
    let holders = Arc::new(Mutex::new(0));
    thread::scope(|scope| {
        for number in 0..8 {
            let (names, holders) = (names.clone(), Arc::clone(&holders));
            scope.spawn(move || {
                for _ in 0..500 {
                    let (owner, end) = Owner::new();
                    if names.register("build", number, &owner).is_ok() {
                        *holders.lock().unwrap() += 1;
                        assert_eq!(*holders.lock().unwrap(), 1);
                        assert_eq!(names.lookup(&"build"), Some(number));
                        *holders.lock().unwrap() -= 1;
                    }
                    end.end();
                }
            });
        }
    });
    assert_eq!(names.count(), 0);
}

#[test]
fn l98_duplicate_keys_hold_many_and_give_back_only_ones_own() {
    let names = Names::duplicate();
    let (first, _alive) = Owner::new();
    let (second, _alive_too) = Owner::new();
    for (value, owner) in [(1, &first), (2, &second), (3, &first)] {
        names.register("log", value, owner).unwrap();
    }
    assert_eq!(names.lookup_all(&"log"), [1, 2, 3]);
    assert_eq!(names.unregister_match(&"log", &first, |value| *value == 3), 1);
    assert_eq!(names.unregister(&"log", &second), 1);
    assert_eq!(names.lookup_all(&"log"), [1]);
}

#[test]
fn l99_only_the_owner_changes_a_value() {
    let names = Names::unique();
    let (owner, _alive) = Owner::new();
    let (stranger, _alive_too) = Owner::new();
    names.register("build", 1, &owner).unwrap();
    assert_eq!(names.update_value(&"build", &stranger, |_| 9), None);
    assert_eq!(names.update_value(&"build", &owner, |value| value + 1), Some(2));
    assert_eq!(names.values(&"build", &owner), [2]);
    assert_eq!(names.values(&"build", &stranger), Vec::<u32>::new());
    assert_eq!(names.owner_of(&"build"), Some(owner));
}

#[test]
fn l99_counts_and_selects_by_key_value_and_owner() {
    let names = Names::duplicate();
    let (first, end) = Owner::new();
    let (second, _alive) = Owner::new();
    for (key, value, owner) in
        [("log", 1, &first), ("log", 2, &second), ("log", 3, &second), ("web", 4, &second)]
    {
        names.register(key, value, owner).unwrap();
    }
    assert_eq!((names.count(), names.count_match(&"log", |value| *value > 1)), (4, 2));
    assert_eq!(names.count_select(|_, value, owner| *value > 2 && owner == &second), 2);
    let select = || {
        let mut found = names.select(|key, value, _| (*value < 4).then(|| format!("{key}{value}")));
        found.sort();
        found
    };
    assert_eq!(select(), ["log1", "log2", "log3"]);
    end.end();
    assert_eq!((names.count(), names.count_match(&"log", |_| true)), (3, 2));
    assert_eq!(select(), ["log2", "log3"]);
    assert_eq!(names.keys(&second), ["log", "web"]);
}

#[test]
fn l101_a_listener_sees_an_end_as_unregistered_and_all_in_order() {
    let (told, seen) = mpsc::channel();
    let other = told.clone();
    let builder = Registry::builder().listener(move |change| told.send(text(change)).unwrap());
    let names: Names = builder.listener(move |change| other.send(text(change)).unwrap()).build();
    let (owner, end) = Owner::new();
    names.register("a", 1, &owner).unwrap();
    names.register("b", 2, &owner).unwrap();
    names.unregister(&"a", &owner);
    end.end();
    let twice = ["+a 1", "+b 2", "-a 1", "-b 2"].into_iter().flat_map(|change| [change; 2]);
    assert!(seen.try_iter().eq(twice), "each listener is told of each change");
}

fn text(change: Change<'_, &'static str, u32>) -> String {
    match change {
        Change::Registered(key, value) => format!("+{key} {value}"),
        Change::Unregistered(key, value) => format!("-{key} {value}"),
    }
}
