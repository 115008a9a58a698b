//! Every key of the three formats meets every kind of wrong value. Whatever is not taken is told with its
//! place, its key, what was expected and what to do about it.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod component;
mod node;
mod policy;

use std::collections::BTreeSet;

use ci_config::Diagnostic;
use ci_config::schema::{Format, schema};
use serde_json::Value;

/// A key, and what it takes of the values that all keys are given.
struct Key {
    /// Its name for people.
    name: &'static str,
    /// A file in which `@` is its value.
    text: &'static str,
    /// What is said of a list of a list.
    of_a_list: &'static str,
    /// What it takes.
    takes: &'static [&'static str],
}

const fn key(
    name: &'static str,
    text: &'static str,
    of_a_list: &'static str,
    takes: &'static [&'static str],
) -> Key {
    Key { name, text, of_a_list, takes }
}

/// All that can be wrong with a format.
struct Sweep {
    format: Format,
    keys: &'static [Key],
    /// The values that each key is given.
    values: &'static [&'static str],
    read: fn(&str) -> Vec<Diagnostic>,
}

impl Key {
    /// The key itself, without what it is in.
    fn last(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap()
    }

    /// The file with `value`.
    fn with(&self, value: &str) -> String {
        self.text.replace('@', value)
    }

    /// The part of the file that is the key and its value, which ends its line or the map it is in.
    fn entry(&self) -> &'static str {
        let start = self.text[..self.text.find('@').unwrap()].rfind(self.last()).unwrap();
        &self.text[start..=self.text.find('@').unwrap()]
    }
}

impl Sweep {
    fn run(&self) {
        for key in self.keys {
            self.check_values(key);
            self.check_case(key);
            self.check_twice(key);
        }
        self.check_keys();
    }

    fn check_values(&self, key: &Key) {
        for value in self.values {
            let text = key.with(value);
            let found = (self.read)(&text);
            let is_taken = key.takes.contains(value);
            assert_eq!(found.is_empty(), is_taken, "{text}: {found:?}");
            check_form(&text, &found);
            let names = |finding: &Diagnostic| finding.message.contains(&format!("`{}", key.name));
            assert!(is_taken || found.iter().any(names), "{text}: {found:?}");
        }
        let text = key.with("[[]]");
        let found = (self.read)(&text);
        let said = found.iter().any(|finding| finding.message.ends_with(key.of_a_list));
        assert!(said, "{text}: not {:?} but {found:?}", key.of_a_list);
    }

    /// A key in capitals is unknown, and the right one is told. Queues, variables and jobs have names
    /// of their own.
    fn check_case(&self, key: &Key) {
        if self.keys().contains(key.last()) {
            let capitals = key.entry().replace(key.last(), &key.last().to_uppercase());
            let text = key.text.replace(key.entry(), &capitals).replace('@', "x");
            let found = (self.read)(&text);
            check_form(&text, &found);
            let hint = Some(format!("did you mean `{}`?", key.last()));
            assert!(found.iter().any(|finding| finding.hint == hint), "{text}: {found:?}");
        }
    }

    fn check_twice(&self, key: &Key) {
        let separator = if key.text.contains(&format!("{}}}", key.entry())) { ", " } else { "\n" };
        let twice = [key.entry(), key.entry()].join(separator);
        let text = key.text.replace(key.entry(), &twice).replace('@', "5");
        let found = (self.read)(&text);
        check_form(&text, &found);
        let says = |finding: &Diagnostic| {
            let message = finding.message.as_str();
            message.contains("is there twice") || message.contains("duplicate key")
        };
        assert!(found.iter().any(says), "{text}: {found:?}");
    }

    /// The keys that are offered are those that are swept.
    fn check_keys(&self) {
        let swept: BTreeSet<&str> = self.keys.iter().map(Key::last).collect();
        for key in self.keys() {
            assert!(swept.contains(key.as_str()), "{key} is not swept");
        }
    }

    /// All keys that the format has anywhere.
    fn keys(&self) -> BTreeSet<String> {
        let schema: Value = serde_json::from_str(schema(self.format)).unwrap();
        let mut keys = BTreeSet::new();
        collect_keys(&schema, &mut keys);
        keys
    }
}

fn collect_keys(schema: &Value, keys: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::Object(properties)) = fields.get("properties") {
                keys.extend(properties.keys().cloned());
            }
            fields.values().for_each(|value| collect_keys(value, keys));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_keys(item, keys)),
        _ => {}
    }
}

/// Each finding is in the text, and says what to do.
fn check_form(text: &str, found: &[Diagnostic]) {
    let lines: Vec<&str> = text.lines().collect();
    for finding in found {
        let line = lines.get(finding.line - 1).copied().unwrap_or_default();
        let is_there = (1..=line.chars().count() + 1).contains(&finding.column);
        assert!(is_there, "{text}: {finding:?}");
        assert!(finding.hint.as_deref().is_some_and(|hint| hint.len() > 5), "{text}: {finding:?}");
        assert!(finding.message.len() > 5, "{text}: {finding:?}");
    }
}
