//! How tools begin what they say: a word for how bad it is, perhaps a code, and the message.

use super::Level;

/// The words that tools have for how bad something is.
const WORDS: [(&str, Level); 12] = [
    ("fatal error", Level::Failure),
    ("fatal", Level::Failure),
    ("error", Level::Failure),
    ("Error", Level::Failure),
    ("ERROR", Level::Failure),
    ("warning", Level::Warning),
    ("Warning", Level::Warning),
    ("WARNING", Level::Warning),
    ("note", Level::Notice),
    ("info", Level::Notice),
    ("help", Level::Notice),
    ("hint", Level::Notice),
];

/// `error[E0425]: message`, `warning TS2322: message` or `error: message`.
pub(super) struct Header<'a> {
    pub(super) level: Level,
    pub(super) code: Option<&'a str>,
    pub(super) message: &'a str,
}

impl<'a> Header<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (level, rest) = level(text)?;
        let (code, message) = rest.split_once(':')?;
        let code = code.trim().trim_start_matches(['[', '(']).trim_end_matches([']', ')']);
        let is_code = |c: char| c.is_ascii_alphanumeric() || "-_:./@".contains(c);
        if code.len() > 60 || !code.chars().all(is_code) {
            return None;
        }
        let code = Some(code).filter(|code| !code.is_empty());
        Some(Self { level, code, message: message.trim() })
    }
}

/// The word for how bad it is at the start of `text`, and what follows.
pub(super) fn level(text: &str) -> Option<(Level, &str)> {
    WORDS.iter().find_map(|(word, level)| {
        let rest = text.strip_prefix(word)?;
        let goes_on = rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        (!goes_on).then_some((*level, rest))
    })
}
