//! What merges are pinned and workspaces are kept for.

use std::fmt;

use ci_domain::ids::{BranchName, PullNumber};
use sha2::{Digest, Sha256};

/// Names of files may have 255 bytes; some are left for what is put around this one.
const LONGEST_SLUG: usize = 160;

/// A pull request or a branch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A pull request.
    Pull(PullNumber),
    /// A branch that is built on push.
    Branch(BranchName),
}

impl Subject {
    /// A name that is fit for one part of a path and of a reference, different for each subject.
    pub(crate) fn slug(&self) -> String {
        match self {
            Self::Pull(number) => format!("pull-{number}"),
            Self::Branch(name) => shortened(format!("branch-{}", escaped(name.as_str()))),
        }
    }

    /// The line that [`parse`](Self::parse) reads.
    pub(crate) fn to_line(&self) -> String {
        match self {
            Self::Pull(number) => format!("pull {number}"),
            Self::Branch(name) => format!("branch {name}"),
        }
    }

    pub(crate) fn parse(line: &str) -> Option<Self> {
        match line.trim_end_matches('\n').split_once(' ')? {
            ("pull", number) => number.parse().ok().map(|number| Self::Pull(PullNumber(number))),
            ("branch", name) => BranchName::new(name).ok().map(Self::Branch),
            _ => None,
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

/// Keeps letters, digits, `.`, `_` and `-`, and writes every other byte as `%XX`.
fn escaped(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// Ends a name that is too long by its digest, after a `+`, which no escaped name contains.
fn shortened(name: String) -> String {
    if name.len() <= LONGEST_SLUG {
        return name;
    }
    let digest = Sha256::digest(name.as_bytes());
    let digest: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{}+{digest}", &name[..LONGEST_SLUG])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branch(name: &str) -> Subject {
        Subject::Branch(BranchName::new(name).unwrap())
    }

    #[test]
    fn slugs_are_plain_file_names() {
        let check = |subject: Subject, expected: &str| assert_eq!(subject.slug(), expected);
        check(Subject::Pull(PullNumber(12)), "pull-12");
        check(branch("main"), "branch-main");
        check(branch("release/1.2"), "branch-release%2F1.2");
        check(branch("--upload-pack=x"), "branch---upload-pack%3Dx");
        check(branch("a'b%2F"), "branch-a%27b%252F");
        check(branch("🚀"), "branch-%F0%9F%9A%80");
    }

    #[test]
    fn long_names_stay_apart() {
        let (one, other) = (format!("{}1", "x".repeat(300)), format!("{}2", "x".repeat(300)));
        let (one, other) = (branch(&one).slug(), branch(&other).slug());
        assert_ne!(one, other);
        assert!(one.len() < 200, "{one}");
    }

    #[test]
    fn a_line_reads_back_as_its_subject() {
        for subject in [Subject::Pull(PullNumber(7)), branch("a/b"), branch("🚀")] {
            assert_eq!(Subject::parse(&subject.to_line()), Some(subject));
        }
        for line in ["", "pull", "pull x", "branch a..b", "tag v1"] {
            assert_eq!(Subject::parse(line), None, "{line:?}");
        }
    }
}
