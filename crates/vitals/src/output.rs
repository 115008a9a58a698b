//! Data on stdout, all else on stderr, and not a word about a reader that has left.

use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};

use ratatui::crossterm::terminal;
use serde::Serialize;
use serde_json::Value;

use crate::command::{Format, Vitals};
use crate::dress::Dress;
use crate::failure::Failure;

/// Prints in the form that was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    format: Format,
    /// Whether only data is printed.
    quiet: bool,
    /// Whether a person can be asked.
    asks: bool,
    /// How many columns there are, if somebody reads along.
    width: Option<u16>,
    /// Whether what is too long is turned over page by page.
    pages: bool,
    dress: Dress,
}

/// A list: what it is called, and how each form shows it.
#[derive(Debug)]
pub struct List<'a, T, R> {
    /// The schema of all of it.
    pub schema: &'static str,
    /// The schema of one row.
    pub row_schema: &'static str,
    pub answer: &'a T,
    pub rows: &'a [R],
    /// What is printed where only names are wanted.
    pub name: fn(&R) -> String,
    pub text: String,
}

impl Output {
    pub fn new(vitals: &Vitals) -> Self {
        let reads_along = io::stdout().is_terminal();
        let size = terminal::size().ok().filter(|_| reads_along);
        Self {
            format: vitals.output,
            quiet: vitals.quiet,
            asks: !vitals.no_input && io::stdin().is_terminal(),
            width: size.map(|(width, _)| width),
            pages: true,
            dress: Dress::of_text(vitals.color, reads_along),
        }
    }

    /// Tells whether there is a person who can answer.
    pub fn asks(self) -> bool {
        self.asks
    }

    /// Prints one thing after the other, and never waits for somebody to turn pages.
    #[must_use]
    pub fn following(self) -> Self {
        Self { pages: false, ..self }
    }

    /// Fails where an answer could not be printed: whoever acts or waits has to know that before.
    pub fn check(self) -> Result<(), Failure> {
        match self.format {
            Format::Name => Err(names_of_lists_only()),
            Format::Table | Format::Wide | Format::Json | Format::Jsonl => Ok(()),
        }
    }

    /// Prints an answer: as JSON marked with a schema, or as text.
    pub fn print<T: Serialize>(
        self,
        schema: &str,
        answer: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Table | Format::Wide => self.page(&text(answer)).map(|_reads| ()),
            Format::Json | Format::Jsonl => self.document(schema, answer).map(|_reads| ()),
            Format::Name => Err(names_of_lists_only()),
        }
    }

    /// Prints a list; on a terminal a line is cut where the terminal ends. `false` if nobody reads.
    pub fn list<T: Serialize, R: Serialize>(self, list: &List<'_, T, R>) -> Result<bool, Failure> {
        match self.format {
            Format::Table => match self.width {
                Some(width) => self.page(&cut(&list.text, usize::from(width))),
                None => self.page(&list.text),
            },
            Format::Wide => self.page(&list.text),
            Format::Json => self.document(list.schema, list.answer),
            Format::Jsonl => {
                let rows = list.rows.iter().map(|row| marked(list.row_schema, row));
                let lines = rows.map(|row| Ok(format!("{}\n", row?)));
                let lines: Result<String, Failure> = lines.collect();
                write(io::stdout(), lines?.as_bytes())
            }
            Format::Name => {
                let names: String = list.rows.iter().map(|row| (list.name)(row) + "\n").collect();
                write(io::stdout(), names.as_bytes())
            }
        }
    }

    fn document<T: Serialize>(self, schema: &str, answer: &T) -> Result<bool, Failure> {
        let value = marked(schema, answer)?;
        let text = match self.format {
            Format::Jsonl => value.to_string(),
            _ => serde_json::to_string_pretty(&value)?,
        };
        write(io::stdout(), (text + "\n").as_bytes())
    }

    /// Prints one of many answers at once, as one line of JSON or as text; `false` if nobody reads.
    pub fn event<T: Serialize>(
        self,
        schema: &str,
        event: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<bool, Failure> {
        let text = match self.format {
            Format::Table | Format::Wide => self.dress.text(&text(event)),
            Format::Json | Format::Jsonl => format!("{}\n", marked(schema, event)?),
            Format::Name => {
                return Err(Failure::Usage("events have no names to print".to_owned()));
            }
        };
        write(io::stdout(), text.as_bytes())
    }

    /// Prints what is the same in any form.
    pub fn data(self, bytes: &[u8]) -> Result<(), Failure> {
        write(io::stdout(), bytes).map(|_reads| ())
    }

    /// Says something that is not data.
    pub fn note(self, text: &str) -> Result<(), Failure> {
        if self.quiet { Ok(()) } else { self.say(text) }
    }

    /// Says what a person has to answer.
    pub fn say(self, text: &str) -> Result<(), Failure> {
        write(io::stderr(), self.dress.text(text).as_bytes()).map(|_reads| ())
    }

    /// Prints text for people; what is longer than the terminal is turned over page by page.
    fn page(self, text: &str) -> Result<bool, Failure> {
        let text = self.dress.text(text);
        let read = self.width.filter(|_| self.pages);
        let height = read.and_then(|_| terminal::size().ok()).map(|(_, height)| height);
        let long = height.is_some_and(|height| text.lines().count() >= usize::from(height));
        if long && through_pager(&text).is_ok() {
            return Ok(true);
        }
        write(io::stdout(), text.as_bytes())
    }
}

/// Shows text in `$PAGER`, or `less`.
fn through_pager(text: &str) -> io::Result<()> {
    let pager = std::env::var("PAGER").unwrap_or_default();
    let mut words = pager.split_whitespace();
    let mut command = match words.next() {
        Some(program) => Command::new(program),
        None => Command::new("less"),
    };
    command.args(words);
    if pager.trim().is_empty() {
        command.arg("-FIRX");
    }
    let mut pager = command.stdin(Stdio::piped()).spawn()?;
    if let Some(input) = pager.stdin.take() {
        // Whoever leaves the pager has read enough.
        let _closed = { input }.write_all(text.as_bytes());
    }
    pager.wait().map(|_status| ())
}

/// Cuts every line at a width.
fn cut(text: &str, width: usize) -> String {
    let line = |line: &str| {
        if line.chars().count() <= width {
            return format!("{line}\n");
        }
        let kept: String = line.chars().take(width.saturating_sub(1)).collect();
        format!("{kept}…\n")
    };
    text.lines().map(line).collect()
}

/// Turns an answer into JSON that names its schema.
pub fn marked<T: Serialize>(schema: &str, answer: &T) -> Result<Value, Failure> {
    let mut value = serde_json::to_value(answer)?;
    if let Value::Object(fields) = &mut value {
        fields.insert("schema".to_owned(), Value::from(schema));
    }
    Ok(value)
}

/// Writes it all; `false` if nobody reads.
fn write(mut to: impl Write, text: &[u8]) -> Result<bool, Failure> {
    match to.write_all(text).and_then(|()| to.flush()) {
        // Whoever read has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true).map_err(Failure::Io),
    }
}

fn names_of_lists_only() -> Failure {
    Failure::Usage("only lists have names to print".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_does_not_fit_is_cut_and_says_so() {
        assert_eq!(cut("ab\nabcdef\n├─ ○ x\n", 4), "ab\nabc…\n├─ …\n");
    }
}
