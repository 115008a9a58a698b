//! Supervision is refused where panics cannot be caught.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::process::Command;

/// What stands in the way of a build with `panic = "abort"`.
const REFUSAL: &str = "supervision catches panics";

/// Compiles the crate that catches panics as far as a lone rustc gets, and returns what it says.
///
/// It knows none of the crates below, so there are errors in any case; the one in question comes
/// before them, when files are read.
fn compile(panic: &str) -> String {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../heights-supervisor/src/lib.rs");
    let output = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata"])
        .args(["-C", &format!("panic={panic}"), "--out-dir"])
        .arg(tempfile::tempdir().unwrap().path())
        .arg(source)
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_build_that_aborts_on_panic_is_refused() {
    let said = compile("abort");
    assert!(said.contains(REFUSAL), "{said}");
    let said = compile("unwind");
    assert!(!said.contains(REFUSAL), "{said}");
}
