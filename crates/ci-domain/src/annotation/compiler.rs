//! Reads what compilers, linters and test runners print about lines of code, line by line.
//!
//! | said | by |
//! |---|---|
//! | `src/a.c:3:5: error: message`, with or without column or level | gcc, clang, go, mypy, shellcheck, pytest … |
//! | `error[E0425]: message`, then `--> src/a.rs:3:5` or `└─ lib/a.ex:3:5` | rustc, elixir |
//! | `thread 'x' panicked at src/a.rs:3:5:`, then the message | Rust |
//! | `src/a.ts(3,5): error TS2322: message`, `src/a.ts:3:5 - error TS2322: message` | tsc, dotnet |
//! | `/src/a.js`, then `  3:5  error  message  rule` | eslint |

use super::header::{Header, level};
use super::{Finding, Level};

/// Longer names are no paths.
const MAX_PATH: usize = 300;
/// Larger numbers are no lines.
const MAX_DIGITS: usize = 7;

/// What the lines so far have prepared for the next.
#[derive(Clone, Debug, Default)]
pub struct Compiler {
    awaited: Awaited,
}

#[derive(Clone, Debug, Default)]
enum Awaited {
    #[default]
    Nothing,
    /// A message whose place follows.
    Place { level: Level, title: Option<String>, message: String },
    /// A place whose message follows.
    Message(Place),
    /// A file whose findings follow.
    Findings { file: String },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    file: String,
    line: u32,
    column: Option<u32>,
}

impl Compiler {
    /// Takes the next line, without colors; answers what it completes.
    pub fn read(&mut self, line: &str) -> Option<Finding> {
        let text = line.trim();
        match std::mem::take(&mut self.awaited) {
            Awaited::Message(place) => Some(place.finding(Some(Level::Failure), None, text)),
            Awaited::Findings { file } => self.listed(file, line, text),
            Awaited::Place { level, title, message } => {
                self.pointed(line, text, (level, title, message))
            }
            Awaited::Nothing => self.fresh(line, text),
        }
    }

    /// A line on which nothing before has a bearing.
    fn fresh(&mut self, line: &str, text: &str) -> Option<Finding> {
        if let Some((_, after)) = text.split_once("panicked at ")
            && let Some((place, "" | ":")) = Place::parse(after)
        {
            self.awaited = Awaited::Message(place);
            return None;
        }
        if let Some(header) = Header::parse(text).filter(|header| !header.message.is_empty()) {
            let (title, message) = (header.code.map(str::to_owned), header.message.to_owned());
            self.awaited = Awaited::Place { level: header.level, title, message };
            return None;
        }
        if line == text && is_path(text) && Place::parse(text).is_none() {
            self.awaited = Awaited::Findings { file: text.to_owned() };
            return None;
        }
        plain(text)
    }

    /// After a message: the place that is pointed at. What a tool shows in between is passed over.
    fn pointed(
        &mut self,
        line: &str,
        text: &str,
        (level, title, message): (Level, Option<String>, String),
    ) -> Option<Finding> {
        let pointed = ["--> ", "└─ "].iter().find_map(|arrow| text.strip_prefix(arrow));
        if let Some((place, _)) = pointed.and_then(Place::parse) {
            return Some(place.finding(Some(level), title, &message));
        }
        let is_between = line.starts_with([' ', '\t', '|', '│']) && plain(text).is_none();
        if is_between {
            self.awaited = Awaited::Place { level, title, message };
            return None;
        }
        self.fresh(line, text)
    }

    /// Below the name of a file: `3:5  error  message  rule`.
    fn listed(&mut self, file: String, line: &str, text: &str) -> Option<Finding> {
        let found = line.starts_with(' ').then(|| listed(&file, text)).flatten();
        match found {
            Some(finding) => {
                self.awaited = Awaited::Findings { file };
                Some(finding)
            }
            None => self.fresh(line, text),
        }
    }
}

/// Place and message on one line.
fn plain(text: &str) -> Option<Finding> {
    // Elixir names what was raised first.
    let text =
        text.strip_prefix("** ").and_then(|text| text.split_once(") ")).map_or(text, |t| t.1);
    let (place, rest) = Place::parse(text)?;
    let said = rest.strip_prefix(" - ").or_else(|| rest.strip_prefix(':'))?.trim();
    match Header::parse(said) {
        _ if said.is_empty() => None,
        Some(Header { level, code, message }) => {
            Some(place.finding(Some(level), code.map(str::to_owned), message))
        }
        None => Some(place.finding(None, None, said)),
    }
}

fn listed(file: &str, text: &str) -> Option<Finding> {
    let (position, rest) = text.split_once(' ')?;
    let (line, column) = position.split_once(':')?;
    let (level, rest) = level(rest.trim_start())?;
    let (message, rule) = match rest.trim().rsplit_once("  ") {
        Some((message, rule)) => (message.trim(), Some(rule.to_owned())),
        None => (rest.trim(), None),
    };
    let place = Place { file: file.to_owned(), line: number(line)?, column: number(column) };
    Some(place.finding(Some(level), rule, message))
}

impl Place {
    /// `file:3:5`, `file:3` or `file(3,5)` at the start of `text`, and what follows.
    fn parse(text: &str) -> Option<(Self, &str)> {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let colons = text[..end].match_indices([':', '(']);
        colons.into_iter().find_map(|(at, mark)| {
            let (file, rest) = (&text[..at], &text[at + 1..]);
            let (line, column, rest) = if mark == "(" { in_brackets(rest) } else { bare(rest) }?;
            is_path(file).then(|| (Self { file: file.to_owned(), line, column }, rest))
        })
    }

    fn finding(self, level: Option<Level>, title: Option<String>, message: &str) -> Finding {
        let Self { file, line, column } = self;
        Finding { file, line, column, level, title, message: message.to_owned() }
    }
}

/// `3:5` and what follows, or `3`.
fn bare(text: &str) -> Option<(u32, Option<u32>, &str)> {
    let (line, rest) = digits(text)?;
    match rest.strip_prefix(':').and_then(digits) {
        Some((column, rest)) => Some((line, Some(column), rest)),
        None => Some((line, None, rest)),
    }
}

/// `3,5)` and what follows, or `3)`.
fn in_brackets(text: &str) -> Option<(u32, Option<u32>, &str)> {
    let (inside, rest) = text.split_once(')')?;
    let (line, column) = inside.split_once(',').unwrap_or((inside, ""));
    Some((number(line)?, number(column), rest))
}

fn digits(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((number(&text[..end])?, &text[end..]))
}

/// A number from 1.
fn number(text: &str) -> Option<u32> {
    let is_number = (1..=MAX_DIGITS).contains(&text.len());
    text.parse().ok().filter(|number| is_number && *number > 0)
}

/// Whether it looks like the name of a file: no word of a sentence, no address, no time.
fn is_path(text: &str) -> bool {
    let is_bad = |c: char| c.is_whitespace() || c.is_control() || "\"'`<>|*?:".contains(c);
    // `Makefile` and its like have no ending.
    let is_name = |name: &str| name.contains('.') || name.starts_with(char::is_uppercase);
    (3..=MAX_PATH).contains(&text.len())
        && text.rsplit('/').next().is_some_and(is_name)
        && !text.ends_with(['.', ','])
        && !text.contains(is_bad)
}
