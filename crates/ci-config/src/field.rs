//! Reading a document by what is expected: a field knows its name and its place, and says what is wrong.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use crate::diagnostic::{At, Problems};
use crate::document::{Entry, Node, Value};
use crate::suggestion::did_you_mean;

/// How to write text that could be taken for something else.
const AS_TEXT: &str = "quote it, if it is meant as text";
/// How to write a number.
const AS_NUMBER: &str = "write digits alone, without quotes or a unit";

/// The keys of one kind of map.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys {
    /// Keys that are read.
    pub(crate) known: &'static [&'static str],
}

/// A value, with its name for people, such as `jobs.test.timeout`.
#[derive(Clone, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) name: String,
    pub(crate) node: &'a Node,
}

/// The fields of a map whose keys are known.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    name: String,
    keys: Keys,
    at: At,
    entries: BTreeMap<&'a str, &'a Node>,
}

impl<'a> Field<'a> {
    pub(crate) fn root(node: &'a Node) -> Self {
        Self { name: String::new(), node }
    }

    pub(crate) fn at(&self) -> At {
        self.node.at
    }

    /// Reports that something else was expected than what is here, with how to write it.
    pub(crate) fn expected(&self, what: &str, hint: &str, problems: &mut Problems) {
        if !matches!(self.node.value, Value::Refused) {
            let found = self.node.value.kind();
            self.report(&format!("expected {what}, found {found}"), hint, problems);
        }
    }

    /// Reports `message` about this field, with what to do about it.
    pub(crate) fn report(&self, message: &str, hint: &str, problems: &mut Problems) {
        problems.report(self.at(), format!("{}{message}", self.label()), hint);
    }

    /// Text, quoted or not, as it was written.
    pub(crate) fn text(&self, problems: &mut Problems) -> Option<&'a str> {
        match &self.node.value {
            Value::Text(text) | Value::Plain(text) => Some(text),
            _ => {
                self.expected("text", AS_TEXT, problems);
                None
            }
        }
    }

    /// Text that cannot have been meant as a number or a truth value, quoted or not.
    pub(crate) fn unmistakable_text(&self, problems: &mut Problems) -> Option<&'a str> {
        if let Value::Plain(_) = self.node.value
            && self.node.value.kind() != "text"
        {
            self.expected("text", AS_TEXT, problems);
            return None;
        }
        self.text(problems)
    }

    /// What `parse` makes of the text; `hint` says how to write what it takes.
    pub(crate) fn parsed<T, E: Display>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, E>,
        hint: &str,
        problems: &mut Problems,
    ) -> Option<T> {
        let (Value::Text(text) | Value::Plain(text)) = &self.node.value else {
            self.expected("text", hint, problems);
            return None;
        };
        let parsed = parse(text);
        parsed.map_err(|error| self.report(&error.to_string(), hint, problems)).ok()
    }

    pub(crate) fn boolean(&self, problems: &mut Problems) -> Option<bool> {
        match &self.node.value {
            Value::Plain(text) | Value::Literal(text) if text == "true" => Some(true),
            Value::Plain(text) | Value::Literal(text) if text == "false" => Some(false),
            _ => {
                self.expected("true or false", "write true or false, without quotes", problems);
                None
            }
        }
    }

    /// A whole number from `min` on.
    pub(crate) fn number<T>(&self, min: T, problems: &mut Problems) -> Option<T>
    where
        T: FromStr + PartialOrd + Display,
    {
        let (Value::Plain(text) | Value::Literal(text)) = &self.node.value else {
            self.expected(&format!("a whole number from {min} on"), AS_NUMBER, problems);
            return None;
        };
        let parsed: Option<T> = text.parse().ok().filter(|_| !text.starts_with('+'));
        let number = parsed.filter(|number| *number >= min);
        if number.is_none() {
            self.report_number(text, &min, problems);
        }
        number
    }

    /// Reports `text` as no whole number from `min` on. A number is quoted: it is no secret.
    fn report_number(&self, text: &str, min: &impl Display, problems: &mut Problems) {
        let is_whole = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let is_zero = text.bytes().all(|byte| byte == b'0');
        let hint = if text.strip_prefix('-').is_some_and(is_whole) || (is_whole(text) && is_zero) {
            format!("write {min} or more")
        } else if is_whole(text) {
            "write a number of less than ten digits".to_owned()
        } else {
            AS_NUMBER.to_owned()
        };
        let kind = self.node.value.kind();
        let found = if kind == "a number" { text } else { kind };
        let message = format!("expected a whole number from {min} on, found {found}");
        self.report(&message, &hint, problems);
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&self, words: &[(&str, T)], problems: &mut Problems) -> Option<T> {
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let (Value::Text(text) | Value::Plain(text)) = &self.node.value else {
            self.expected(&format!("one of {}", all.join(", ")), &word_hint(&all), problems);
            return None;
        };
        let found = words.iter().find(|(word, _)| word == text);
        if found.is_none() {
            let message = format!("{text:?} is none of {}", all.join(", "));
            let hint = did_you_mean(text, &all).unwrap_or_else(|| word_hint(&all));
            self.report(&message, &hint, problems);
        }
        found.map(|(_, value)| *value)
    }

    /// The items of a list.
    pub(crate) fn items(&self, problems: &mut Problems) -> Option<Vec<Self>> {
        let Value::List(items) = &self.node.value else {
            self.expected("a list", "write [one, another], or each on a line of its own", problems);
            return None;
        };
        let item = |(position, node)| Self { name: format!("{}[{position}]", self.name), node };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// The items of a list, or the one text that stands for a list of it.
    pub(crate) fn one_or_many(&self, problems: &mut Problems) -> Option<Vec<Self>> {
        match &self.node.value {
            Value::Text(_) | Value::Plain(_) => Some(vec![self.clone()]),
            _ => self.items(problems),
        }
    }

    /// The entries of a map whose keys are names that the file chooses, each with the place of its key.
    pub(crate) fn entries(&self, problems: &mut Problems) -> Option<Vec<(&'a Entry, Self)>> {
        let Value::Map(entries) = &self.node.value else {
            self.expected("a map", "give each a name: `name: …`, one below the other", problems);
            return None;
        };
        Some(entries.iter().map(|entry| (entry, self.child(entry))).collect())
    }

    /// The fields of a map whose keys are known; others are reported by name.
    pub(crate) fn fields(&self, keys: Keys, problems: &mut Problems) -> Option<Fields<'a>> {
        let Value::Map(entries) = &self.node.value else {
            self.expected("a map", &self.map_hint(keys), problems);
            return None;
        };
        for entry in entries {
            self.check_key(entry, keys, problems);
        }
        let entries = entries.iter().map(|entry| (entry.key.as_str(), &entry.node)).collect();
        Some(Fields { name: self.name.clone(), keys, at: self.at(), entries })
    }

    /// How to write a map. What stands here is not quoted: it may be a secret in the wrong place.
    fn map_hint(&self, keys: Keys) -> String {
        let key = self.name.rsplit('.').next().unwrap_or_default();
        match keys.known {
            [only] if !key.is_empty() => format!("write `{key}: {{{only}: …}}`"),
            known => format!("the keys here are {}", known.join(", ")),
        }
    }

    fn check_key(&self, entry: &Entry, keys: Keys, problems: &mut Problems) {
        let key = entry.key.as_str();
        if keys.known.contains(&key) {
            return;
        }
        let name = joined(&self.name, key);
        let hint = did_you_mean(key, keys.known)
            .unwrap_or_else(|| format!("the keys here are {}", keys.known.join(", ")));
        problems.report(entry.at, format!("unknown key `{name}`"), hint);
    }

    fn child(&self, entry: &'a Entry) -> Self {
        Self { name: joined(&self.name, &entry.key), node: &entry.node }
    }

    fn label(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!("`{}`: ", self.name) }
    }
}

impl<'a> Fields<'a> {
    /// The field `key`, if the map has it.
    pub(crate) fn get(&self, key: &str) -> Option<Field<'a>> {
        debug_assert!(self.keys.known.contains(&key), "{key} is in the list of keys");
        let node = self.entries.get(key)?;
        Some(Field { name: joined(&self.name, key), node })
    }

    /// The field `key`, or a report that it is missing: once, where it is there and misspelled.
    pub(crate) fn require(&self, key: &str, problems: &mut Problems) -> Option<Field<'a>> {
        let field = self.get(key);
        let is_other = |other: &&str| !self.keys.known.contains(other);
        let mut others = self.entries.keys().filter(|other| is_other(other));
        if field.is_none() && !others.any(|other| did_you_mean(other, &[key]).is_some()) {
            let message = format!("`{}` is missing", joined(&self.name, key));
            problems.report(self.at, message, format!("add `{key}`: it has no default"));
        }
        field
    }

    /// Reports `message` about the map as a whole.
    pub(crate) fn report(&self, message: &str, hint: &str, problems: &mut Problems) {
        let whole = Node { at: self.at, value: Value::Refused };
        Field { name: self.name.clone(), node: &whole }.report(message, hint, problems);
    }
}

fn word_hint(words: &[&str]) -> String {
    format!("write the word alone: {}", words.join(" or "))
}

/// The name of `key` in what is called `name`.
pub(crate) fn joined(name: &str, key: &str) -> String {
    if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") }
}
