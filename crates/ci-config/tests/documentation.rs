//! The page about operating a node names every key of its configuration, with the default it has.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::io;
use std::path::Path;

use ci_config::node::NodeConfig;
use ci_config::parse_node;
use ci_config::schema::{Format, schema};
use ci_config::source::Source;
use serde_json::Value;

const PAGE: &str = include_str!("../../../docs/operating.md");
/// What the section `[github]` must have.
const TOKEN: &str = "github.token = { env = \"TOKEN\" }\n";

struct Secrets;

impl Source for Secrets {
    fn env(&self, _name: &str) -> Option<String> {
        Some("secret".to_owned())
    }

    fn file(&self, _path: &Path) -> io::Result<String> {
        Err(io::Error::other("there are no files here"))
    }
}

fn parse(text: &str) -> NodeConfig {
    parse_node("ci-node.toml", text, &Secrets).unwrap_or_else(|found| panic!("{found:?}\n{text}"))
}

/// Every key below `map` that has no keys of its own, as the page writes it.
fn keys(map: &Value, prefix: &str) -> Vec<String> {
    let properties = map["properties"].as_object().unwrap();
    let below = |(key, value): (&String, &Value)| {
        let key = format!("{prefix}{key}");
        let map = if value["type"] == "array" { &value["items"] } else { value };
        match map["properties"].is_object() {
            true => keys(map, &format!("{key}.")),
            false => vec![key],
        }
    };
    properties.iter().flat_map(below).collect()
}

/// The rows of the table of keys: key, default, meaning.
fn rows() -> impl Iterator<Item = [&'static str; 2]> {
    let (_, table) = PAGE.split_once("| key | default | meaning |\n|---|---|---|\n").unwrap();
    table.lines().take_while(|line| line.starts_with('|')).map(|line| {
        let mut cells = line.trim_matches('|').split(" | ").map(str::trim);
        [cells.next().unwrap(), cells.next().unwrap()]
    })
}

/// The text of a cell that is one piece of code.
fn code(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`').filter(|code| !code.contains('`'))
}

#[test]
fn every_key_is_explained() {
    let schema: Value = serde_json::from_str(schema(Format::Node)).unwrap();
    let explained: String = rows().map(|[key, _]| key).collect();
    let names = keys(&schema, "");
    assert!(names.len() > 25, "{names:?}");
    for key in names {
        // Queues have names of their own.
        let shown =
            if key == "queues" { "`queues.\"jobs\"".to_owned() } else { format!("`{key}`") };
        assert!(explained.contains(&shown), "docs/operating.md says nothing of {key}");
    }
}

#[test]
fn defaults_are_as_the_page_says() {
    let defaults: Vec<String> = rows()
        .filter_map(|[key, default]| Some(format!("{} = {}\n", code(key)?, code(default)?)))
        .collect();
    assert!(defaults.len() > 20, "{defaults:?}");
    assert_eq!(parse(&format!("{TOKEN}{}", defaults.concat())), parse(TOKEN));
}
