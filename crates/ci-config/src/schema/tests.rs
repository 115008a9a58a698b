//! The schemas offer what the parser reads, and accept what it accepts.

mod validator;

use serde_json::Value as Json;

use super::*;
use crate::diagnostic::Problems;
use crate::document::{Node, Value};
use crate::field::Keys;
use crate::{keys, toml_document, yaml};

fn json(node: &Node) -> Json {
    match &node.value {
        Value::Null | Value::Refused => Json::Null,
        Value::Text(text) => Json::String(text.clone()),
        Value::Plain(text) | Value::Literal(text) => {
            serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone()))
        }
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(entries) => {
            entries.iter().map(|entry| (entry.key.clone(), json(&entry.node))).collect()
        }
    }
}

fn document(format: Format, text: &str) -> Json {
    let mut problems = Problems::of("test");
    let node = match format {
        Format::Node => toml_document::parse(text, &mut problems),
        _ => yaml::parse(text.as_bytes(), &mut problems).unwrap(),
    };
    assert!(problems.is_empty(), "{problems:?}");
    json(&node)
}

fn validate(format: Format, text: &str) -> Result<(), String> {
    let schema: Json = serde_json::from_str(schema(format)).unwrap();
    validator::validate(&schema, &schema, &document(format, text))
}

#[test]
fn each_map_offers_the_keys_that_are_read() {
    let check = |format, pointer: &str, keys: Keys| {
        let schema: Json = serde_json::from_str(schema(format)).unwrap();
        let map = schema.pointer(pointer).unwrap();
        let mut offered: Vec<&str> =
            map["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let mut read = keys.known.to_vec();
        offered.sort_unstable();
        read.sort_unstable();
        assert_eq!(offered, read, "{format:?} {pointer}");
        assert_eq!(map["additionalProperties"], Json::Bool(false), "{format:?} {pointer}");
    };
    check(Format::Component, "", keys::COMPONENT);
    check(Format::Component, "/$defs/job", keys::JOB);
    check(Format::Component, "/$defs/command", keys::COMMAND);
    check(Format::Component, "/$defs/command/properties/reports", keys::REPORTS);
    check(Format::Component, "/$defs/use", keys::USE);
    check(Format::Component, "/$defs/parallel_step", keys::PARALLEL_STEP);
    check(Format::Component, "/$defs/parallel_group", keys::PARALLEL);
    check(Format::Component, "/$defs/sequence_step", keys::SEQUENCE_STEP);
    check(Format::Component, "/$defs/sequence_group", keys::SEQUENCE);
    check(Format::Policy, "", keys::POLICY);
    check(Format::Policy, "/properties/mergeable", keys::MERGEABLE);
    check(Format::Policy, "/properties/forks", keys::FORKS);
    check(Format::Policy, "/properties/sandbox", keys::SANDBOX);
    check(Format::Node, "", keys::NODE);
    check(Format::Node, "/properties/http", keys::HTTP);
    check(Format::Node, "/properties/github", keys::GITHUB);
    check(Format::Node, "/properties/github/properties/app", keys::APP);
    check(Format::Node, "/properties/github/properties/sign_in", keys::SIGN_IN);
    check(Format::Node, "/properties/repos/items", keys::REPO);
    check(Format::Node, "/properties/runner", keys::RUNNER);
    check(Format::Node, "/properties/artifacts", keys::ARTIFACTS);
    check(Format::Node, "/properties/vitals", keys::VITALS);
    check(Format::Node, "/properties/retention", keys::RETENTION);
    check(Format::Node, "/$defs/secret", keys::SECRET);
    check(Format::Node, "/$defs/queue", keys::QUEUE);
}

#[test]
fn what_the_parser_accepts_is_valid() {
    let check = |format, text: &str| assert_eq!(validate(format, text), Ok(()), "{text}");
    check(Format::Component, include_str!("../../tests/files/component.yaml"));
    check(Format::Component, "");
    check(
        Format::Component,
        "jobs: {t: [true, 7], compile: make}\ndepends_on: common\nenv: {C: 1, CJ: x}",
    );
    for component in
        ["air", "bom", "central", "ci", "cloak", "common", "data_quality", "integration_tests"]
    {
        let path =
            format!("{}/tests/aircloak/{component}/component.yaml", env!("CARGO_MANIFEST_DIR"));
        check(Format::Component, &std::fs::read_to_string(path).unwrap());
    }
    check(Format::Policy, include_str!("../../tests/files/ci-policy.yaml"));
    check(Format::Policy, "");
    check(Format::Node, include_str!("../../tests/files/ci-node.toml"));
    check(Format::Node, "");
}

#[test]
fn what_the_parser_refuses_is_not_valid() {
    let check = |format, text: &str| assert!(validate(format, text).is_err(), "{text}");
    for text in [
        "image: [x]",
        "depend_on: x",
        "jobs: {Test: [x]}",
        "jobs: {t: []}",
        "jobs: {t: {needs: []}}",
        "jobs: {t: [{run: x, use: y}]}",
        "jobs: {t: [{run: x, timeout: 20}]}",
        "jobs: {t: [{run: x, timeout: 1m1h}]}",
        "jobs: {t: [{parallel: {limit: 0, steps: [x]}}]}",
        "jobs: {t: {on: [], steps: [x]}}",
        "nightly: {t: {on: pull, steps: [x]}}",
        "env: {CI_JOB: x}",
        "env: {CI: x}",
        "env: {1A: x}",
    ] {
        check(Format::Component, text);
    }
    for text in [
        "notify: {mention_on_nightly_failure: acme}",
        "nightly: {between: 25:00-26:00}",
        "nightly: {timezone: [UTC]}",
        "secrets: {A: {expose: forks}}",
        "secrets: {CI_A: {}}",
        "unowned: some",
        "sandbox: {isolation: none}",
        "mergeable: {code_owners: maybe}",
        "mergeable: {optional: [bench]}",
    ] {
        check(Format::Policy, text);
    }
    for text in [
        "name = \"A B\"",
        "[http]\nport = 1",
        "[github]\ntoken = \"x\"",
        "[github]\ntoken = { file = \"x\", env = \"y\" }",
        "[github]\nwrite = true",
        "[queues]\nother = { concurrency = 1 }",
        "[queues]\njobs = { concurrency = 1, burst = 1 }",
        "[[repos]]\nname = \"a/b\"\nlocal = \"x\"\nclone_url = \"y\"",
        "[runner]\nmemory = \"4G\"",
        "[runner]\nvisible = [\"tools\"]",
    ] {
        check(Format::Node, text);
    }
}
