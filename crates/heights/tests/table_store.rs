//! What every store of a table has to do.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::time::{Duration, SystemTime};

use heights::table::{MemoryStore, SledDatabase, Store, Stored, Table, Write};

type Texts = dyn Store<String, u64>;

fn entry(key: &str, value: u64, expires: Option<SystemTime>) -> Stored<String, u64> {
    Stored { key: key.to_owned(), value, expires }
}

fn put(key: &str, value: u64) -> Write<String, u64> {
    Write::Put(entry(key, value, None))
}

fn all(store: &Texts) -> Vec<Stored<String, u64>> {
    let mut all = store.load().unwrap();
    all.sort_by(|one, other| one.key.cmp(&other.key));
    all
}

/// The contract: what was written last is what is loaded, also by who comes `next`.
fn check(store: Box<Texts>, next: impl FnOnce(Box<Texts>) -> Box<Texts>) {
    assert_eq!(all(&*store), []);
    let expires = Some(SystemTime::UNIX_EPOCH + Duration::from_millis(4_000_000_000_123));
    store.write(&[put("a", 1), put("b", 2), Write::Put(entry("c", 3, expires))]).unwrap();
    store.write(&[put("b", 20), Write::Delete("a".into()), Write::Delete("z".into())]).unwrap();
    store.write(&[]).unwrap();
    let left = [entry("b", 20, None), entry("c", 3, expires)];
    assert_eq!(all(&*store), left);
    assert_eq!(all(&*next(store)), left);
}

#[test]
fn memory() {
    check(Box::new(MemoryStore::new()), |store| store);
}

fn open(folder: &std::path::Path) -> SledDatabase {
    SledDatabase::open(folder).unwrap()
}

#[test]
fn sled() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).store("texts").unwrap();
    check(Box::new(store), |store| {
        drop(store);
        // What a process leaves that is killed while it opens the database.
        std::fs::write(folder.path().join("sled/snap.FFFFFFFFFFFFFFFF.generating"), "half")
            .unwrap();
        Box::new(open(folder.path()).store("texts").unwrap())
    });
}

#[test]
fn a_database_is_open_in_one_place_only() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let error = SledDatabase::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("another process has it"), "{error}");
    drop(first);
    open(folder.path());
}

#[test]
fn tables_of_a_database_do_not_meet() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path());
    let (one, two) = (database.store("one").unwrap(), database.store("two").unwrap());
    one.write(&[put("a", 1)]).unwrap();
    assert_eq!((all(&one).len(), all(&two).len()), (1, 0));
}

#[tokio::test]
async fn what_expired_while_the_program_was_down_is_gone_also_from_the_store() {
    let disk = MemoryStore::<String, u64>::new();
    let past = Some(SystemTime::now() - Duration::from_secs(1));
    disk.write(&[Write::Put(entry("old", 1, past)), put("new", 2)]).unwrap();
    let table = Table::builder("table").store(disk.clone()).build();
    let root = heights::Supervisor::builder("root").child(table.child_spec());
    let root = root.start().await.unwrap();
    assert_eq!(table.all(), [("new".to_owned(), 2)]);
    root.stop().await;
    assert_eq!(all(&disk), [entry("new", 2, None)]);
}
