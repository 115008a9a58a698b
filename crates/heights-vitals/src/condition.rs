//! Sentences about a tree that hold or do not: `mailbox(ci/queue) < 10 && state(ci/*) = idle`.
//!
//! ```text
//! condition  = all { "||" all }
//! all        = one { "&&" one }
//! one        = "!" one | "(" condition ")" | claim
//! claim      = "exists" "(" pattern ")" | figure "(" pattern ")" comparison value
//! figure     = "state" | "mailbox" | "peak" | "oldest" | "waited" | "busy" | "handled" | "failed"
//!            | "dropped" | "restarts" | "life" | "age" | "count" | "crashes"
//! comparison = "=" | "!=" | "<" | "<=" | ">" | ">="
//! value      = a word, a number, or a time: 250ms, 5s, 2m, 1h, 7d
//! ```
//!
//! A pattern is a path or the end of one; in it, `*` stands for any part without a slash and `**`
//! for any part. A claim about a pattern holds if it holds for every actor that matches, and at
//! least one does. `count` and `crashes` are claims about all that match together, and none is a
//! number like any other.

mod judge;
mod parse;
mod pattern;
mod tell;

use std::str::FromStr;

pub use self::parse::ConditionError;
pub(crate) use self::pattern::Pattern;
use crate::wire::{Judgement, Picture};

/// A sentence about a tree.
///
/// ```
/// use heights_vitals::Condition;
///
/// let quiet: Condition = "mailbox(ci/queue) < 10 && state(ci/**) = idle".parse()?;
/// let error = "mailbox(ci/queue) ~ 10".parse::<Condition>().unwrap_err();
/// assert_eq!(error.to_string(), "at character 19: expected one of = != < <= > >=, found ~ 10");
/// # Ok::<(), heights_vitals::ConditionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition(Node);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Claim(Claim),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Claim {
    about: About,
    pattern: Pattern,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum About {
    Exists,
    State(Comparison, String),
    Figure(Figure, Comparison, u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    Mailbox,
    Peak,
    Oldest,
    Waited,
    Busy,
    Handled,
    Failed,
    Dropped,
    Restarts,
    Life,
    Age,
    Count,
    Crashes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// How the figures are called.
const FIGURES: [(&str, Figure); 13] = [
    ("mailbox", Figure::Mailbox),
    ("peak", Figure::Peak),
    ("oldest", Figure::Oldest),
    ("waited", Figure::Waited),
    ("busy", Figure::Busy),
    ("handled", Figure::Handled),
    ("failed", Figure::Failed),
    ("dropped", Figure::Dropped),
    ("restarts", Figure::Restarts),
    ("life", Figure::Life),
    ("age", Figure::Age),
    ("count", Figure::Count),
    ("crashes", Figure::Crashes),
];

/// How the comparisons are written; longer signs come before those that they begin with.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("!=", Comparison::Unequal),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("=", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::More),
];

impl Figure {
    fn as_str(self) -> &'static str {
        FIGURES.iter().find(|(_, figure)| *figure == self).map_or("", |(name, _)| name)
    }

    fn is_time(self) -> bool {
        matches!(self, Self::Oldest | Self::Waited | Self::Busy | Self::Age)
    }
}

impl Comparison {
    fn as_str(self) -> &'static str {
        COMPARISONS.iter().find(|(_, comparison)| *comparison == self).map_or("", |(sign, _)| sign)
    }
}

impl Condition {
    /// Tells whether the sentence is true of a picture, and if not, what speaks against it.
    pub fn judge(&self, picture: &Picture) -> Judgement {
        let mut against = Vec::new();
        let holds = judge::holds(&self.0, picture, &mut against);
        against.dedup();
        Judgement {
            taken_ms: picture.tree.taken_ms,
            holds,
            against: if holds { Vec::new() } else { against },
        }
    }
}

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse::condition(text).map(Self)
    }
}

#[cfg(test)]
mod tests;
