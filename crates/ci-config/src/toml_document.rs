//! TOML as a document with places.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{At, Problems};
use crate::document::{Entry, Node, Value};

/// Reads a document as far as it can be read; what cannot is reported.
///
/// The parser's own messages name what it expected and never what it found, which may be a secret.
pub(crate) fn parse(text: &str, problems: &mut Problems) -> Node {
    let lines = Lines::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = error.span().map_or(At::START, |span| lines.at(span.start));
        problems.report(
            at,
            error.message(),
            "mend this line first; what follows may be read wrongly",
        );
    }
    let value = lines.table(table.get_ref());
    Node { at: At::START, value }
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
