//! heights keeps every line, and the table in the documentation is true.

use heights_conformance::{Heights, Why, lines, score};

#[test]
fn heights_keeps_every_line() {
    let score = score::<Heights>();
    let broken: Vec<(&str, Why)> = lines::<Heights>()
        .iter()
        .zip(&score.verdicts)
        .filter_map(|(line, verdict)| Some((line.number, verdict.clone().err()?)))
        .collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Only the table is compared: the reasons below it tell one of several orders.
#[cfg(feature = "peers")]
#[test]
fn the_table_in_the_documentation_is_true() {
    let rows = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with('|')).map(str::to_owned).collect()
    };
    let table = heights_conformance::table(&heights_conformance::scores());
    let documented = include_str!("../../../docs/conformance.md");
    assert_eq!(rows(&table), rows(documented), "docs/conformance.md: print the table anew");
}
