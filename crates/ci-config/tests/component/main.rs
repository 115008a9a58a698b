//! `ci.yaml`: what it says, and what is said of its mistakes.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

#[path = "../support/findings.rs"]
mod findings;

mod any_bytes;
mod mistakes;
mod said;
mod steps;
mod strictness;

use ci_config::{Diagnostic, parse_component};
use ci_domain::pipeline::{Component, Job};
use findings::assert_found;

const EXAMPLE: &str = include_str!("../files/component.yaml");

fn parse(text: &str) -> Result<Component, Vec<Diagnostic>> {
    parse_component("air/ci.yaml", text.as_bytes())
}

fn job<'a>(component: &'a Component, name: &str) -> &'a Job {
    &component.jobs[&name.parse().unwrap()]
}

/// Checks all diagnostics of a file, without the path before each.
fn check(text: &str, expected: &[&str]) {
    let diagnostics = parse(text).map(|_| ()).unwrap_err();
    let found = diagnostics.iter().map(ToString::to_string);
    let found: Vec<String> =
        found.map(|text| text.strip_prefix("air/ci.yaml:").unwrap().to_owned()).collect();
    assert_found(&found, expected, text);
}
