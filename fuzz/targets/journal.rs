//! A journal of any bytes: read to its end or to an error, and the same from every offset on the way.
#![no_main]

mod place;

use std::cell::OnceCell;

use ci_exec::{JournalOffset, RunDir};
use libfuzzer_sys::fuzz_target;
use place::Place;

const HEADER: &[u8] = b"ci-exec journal 1\n";

thread_local! {
    static PLACE: OnceCell<Place> = const { OnceCell::new() };
}

fuzz_target!(|bytes: &[u8]| {
    PLACE.with(|place| {
        let place = place.get_or_init(|| Place::with("journal"));
        // With a header that the fuzzer need not find, and without.
        place.fill(&[HEADER, bytes].concat());
        read(&place.dir);
        place.fill(bytes);
        read(&place.dir);
    });
});

fn read(dir: &RunDir) {
    let mut reader = dir.journal(JournalOffset(0));
    let mut last = JournalOffset(0);
    while let Ok(Some((offset, fact))) = reader.next_fact() {
        assert!(offset > last, "an offset that does not grow");
        let again = dir.journal(last).next_fact().expect("it was read before");
        assert_eq!(again, Some((offset, fact)));
        last = offset;
    }
}
