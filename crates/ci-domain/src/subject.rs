//! What builds are for.

use std::fmt;

use crate::ids::{BranchName, PullNumber};
use crate::merge_queue::QueueHead;
use crate::pipeline::On;

/// A pull request or a branch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A pull request.
    Pull(PullNumber),
    /// A branch that is built on push.
    Branch(BranchName),
}

impl Subject {
    /// The jobs that a push runs here: those for pull requests also on a head of the merge queue.
    #[must_use]
    pub fn runs(&self) -> On {
        match self {
            Self::Branch(name) if QueueHead::of(name).is_none() => On::Branch,
            Self::Pull(_) | Self::Branch(_) => On::Pull,
        }
    }

    /// The pull request in whose conversation is told about it: its own, or that which a head of the merge
    /// queue would merge. Other branches are told about on their commits.
    #[must_use]
    pub fn conversation(&self) -> Option<PullNumber> {
        match self {
            Self::Pull(number) => Some(*number),
            Self::Branch(name) => QueueHead::of(name).map(|head| head.pull),
        }
    }

    /// A name that is plain everywhere and different for each subject: what is not a letter, a digit,
    /// `.`, `_` or `-` is written as `%XX`.
    #[must_use]
    pub fn slug(&self) -> String {
        match self {
            Self::Pull(number) => format!("pull-{number}"),
            Self::Branch(name) => format!("branch-{}", escaped(name)),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pull(number) => write!(f, "pull request {number}"),
            Self::Branch(name) => write!(f, "branch {name}"),
        }
    }
}

/// The name of a branch as one part of a path or an address.
#[must_use]
pub fn escaped(name: &BranchName) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    name.as_str().bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_plain() {
        let branch = |name: &str| Subject::Branch(BranchName::new(name).unwrap());
        let check = |subject: Subject, expected: &str| assert_eq!(subject.slug(), expected);
        check(Subject::Pull(PullNumber(12)), "pull-12");
        check(branch("main"), "branch-main");
        check(branch("release/1.2"), "branch-release%2F1.2");
        check(branch("--upload-pack=x"), "branch---upload-pack%3Dx");
        check(branch("a'b%2F-->"), "branch-a%27b%252F--%3E");
        check(branch("🚀"), "branch-%F0%9F%9A%80");
    }
}
