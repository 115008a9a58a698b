//! Looking for a text in a whole log.

use std::io;

use ci_exec::LogReader;

use super::super::ansi;
use super::super::html::{Html, html};

/// Lines that are told.
const MOST: usize = 200;
/// Characters of a line that are told.
const LINE: usize = 240;
/// The most bytes that are read at once.
const CHUNK: usize = 256 * 1024;
/// Of a line that is longer only so much is searched.
const LONGEST: usize = 1024 * 1024;

/// The first lines that contain what was looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Their numbers, and what they say.
    pub(super) lines: Vec<(u64, String)>,
    /// Whether there are more.
    pub(super) has_more: bool,
}

/// A search that is under way.
struct Search<'a> {
    finder: memchr::memmem::Finder<'a>,
    /// The number of the line that comes next.
    line: u64,
    /// The same line in small letters, where it is compared.
    small: Vec<u8>,
    found: Found,
}

/// Looks through a log, whatever the case of Latin letters. Blocks for as long as that takes.
pub(super) fn search(reader: &LogReader, find: &str) -> io::Result<Found> {
    let find = find.to_ascii_lowercase();
    let finder = memchr::memmem::Finder::new(find.as_bytes());
    let mut search = Search { finder, line: 1, small: Vec::new(), found: Found::default() };
    let (mut offset, mut cut): (u64, Vec<u8>) = (0, Vec::new());
    loop {
        let piece = reader.read_at(offset, CHUNK)?;
        if piece.bytes.is_empty() {
            search.look_at(&cut);
            return Ok(search.found);
        }
        offset = piece.next;
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', &piece.bytes) {
            let line = &piece.bytes[start..end];
            if cut.is_empty() {
                search.look_at(line);
            } else {
                cut.extend_from_slice(line);
                search.look_at(&cut);
                cut.clear();
            }
            start = end + 1;
            if search.found.has_more {
                return Ok(search.found);
            }
        }
        if cut.len() < LONGEST {
            cut.extend_from_slice(&piece.bytes[start..]);
        }
    }
}

impl Search<'_> {
    fn look_at(&mut self, line: &[u8]) {
        self.small.clear();
        // Few lines have anything for the terminal, and to take that out is slow.
        if memchr::memchr2(b'\x1b', b'\r', line).is_some() {
            self.small.extend_from_slice(ansi::plain(line).as_bytes());
        } else {
            self.small.extend_from_slice(line);
        }
        self.small.make_ascii_lowercase();
        if self.finder.find(&self.small).is_some() {
            if self.found.lines.len() == MOST {
                self.found.has_more = true;
            } else {
                let text = ansi::plain(line).chars().take(LINE).collect();
                self.found.lines.push((self.line, text));
            }
        }
        self.line += 1;
    }
}

/// What was found, with the way to each line.
pub(super) fn section(found: &Found, find: &str) -> Html {
    let words = match (found.lines.len(), found.has_more) {
        (0, _) => "No line contains".to_owned(),
        (1, _) => "One line contains".to_owned(),
        (count, false) => format!("{count} lines contain"),
        (count, true) => format!("The first {count} lines that contain"),
    };
    let link = |(line, text): &(u64, String)| {
        html!(
            r##"<li><a href="?line={}&amp;find={}#L{}">{}</a> <code>{}</code></li>"##,
            line,
            encoded(find),
            line,
            line,
            text
        )
    };
    let lines: Html = found.lines.iter().map(link).collect();
    let lines = match found.lines.is_empty() {
        true => Html::default(),
        false => html!(r#"<ul class="sheet found">{}</ul>"#, lines),
    };
    html!(r#"<section aria-label="What was found"><p>{} “{}”</p>{}</section>"#, words, find, lines)
}

/// A text as a part of an address's query.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use ci_exec::{CommandId, RunDir};

    use super::*;

    fn found(log: &str, find: &str) -> Found {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("spec.json"), "").unwrap();
        let reader = RunDir::open(folder.path()).unwrap().log(&CommandId::parse("0-1").unwrap());
        std::fs::create_dir_all(reader.path().parent().unwrap()).unwrap();
        std::fs::write(reader.path(), log).unwrap();
        search(&reader, find).unwrap()
    }

    fn check(log: &str, find: &str, expected: &[(u64, &str)]) {
        let found = found(log, find);
        let lines: Vec<(u64, &str)> =
            found.lines.iter().map(|(line, text)| (*line, text.as_str())).collect();
        assert_eq!(lines, expected, "{find:?} in {log:?}");
    }

    #[test]
    fn a_line_is_found_whatever_its_case_and_colors() {
        check("one\nTwo\nthree", "two", &[(2, "Two")]);
        check("one\n\x1b[31merr\x1b[0mor\n", "ERROR", &[(2, "error")]);
        check("a\nlast", "last", &[(2, "last")]);
        check("a\nb\n", "\n", &[]);
        check("", "a", &[]);
    }

    #[test]
    fn a_line_between_two_pieces_is_found() {
        let long = "x".repeat(CHUNK - 3);
        check(&format!("{long}\nneedle\nend\n"), "needle", &[(2, "needle")]);
    }

    #[test]
    fn the_first_of_many_are_told() {
        let found = found(&"a\n".repeat(1000), "a");
        assert_eq!((found.lines.len(), found.has_more), (MOST, true));
    }

    #[test]
    fn what_was_looked_for_is_no_markup() {
        let found = Found { lines: vec![(7, "<b>".to_owned())], has_more: false };
        let shown = section(&found, "\"><script>").into_string();
        assert!(
            shown.contains("find=%22%3E%3Cscript%3E#L7") && shown.contains("&lt;b&gt;"),
            "{shown}"
        );
        assert!(!shown.contains("<script"), "{shown}");
    }
}
