//! What is wrong with a file, and where: all of it at once.

use std::fmt;

/// Diagnostics kept for one file; who made more mistakes sees the rest after mending these.
const MAX_DIAGNOSTICS: usize = 100;

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, as its reader knows it.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The character in the line, counted from 1.
    pub column: usize,
    /// What is wrong and what was expected.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// The diagnostics of one file while it is read.
#[derive(Debug)]
pub(crate) struct Problems {
    file: String,
    found: Vec<Diagnostic>,
}

impl Diagnostic {
    /// The place and what is wrong, in one line, without the column and the hint.
    #[must_use]
    pub fn summary(&self) -> String {
        format!("{}:{}: {}", self.file, self.line, self.message)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl At {
    /// The start of the file; also the place of what is wrong with the file as a whole.
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

impl Problems {
    pub(crate) fn of(file: &str) -> Self {
        Self { file: file.to_owned(), found: Vec::new() }
    }

    /// Reports `message` at a place, once, with what to do about it.
    pub(crate) fn report(&mut self, at: At, message: impl Into<String>, hint: impl Into<String>) {
        self.add(at, message.into(), hint.into());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// The diagnostics in the order of their places.
    pub(crate) fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        self.found
    }

    fn add(&mut self, at: At, message: String, hint: String) {
        let (At { line, column }, hint) = (at, Some(hint));
        let diagnostic = Diagnostic { file: self.file.clone(), line, column, message, hint };
        if self.found.len() < MAX_DIAGNOSTICS && !self.found.contains(&diagnostic) {
            self.found.push(diagnostic);
        }
    }
}
