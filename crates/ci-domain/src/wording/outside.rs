//! Text from outside, such as logs and names, between our own words: it can neither format nor mention nor
//! end what it stands in.

use super::CUT;

/// The longest line of a log that a comment shows, in characters.
pub(super) const MAX_LOG_LINE: usize = 400;

/// Characters that change the order in which others are shown.
const REORDERING: [char; 9] = [
    '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}',
    '\u{2069}',
];

/// Lines without anything that a terminal would act on or that reads otherwise than it is, cut after `max`
/// characters.
pub(crate) fn printable_text(text: &str, max: usize) -> String {
    let lines: Vec<String> = text.lines().map(plain).collect();
    shortened(lines.join("\n").trim_end().to_owned(), max)
}

/// Drops what [`plain`] drops, and cuts what is too long to read.
pub(super) fn printable(line: &str) -> String {
    shortened(plain(line), MAX_LOG_LINE)
}

fn shortened(mut text: String, max: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(max) {
        text.truncate(end);
        text.push_str(CUT);
    }
    text
}

/// A line without escape sequences, and without characters that are not shown or that reorder others.
#[must_use]
pub fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_escape(&mut characters),
            '\t' => text.push(character),
            _ if character.is_control() || REORDERING.contains(&character) => {}
            _ => text.push(character),
        }
    }
    text
}

/// Skips what follows an ESC: a control sequence up to its final letter, a string such as a title up to
/// its terminator, else one character.
fn skip_escape(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.next() {
        Some('[') => {
            characters.find(|c| matches!(c, '\u{40}'..='\u{7e}'));
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(character) = characters.next() {
                let mut ends_by_two = || characters.next_if_eq(&'\\').is_some();
                if character == '\u{7}' || character == '\u{1b}' && ends_by_two() {
                    break;
                }
            }
        }
        _ => {}
    }
}

/// A fence that is longer than any run of backticks inside, so that no log can close it.
pub(super) fn fence_around(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// Text from outside in the middle of a sentence: one line, nothing that formats or mentions.
pub(super) fn inline(text: &str) -> String {
    let line = printable(text.lines().next().unwrap_or_default());
    let fence = fence_around(&line);
    format!("{fence} {line} {fence}")
}

/// The same in the place of a word that people write.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = !text.is_empty() && !text.contains(|c: char| c == '`' || c.is_control());
    if is_plain { format!("`{text}`") } else { inline(text) }
}

/// A word that a shell takes as it is: people copy what they read.
pub(super) fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "./_-".contains(c);
    if word.chars().all(is_plain) && !word.starts_with('-') {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
