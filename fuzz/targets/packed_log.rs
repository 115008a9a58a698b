//! A packed log of any bytes: read to its end or to an error, each offset after the one before.
#![no_main]

mod place;

use std::cell::OnceCell;

use ci_exec::CommandId;
use libfuzzer_sys::fuzz_target;
use place::Place;

thread_local! {
    static PLACE: OnceCell<Place> = const { OnceCell::new() };
}

fuzz_target!(|bytes: &[u8]| {
    PLACE.with(|place| {
        let place = place.get_or_init(|| Place::with("logs/0-1.log.gz"));
        place.fill(bytes);
        let log = place.dir.log(&CommandId::parse("0-1").expect("a command"));
        let Ok(length) = log.length() else { return };
        let mut offset = 0;
        while let Ok(piece) = log.read_at(offset, 10_000) {
            if piece.bytes.is_empty() {
                assert_eq!(offset, length, "the end is where the length says");
                break;
            }
            assert!(piece.next > offset && piece.next <= length);
            offset = piece.next;
        }
    });
});
