//! Reads how tests went from a file in the format of JUnit.
//!
//! There is no standard, so this takes what it knows and passes over the rest: suites in suites or none, what
//! failed as `failure` or `error`, several tries of one test. The file is whatever a job has written: nothing
//! in it is expanded or followed, and what it says is bounded.

use std::num::NonZeroU32;

use ci_domain::test_report::{TestFailure, TestReport};
use ci_domain::wording::plain;
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

/// More levels than this are no report.
const MAX_DEPTH: usize = 64;
/// More tests of one file are passed over.
const MAX_TESTS: usize = 50_000;
/// What is read of what a test said, in bytes.
const MAX_SAID: usize = 64 << 10;

/// A file that is no report, or not to its end.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JunitError {
    #[error("is no report of JUnit: it begins with <{0}>")]
    Root(String),
    #[error("is no report of JUnit: there is nothing in it")]
    Nothing,
    #[error("has an error at byte {at}: {problem}")]
    Xml { at: u64, problem: String },
    #[error("ends in the middle of <{0}>")]
    Cut(String),
    #[error("has more than {MAX_DEPTH} levels")]
    Depth,
    #[error("has more than {MAX_TESTS} tests, the rest is left out")]
    Tests,
}

/// What may stand in a report that is not to be shown, and how it is cut.
pub(crate) trait Censor {
    /// The whole of a text.
    fn whole(&self, text: &str) -> String;
    /// The beginning of a text of which there is more.
    fn beginning(&self, text: &str) -> String;
}

/// Reads `text` as far as it can be read, and says what keeps it from the rest.
pub(crate) fn read(text: &str, censor: &impl Censor) -> (TestReport, Option<JunitError>) {
    let mut reading = Reading::new(censor);
    let mut reader = Reader::from_str(text);
    let end = loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => {
                let (at, problem) = (reader.error_position(), plain(&error.to_string()));
                break Some(JunitError::Xml { at, problem });
            }
        };
        match reading.take(event) {
            Ok(Progress::More) => {}
            Ok(Progress::Done) => break None,
            Err(error) => break Some(error),
        }
    };
    (reading.report, end)
}

#[derive(PartialEq, Eq)]
enum Progress {
    More,
    Done,
}

/// How a test has ended, the worse the later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Passed,
    Skipped,
    Wavered,
    Failed,
}

/// A test that is being read.
struct Case {
    level: usize,
    name: String,
    file: Option<String>,
    line: Option<u32>,
    end: End,
    said: String,
    /// Whether what is said now belongs to it, and below which level.
    listens: Option<usize>,
}

struct Reading<'c, C> {
    censor: &'c C,
    open: Vec<String>,
    /// The names of the suites that are open, with their levels.
    suites: Vec<(usize, String)>,
    case: Option<Case>,
    report: TestReport,
}

impl<'c, C: Censor> Reading<'c, C> {
    fn new(censor: &'c C) -> Self {
        let (open, suites) = (Vec::new(), Vec::new());
        Self { censor, open, suites, case: None, report: TestReport::default() }
    }

    fn take(&mut self, event: Event<'_>) -> Result<Progress, JunitError> {
        match event {
            Event::Start(start) => self.enter(&start)?,
            Event::Empty(start) => {
                self.enter(&start)?;
                self.leave()?;
            }
            Event::End(_) => self.leave()?,
            Event::Text(text) => self.hear(&text.xml_content(XmlVersion::Implicit1_0)),
            Event::CData(text) => self.hear(&text.xml_content(XmlVersion::Implicit1_0)),
            Event::GeneralRef(reference) => match (&*reference, reference.resolve_char_ref()) {
                (_, Ok(Some(character))) => self.hear(character.encode_utf8(&mut [0; 4])),
                (name, _) => self.hear(predefined(name).unwrap_or_default()),
            },
            Event::Eof => return self.end(),
            // Whatever a document declares for itself stays unread.
            Event::DocType(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        Ok(Progress::More)
    }

    fn end(&self) -> Result<Progress, JunitError> {
        match self.open.last() {
            Some(open) => Err(JunitError::Cut(open.clone())),
            None if self.report.is_empty() && self.suites.is_empty() => Err(JunitError::Nothing),
            None => Ok(Progress::Done),
        }
    }

    fn enter(&mut self, start: &BytesStart<'_>) -> Result<(), JunitError> {
        let tag = shown(start.local_name().into_inner());
        if self.open.is_empty() && !matches!(tag.as_str(), "testsuites" | "testsuite") {
            return Err(JunitError::Root(tag));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(JunitError::Depth);
        }
        let level = self.open.len();
        match (tag.as_str(), &mut self.case) {
            ("testsuite", None) => {
                self.suites.push((level, attribute(start, "name").unwrap_or_default()));
            }
            ("testcase", None) => self.case = Some(self.begin(start, level)),
            ("failure" | "error", Some(case)) => case.note(End::Failed, start, level),
            ("flakyFailure" | "flakyError", Some(case)) => case.note(End::Wavered, start, level),
            ("skipped" | "disabled", Some(case)) => case.end = case.end.max(End::Skipped),
            _ => {}
        }
        self.open.push(tag);
        Ok(())
    }

    /// What is said of where a test belongs: its class, else its suite.
    fn begin(&self, start: &BytesStart<'_>, level: usize) -> Case {
        let class = attribute(start, "classname").filter(|class| !class.trim().is_empty());
        let class = class.or_else(|| self.suites.last().map(|(_, suite)| suite.clone()));
        let name = attribute(start, "name").unwrap_or_default();
        let name = match class.unwrap_or_default() {
            class if class.is_empty() || class == name => name,
            class => format!("{class} › {name}"),
        };
        let line = attribute(start, "line").and_then(|line| line.parse().ok());
        Case {
            level,
            name,
            file: attribute(start, "file").filter(|file| !file.is_empty()),
            line: line.map(NonZeroU32::get),
            end: End::Passed,
            said: String::new(),
            listens: None,
        }
    }

    fn leave(&mut self) -> Result<(), JunitError> {
        self.open.pop();
        let level = self.open.len();
        if self.suites.last().is_some_and(|(suite, _)| *suite == level) {
            self.suites.pop();
        }
        if let Some(case) = self.case.as_mut().filter(|case| case.listens == Some(level)) {
            case.listens = None;
        }
        match self.case.take_if(|case| case.level == level) {
            Some(case) => self.keep(case),
            None => Ok(()),
        }
    }

    fn hear(&mut self, text: &str) {
        if let Some(case) = self.case.as_mut().filter(|case| case.listens.is_some()) {
            case.hear(text);
        }
    }

    fn keep(&mut self, case: Case) -> Result<(), JunitError> {
        if self.report.len() >= MAX_TESTS {
            return Err(JunitError::Tests);
        }
        let shown_name = shown(&self.censor.whole(&case.name));
        let name = if shown_name.is_empty() { "(no name)".to_owned() } else { shown_name };
        match case.end {
            End::Passed => self.report.pass(name),
            End::Skipped => self.report.skip(name),
            End::Wavered => self.report.waver(name),
            End::Failed => {
                let is_cut = case.said.len() >= MAX_SAID;
                let said = if is_cut {
                    self.censor.beginning(&case.said)
                } else {
                    self.censor.whole(&case.said)
                };
                let file = case.file.map(|file| shown(&self.censor.whole(&file)));
                let failure = TestFailure { message: message(&said), file, line: case.line };
                self.report.fail(name, failure);
            }
        }
        Ok(())
    }
}

impl Case {
    /// Takes what one element says of its end: the attribute first, then what is in it.
    fn note(&mut self, end: End, start: &BytesStart<'_>, level: usize) {
        if end < self.end {
            return;
        }
        if end > self.end {
            self.said.clear();
        }
        self.end = end;
        self.listens = Some(level);
        if let Some(message) = attribute(start, "message") {
            self.hear(&message);
            self.hear("\n");
        }
    }

    fn hear(&mut self, text: &str) {
        let room = MAX_SAID.saturating_sub(self.said.len());
        self.said.push_str(&text[..text.floor_char_boundary(room)]);
    }
}

/// The value of an attribute; what it refers to is left out, and so is what is malformed.
fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute =
        start.attributes().flatten().find(|attribute| attribute.key.as_ref() == name)?;
    let resolve = |entity: &str| Some(predefined(entity).unwrap_or_default());
    let value = attribute.normalized_value_with(XmlVersion::Implicit1_0, 1, resolve).ok()?;
    Some(value.into_owned())
}

/// What the language itself lets a name stand for.
fn predefined(name: &str) -> Option<&'static str> {
    quick_xml::escape::resolve_predefined_entity(name)
}

/// A text of one line that can be shown, in at most 300 characters.
fn shown(text: &str) -> String {
    const MOST: usize = 300;
    let text = plain(&text.replace(['\n', '\r', '\t'], " "));
    let text = text.trim();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What a test said, in lines that can be shown: some 4000 characters, of which most say enough.
fn message(said: &str) -> String {
    const MOST: usize = 4000;
    let lines: Vec<String> = said.lines().map(plain).collect();
    let mut text = lines.join("\n").trim().to_owned();
    if let Some((end, _)) = text.char_indices().nth(MOST) {
        text.truncate(end);
        text.push('…');
    }
    // The attribute is often the beginning of what is within.
    match text.split_once('\n') {
        Some((first, rest)) if rest.trim_start().starts_with(first) => rest.trim_start().to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests;
