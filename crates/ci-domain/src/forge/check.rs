//! A check run: what a forge shows beside a status where an app tells it, with marks on lines of code.

use crate::annotation::Annotation;

/// The forge's number of a check run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckId(pub u64);

/// What a check run shall show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckWrite {
    /// What it is called; the newest of a name on a commit is the one that counts.
    pub name: String,
    /// Our own name of what it tells of, by which it is known again.
    pub reference: String,
    /// How far it has come.
    pub state: CheckState,
    /// Where the details are, where there is such a place.
    pub details_url: Option<String>,
    /// One line.
    pub title: String,
    /// What stands below it, in Markdown.
    pub summary: String,
    /// Marks to add to those that it has; at most [`CheckWrite::MARKS_AT_ONCE`].
    pub annotations: Vec<Annotation>,
}

/// How far a check run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckState {
    /// It has not ended.
    Running,
    /// All is well.
    Success,
    /// Something is wrong.
    Failure,
    /// Something is wrong that does not matter.
    Neutral,
    /// Somebody stopped it.
    Cancelled,
}

/// How a check run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingCheck {
    /// Its number.
    pub id: CheckId,
    /// Our own name of what it tells of.
    pub reference: String,
    /// How far it has come; `None` where that is nothing we say.
    pub state: Option<CheckState>,
    /// How many marks it has.
    pub annotations: usize,
}

/// A check run that somebody wants again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckAgain {
    /// What it is called.
    pub name: String,
    /// Our own name of what it tells of: what has run again since is not run again for this.
    pub reference: String,
    /// Whether it is to begin in a fresh workspace.
    pub afresh: bool,
}

impl CheckWrite {
    /// GitHub takes no more annotations in one call.
    pub const MARKS_AT_ONCE: usize = 50;
}

impl CheckState {
    const ALL: [Self; 5] =
        [Self::Running, Self::Success, Self::Failure, Self::Neutral, Self::Cancelled];

    /// The word of GitHub's API: for its end, or that it is in progress.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "in_progress",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Neutral => "neutral",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of that word, if it is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(self) -> bool {
        self != Self::Running
    }
}
