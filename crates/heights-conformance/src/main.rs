//! Prints the table of `docs/conformance.md`: `cargo run -p heights-conformance --features peers`.

#![expect(clippy::print_stdout, reason = "printing is all that it does")]

fn main() {
    println!("{}", heights_conformance::table(&heights_conformance::scores()));
}
