//! YAML, read strictly: one document of maps, lists and scalars.
//!
//! Anchors, aliases, tags, directives, several documents, duplicate keys and keys that are no text are
//! refused; so is a file that is too large or too deep. Whether an unquoted scalar is a number is not
//! decided here: its reader knows what it wants.

use std::collections::BTreeMap;

use granit_parser::{ErrorKind, Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag, options};

use crate::diagnostic::{At, Problems};
use crate::document::{Entry, Node, Value};

/// Larger files are refused, in bytes.
pub const MAX_FILE: usize = 256 * 1024;
/// Deeper nesting is refused; what reads the tree recurses as deep.
pub(crate) const MAX_LEVELS: usize = 64;

/// What YAML that cannot be read suffers from most.
const SCAN_HINT: &str = "look at brackets, quotes and indentation from here upwards; text with ': ', ' #' or a leading sign is quoted";
const TOO_DEEP: &str = "the file is nested deeper than 64 levels";

/// Reads a document; `None` where it could not be read to its end, which has been reported.
pub(crate) fn parse(bytes: &[u8], problems: &mut Problems) -> Option<Node> {
    if bytes.len() > MAX_FILE {
        report_size(bytes.len() as u64, problems);
        return None;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            report_encoding(bytes, error.valid_up_to(), problems);
            return None;
        }
    };
    let options = options! {
        disallow_directives: true,
        emit_unresolved_aliases: true,
        emit_anchor_events: true,
    };
    let mut builder = Builder { problems, stack: Vec::new(), root: None };
    for next in Parser::new_from_str_with_options(text, options) {
        let taken = match next {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => Err(unreadable(&error)),
        };
        if let Err(Halt { at, message, hint }) = taken {
            builder.problems.report(at, message, hint);
            return None;
        }
    }
    Some(builder.root.unwrap_or(Node { at: At::START, value: Value::Null }))
}

/// Reports a file of `size` bytes as too large.
pub(crate) fn report_size(size: u64, problems: &mut Problems) {
    problems.report(
        At::START,
        format!("the file has {size} bytes, more than {MAX_FILE}"),
        "move long scripts into files of their own and call them",
    );
}

/// A file that cannot be read on: where, why, and what to do about it.
struct Halt {
    at: At,
    message: String,
    hint: &'static str,
}

struct Builder<'a> {
    problems: &'a mut Problems,
    stack: Vec<Frame>,
    root: Option<Node>,
}

/// A list or map that has begun.
struct Frame {
    at: At,
    kind: FrameKind,
}

enum FrameKind {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, seen: BTreeMap<String, At>, key: Option<(At, Option<String>)> },
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Halt> {
        let place = at(span.start);
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                return Err(Halt {
                    at: place,
                    message: "a second document begins: one file is one document".to_owned(),
                    hint: "remove `---` and what follows it",
                });
            }
            Event::Anchor(..) => {
                self.refuse(place, "anchors", "name steps under `define` and `use` them");
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.refuse(place, "aliases", "quote text that starts with '*'; `use` named steps");
                self.put(place, Value::Refused);
            }
            Event::Scalar(text, style, _, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                self.put(place, scalar(&text, style));
            }
            Event::SequenceStart(_, _, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                self.begin(place, FrameKind::List(Vec::new()))?;
            }
            Event::MappingStart(_, _, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                let seen = BTreeMap::new();
                self.begin(place, FrameKind::Map { entries: Vec::new(), seen, key: None })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, at: At, kind: FrameKind) -> Result<(), Halt> {
        if self.stack.len() == MAX_LEVELS {
            return Err(too_deep(at));
        }
        self.stack.push(Frame { at, kind });
        Ok(())
    }

    fn end(&mut self) {
        let Some(frame) = self.stack.pop() else { return };
        let value = match frame.kind {
            FrameKind::List(items) => Value::List(items),
            FrameKind::Map { entries, .. } => Value::Map(entries),
        };
        self.put(frame.at, value);
    }

    /// Puts a value where the document is: into the list, as a key or a value of the map, or as the root.
    fn put(&mut self, at: At, value: Value) {
        match self.stack.last_mut().map(|frame| &mut frame.kind) {
            None => self.root = Some(Node { at, value }),
            Some(FrameKind::List(items)) => items.push(Node { at, value }),
            Some(FrameKind::Map { entries, seen, key }) => match key.take() {
                None => *key = Some((at, read_key(at, value, seen, self.problems))),
                Some((_, None)) => {}
                Some((key_at, Some(key))) => {
                    entries.push(Entry { key, at: key_at, node: Node { at, value } });
                }
            },
        }
    }

    fn refuse(&mut self, at: At, what: &str, hint: &str) {
        self.problems.report(at, format!("{what} are not allowed"), hint);
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, span: Span) {
        if tag.is_some() {
            let place = at(span.tag_start().unwrap_or(span.start));
            self.refuse(place, "tags", "quote text that starts with '!'");
        }
    }
}

/// The text of a key, unless it is none or was there before, which is reported.
fn read_key(
    at: At,
    value: Value,
    seen: &mut BTreeMap<String, At>,
    problems: &mut Problems,
) -> Option<String> {
    let key = match value {
        Value::Text(text) | Value::Plain(text) => text,
        Value::Refused => return None,
        other => {
            let message = format!("a key must be text, not {}", other.kind());
            problems.report(at, message, "write a plain name before the ':', quoted if need be");
            return None;
        }
    };
    if let Some(first) = seen.get(&key) {
        problems.report(
            at,
            format!("the key `{key}` is there twice"),
            format!("it is first on line {}", first.line),
        );
        return None;
    }
    seen.insert(key.clone(), at);
    Some(key)
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    match (style, text) {
        (ScalarStyle::Plain, "" | "~" | "null" | "Null" | "NULL") => Value::Null,
        (ScalarStyle::Plain, _) => Value::Plain(text.to_owned()),
        _ => Value::Text(text.to_owned()),
    }
}

fn at(marker: Marker) -> At {
    At { line: marker.line(), column: marker.col() + 1 }
}

/// The parser has a limit of its own for depth, which it meets before it hands over what it read.
fn unreadable(error: &ScanError) -> Halt {
    let at = at(*error.marker());
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => too_deep(at),
        _ => Halt { at, message: error.info(), hint: SCAN_HINT },
    }
}

fn too_deep(at: At) -> Halt {
    Halt { at, message: TOO_DEEP.to_owned(), hint: "move the inner part into a script" }
}

fn report_encoding(bytes: &[u8], valid: usize, problems: &mut Problems) {
    let before = String::from_utf8_lossy(&bytes[..valid]);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let hint = "save the file as UTF-8";
    problems.report(At { line, column }, "the file is not UTF-8 from here on", hint);
}
