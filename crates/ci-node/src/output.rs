//! Data on stdout, all else on stderr, and not a word about a reader that has left.

mod duration;
mod table;
mod terminal;

use std::io::{self, Write};

use anyhow::Result;
use serde::Serialize;

pub(crate) use duration::duration_text;
pub(crate) use table::{table, table_within};
pub(crate) use terminal::Tame;

/// What is said of a repository in which nothing is built.
pub(crate) const NO_COMPONENT: &str = "There is no component here: no folder has a ci.yaml.";

/// Where data goes.
#[derive(Debug)]
pub(crate) struct Output {
    stdout: io::Stdout,
}

impl Output {
    pub(crate) fn new() -> Self {
        Self { stdout: io::stdout() }
    }

    /// Prints lines of text for people. What could move a terminal's cursor is left out: some of it
    /// comes from branches and logs.
    pub(crate) fn line(&mut self, text: &str) -> Result<()> {
        self.write(&format!("{}\n", plain(text)))
    }

    /// How many characters fit on a line, where a terminal reads.
    pub(crate) fn width(&self) -> Option<usize> {
        let size = rustix::termios::tcgetwinsize(&self.stdout).ok()?;
        Some(usize::from(size.ws_col)).filter(|width| *width > 0)
    }

    /// Prints a value as one line of JSON.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(value)?;
        self.write(&format!("{text}\n"))
    }

    /// Prints a value as JSON that people can read too.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        self.write(&format!("{text}\n"))
    }

    /// Prints text as it is.
    pub(crate) fn write(&mut self, text: &str) -> Result<()> {
        self.write_bytes(text.as_bytes())
    }

    /// Prints bytes as they are.
    pub(crate) fn write_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        match self.stdout.write_all(bytes).and_then(|()| self.stdout.flush()) {
            // Whoever read has read enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written?),
        }
    }
}

/// Says on stderr what is not data.
pub(crate) fn note(text: &str) {
    // Where not even this can be said, the exit code says it.
    let _closed = writeln!(io::stderr(), "{}", plain(text));
}

/// The text without escape sequences and without control characters but tabs and ends of lines.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_sequence(&mut characters),
            '\n' | '\t' => plain.push(character),
            _ if character.is_control() => {}
            _ => plain.push(character),
        }
    }
    plain
}

/// Skips what follows an ESC: a control sequence up to its final byte, a string such as a title up to
/// its end, or else one character.
fn skip_sequence(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.next() {
        Some('[') => {
            while let Some(next) = characters.next_if(|next| *next != '\n') {
                if ('\u{40}'..='\u{7e}').contains(&next) {
                    break;
                }
            }
        }
        Some(']' | 'P' | '_' | '^' | 'X') => {
            while let Some(next) = characters.next_if(|next| *next != '\n') {
                if next == '\u{7}' || next == '\u{1b}' {
                    break;
                }
            }
            // The other half of a terminator ESC \.
            characters.next_if_eq(&'\\');
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_the_cursor_is_printed() {
        let check = |text: &str, expected: &str| assert_eq!(plain(text), expected, "{text:?}");
        check("plain äß 🚀\ttab\nline", "plain äß 🚀\ttab\nline");
        check("\u{1b}[31mred\u{1b}[0m", "red");
        check("a\u{1b}]0;title\u{7}b", "ab");
        check("a\u{1b}]0;title\u{1b}\\b", "ab");
        check("50%\r100%\u{8}", "50%100%");
        check("\u{1b}", "");
        check("\u{1b}[12\nnext", "\nnext");
        check("\u{9b}31m", "31m");
    }
}
