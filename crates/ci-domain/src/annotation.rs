//! Marks on lines of code, made of what the tools say that a job runs.
//!
//! A [`Finding`] names a file as its tool does. Once it is known which file of the repository that is, it
//! becomes an [`Annotation`], whose text nothing can act on that shows it.

mod compiler;
mod header;

use crate::wording::printable_text;

pub use compiler::Compiler;

/// The longest title that GitHub takes has 255 characters.
const MAX_TITLE: usize = 200;
/// Longer messages are for the log; GitHub takes 64 KB. In characters.
const MAX_MESSAGE: usize = 4000;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Something failed because of it.
    Failure,
    /// It should be looked at.
    Warning,
    /// It may be of use.
    Notice,
}

/// What a tool said about a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, as the tool calls it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, where it was said.
    pub column: Option<u32>,
    /// How bad the tool says it is, if it says that.
    pub level: Option<Level>,
    /// What it is about, such as the rule or the test.
    pub title: Option<String>,
    /// What was said.
    pub message: String,
}

/// A mark on a line of a file of the repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Annotation {
    /// How bad it is; the worst come first.
    pub level: Level,
    /// The path of the file from the root of the repository.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, where it is known.
    pub column: Option<u32>,
    /// What it is about.
    pub title: Option<String>,
    /// What is said there; never empty.
    pub message: String,
}

impl Finding {
    /// The mark at `path`, which is what the tool meant; `otherwise` where it did not say how bad it is.
    #[must_use]
    pub fn at(self, path: String, otherwise: Level) -> Annotation {
        let first_line =
            |text: String| text.lines().next().map(|line| printable_text(line, MAX_TITLE));
        let title = self.title.and_then(first_line);
        let message = printable_text(&self.message, MAX_MESSAGE);
        Annotation {
            level: self.level.unwrap_or(otherwise),
            path,
            line: self.line,
            column: self.column,
            title: title.filter(|title| !title.is_empty()),
            message: if message.is_empty() { "(no message)".to_owned() } else { message },
        }
    }

    /// Where the file may be, as paths from the root of the repository, the likeliest first: tools name
    /// files by where they work, by the root, or in full. `root` is where they see the repository, `folder`
    /// is the component's in it. Whatever leads out of the repository is none of them.
    #[must_use]
    pub fn candidates(&self, root: &str, folder: &str) -> Vec<String> {
        let below = |folder: &str, path: &str| normal(&format!("{folder}/{path}"));
        let found = match self.file.strip_prefix(root).and_then(|path| path.strip_prefix('/')) {
            Some(path) => vec![normal(path)],
            None if self.file.starts_with('/') => Vec::new(),
            None => vec![below(folder, &self.file), normal(&self.file)],
        };
        let mut found: Vec<String> = found.into_iter().flatten().collect();
        found.dedup();
        found
    }
}

impl Level {
    /// The word of GitHub's API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }

    /// The level of that word, if it is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Failure, Self::Warning, Self::Notice].into_iter().find(|one| one.as_str() == word)
    }
}

/// The path without `.` and `..`; `None` where it leads out of where it begins, or into git's own.
fn normal(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    let is_fit = !parts.is_empty() && !parts.iter().any(|part| part.eq_ignore_ascii_case(".git"));
    is_fit.then(|| parts.join("/"))
}

#[cfg(test)]
mod tests;
