//! `ci.yaml`.

use ci_config::parse_component;
use ci_config::schema::Format;

use crate::policy::{A_MAP, A_TRUTH, FROM_0, TEXT, VALUES};
use crate::{Key, Sweep, key};

const FROM_1: &str = "expected a whole number from 1 on, found a list";
const NO_STEPS: &str = "there are no steps";
/// What is taken as it is written: variables, commands, names.
const ANY_TEXT: &[&str] =
    &["5", "-1", "99999999999999999999", "1.5", "true", "TRUE", "word", "two words"];
/// A command, or a list of commands.
const COMMANDS: &[&str] =
    &["5", "-1", "99999999999999999999", "1.5", "true", "TRUE", "word", "two words", "[5]"];
/// Patterns of files.
const FILES: &[&str] = &["word", "two words"];

const KEYS: &[Key] = &[
    key("define", "define: @", A_MAP, &["{}", "{x: y}"]),
    key(
        "depends_on",
        "depends_on: @",
        TEXT,
        &["5", "-1", "99999999999999999999", "1.5", "true", "TRUE", "word", "[]", "[5]"],
    ),
    key("inputs", "inputs: @", TEXT, &["word", "two words", "[]"]),
    key("env", "env: @", A_MAP, &["{}", "{x: y}"]),
    key(
        "env.A",
        "env: {A: @}",
        TEXT,
        &["\"\"", "5", "-1", "99999999999999999999", "1.5", "true", "TRUE", "word", "two words"],
    ),
    key("image", "image: @", TEXT, &["word"]),
    key("jobs", "jobs: @", A_MAP, &["{}", "{x: y}"]),
    key("nightly", "nightly: @", A_MAP, &["{}", "{x: y}"]),
    key("jobs.a", "jobs: {a: @}", NO_STEPS, COMMANDS),
    key("nightly.a", "nightly: {a: @}", NO_STEPS, COMMANDS),
    key(
        "jobs.a.needs",
        "jobs: {a: {steps: [x], needs: @}}",
        TEXT,
        &["5", "-1", "99999999999999999999", "true", "word", "[]", "[5]"],
    ),
    key(
        "jobs.a.when",
        "jobs: {a: {steps: [x], when: @}}",
        "expected one of always, approved, found a list",
        &[],
    ),
    key(
        "jobs.a.on",
        "jobs: {a: {steps: [x], on: @}}",
        "expected one of pull, branch, found a list",
        &[],
    ),
    key("jobs.a.timeout", "jobs: {a: {steps: [x], timeout: @}}", TEXT, &[]),
    key("nightly.a.timeout", "nightly: {a: {steps: [x], timeout: @}}", TEXT, &[]),
    key("jobs.a.steps", "jobs: {a: {steps: @}}", NO_STEPS, COMMANDS),
    key("jobs.a[0].run", "jobs: {a: [{run: @}]}", TEXT, ANY_TEXT),
    key("jobs.a[0].name", "jobs: {a: [{run: x, name: @}]}", TEXT, ANY_TEXT),
    key("jobs.a[0].timeout", "jobs: {a: [{run: x, timeout: @}]}", TEXT, &[]),
    key("jobs.a[0].retry", "jobs: {a: [{run: x, retry: @}]}", FROM_0, &["5"]),
    key("jobs.a[0].env", "jobs: {a: [{run: x, env: @}]}", A_MAP, &["{}", "{x: y}"]),
    key("jobs.a[0].allow_failure", "jobs: {a: [{run: x, allow_failure: @}]}", A_TRUTH, &["true"]),
    key("jobs.a[0].always", "jobs: {a: [{run: x, always: @}]}", A_TRUTH, &["true"]),
    key("jobs.a[0].artifacts", "jobs: {a: [{run: x, artifacts: @}]}", TEXT, FILES),
    key("jobs.a[0].reports", "jobs: {a: [{run: x, reports: @}]}", A_MAP, &[]),
    key("jobs.a[0].reports.junit", "jobs: {a: [{run: x, reports: {junit: @}}]}", TEXT, FILES),
    key("jobs.a[0].use", "jobs: {a: [{use: @}]}", TEXT, &[]),
    key("jobs.a[0].parallel", "jobs: {a: [{parallel: @}]}", NO_STEPS, &["[5]"]),
    key("jobs.a[0].sequence", "jobs: {a: [{sequence: @}]}", NO_STEPS, &["[5]"]),
    key("jobs.a[0].limit", "jobs: {a: [{parallel: [x], limit: @}]}", FROM_1, &["5"]),
    key("jobs.a[0].name", "jobs: {a: [{parallel: [x], name: @}]}", TEXT, ANY_TEXT),
    key("jobs.a[0].fail_fast", "jobs: {a: [{parallel: [x], fail_fast: @}]}", A_TRUTH, &["true"]),
    key("jobs.a[0].name", "jobs: {a: [{sequence: [x], name: @}]}", TEXT, ANY_TEXT),
    key("jobs.a[0].parallel.steps", "jobs: {a: [{parallel: {steps: @}}]}", NO_STEPS, &["[5]"]),
];

#[test]
fn every_key_of_a_component_says_what_it_wants() {
    let read =
        |text: &str| parse_component("air/ci.yaml", text.as_bytes()).err().unwrap_or_default();
    Sweep { format: Format::Component, keys: KEYS, values: VALUES, read }.run();
}
