//! Comparing diagnostics with what was expected.

/// Checks texts of diagnostics. Each must have a hint, which is compared where `expected` has one.
#[track_caller]
pub fn assert_found(found: &[String], expected: &[&str], about: &str) {
    let without_hint = |(found, expected): (&String, &&str)| {
        let (message, _hint) = found.split_once("\n  hint: ").expect("every diagnostic has a hint");
        if expected.contains("\n  hint: ") { found.clone() } else { message.to_owned() }
    };
    let mut shown: Vec<String> = found.iter().zip(expected).map(without_hint).collect();
    shown.extend(found.iter().skip(expected.len()).cloned());
    assert_eq!(shown, expected, "{about}");
}
