//! A parsed file before anyone knows what it means: values with their places, the same for YAML and TOML.

use crate::diagnostic::At;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: At,
    pub(crate) value: Value,
}

/// What a format can say.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Nothing: an empty place, `~` or `null`.
    Null,
    /// Text that can be nothing else: quoted, or a block.
    Text(String),
    /// An unquoted YAML scalar: text, or the number or truth value it spells, as its reader wants it.
    Plain(String),
    /// A TOML value that is no text, as it was written.
    Literal(String),
    /// A list.
    List(Vec<Node>),
    /// A map; in it each key is there once.
    Map(Vec<Entry>),
    /// What could not be read and was reported already.
    Refused,
}

/// An entry of a map.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: At,
    pub(crate) node: Node,
}

impl Value {
    /// What it is, in words, without what it says: it may be a secret in the wrong place.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Text(_) => "text",
            Self::Plain(text) => scalar_kind(text).unwrap_or("text"),
            Self::Literal(text) => scalar_kind(text).unwrap_or("a date or time"),
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Refused => "what cannot be read",
        }
    }
}

/// What an unquoted scalar is that can be read as something else than text.
fn scalar_kind(text: &str) -> Option<&'static str> {
    let is_truth = ["true", "false"].iter().any(|truth| text.eq_ignore_ascii_case(truth));
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    if is_truth {
        Some("a truth value")
    } else if has_digit && text.replace('_', "").parse::<f64>().is_ok() {
        Some("a number")
    } else {
        None
    }
}
