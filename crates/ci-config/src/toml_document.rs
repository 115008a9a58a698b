//! TOML as a document with places.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{At, Problems};
use crate::document::{Entry, Node, Value};
use crate::field::joined;

/// What to do about a text that is no TOML.
const MEND_FIRST: &str = "mend this line first; what follows may be read wrongly";

/// Reads a document as far as it can be read; what cannot is reported.
///
/// The parser's own messages name what it expected and never what it found, which may be a secret.
pub(crate) fn parse(text: &str, problems: &mut Problems) -> Node {
    let lines = Lines::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut root = Node { at: At::START, value: lines.table(table.get_ref()) };
    for error in errors {
        let at = error.span().map_or(At::START, |span| lines.at(span.start));
        // What the parser put in its place says nothing.
        let label = refuse(&mut root, "", at).map_or_else(String::new, |key| format!("`{key}`: "));
        problems.report(at, format!("{label}{}", error.message()), MEND_FIRST);
    }
    root
}

/// Refuses the value in `node`, called `name`, that stands at a place, and tells its name.
fn refuse(node: &mut Node, name: &str, at: At) -> Option<String> {
    match &mut node.value {
        Value::List(items) => items
            .iter_mut()
            .enumerate()
            .find_map(|(position, item)| refuse(item, &format!("{name}[{position}]"), at)),
        Value::Map(entries) => entries
            .iter_mut()
            .find_map(|entry| refuse(&mut entry.node, &joined(name, &entry.key), at)),
        _ if node.at == at => {
            node.value = Value::Refused;
            Some(name.to_owned())
        }
        _ => None,
    }
}

/// Where each line of a text begins.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let breaks = text.match_indices('\n').map(|(position, _)| position + 1);
        Self { text, starts: std::iter::once(0).chain(breaks).collect() }
    }

    fn at(&self, position: usize) -> At {
        let line = self.starts.partition_point(|start| *start <= position);
        let start =
            line.checked_sub(1).and_then(|line| self.starts.get(line)).copied().unwrap_or(0);
        let before = self.text.get(start..position).unwrap_or_default();
        At { line, column: before.chars().count() + 1 }
    }

    fn node(&self, value: &Spanned<DeValue<'_>>) -> Node {
        let Range { start, .. } = value.span();
        let at = self.at(start);
        let value = match value.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => {
                Value::Literal(number.as_str().to_owned())
            }
            DeValue::Integer(number) => {
                let value = i64::from_str_radix(number.as_str(), number.radix());
                Value::Literal(value.map_or_else(|_| number.to_string(), |value| value.to_string()))
            }
            DeValue::Float(number) => Value::Literal(number.as_str().to_owned()),
            DeValue::Boolean(truth) => Value::Literal(truth.to_string()),
            DeValue::Datetime(time) => Value::Literal(time.to_string()),
            DeValue::Array(items) => {
                Value::List(items.iter().map(|item| self.node(item)).collect())
            }
            DeValue::Table(table) => self.table(table),
        };
        Node { at, value }
    }

    fn table(&self, table: &DeTable<'_>) -> Value {
        let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| Entry {
            key: key_text(key),
            at: self.at(key.span().start),
            node: self.node(value),
        };
        Value::Map(table.iter().map(entry).collect())
    }
}

fn key_text(key: &Spanned<std::borrow::Cow<'_, str>>) -> String {
    key.get_ref().to_string()
}
