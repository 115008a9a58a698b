//! How the subjects that merges are pinned and workspaces are kept for are named on the disk.

use ci_domain::ids::{BranchName, PullNumber};
use ci_domain::subject::Subject;
use sha2::{Digest, Sha256};

/// Names of files may have 255 bytes; some are left for what is put around this one.
const LONGEST_SLUG: usize = 160;

/// A name that is fit for one part of a path and of a reference, different for each subject. One that
/// is too long ends by its digest, after a `+`, which no other has.
pub(crate) fn slug(subject: &Subject) -> String {
    let name = subject.slug();
    if name.len() <= LONGEST_SLUG {
        return name;
    }
    let digest = Sha256::digest(name.as_bytes());
    let digest: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{}+{digest}", &name[..LONGEST_SLUG])
}

/// The line that [`parse`] reads.
pub(crate) fn to_line(subject: &Subject) -> String {
    match subject {
        Subject::Pull(number) => format!("pull {number}"),
        Subject::Branch(name) => format!("branch {name}"),
    }
}

pub(crate) fn parse(line: &str) -> Option<Subject> {
    match line.trim_end_matches('\n').split_once(' ')? {
        ("pull", number) => number.parse().ok().map(|number| Subject::Pull(PullNumber(number))),
        ("branch", name) => BranchName::new(name).ok().map(Subject::Branch),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branch(name: &str) -> Subject {
        Subject::Branch(BranchName::new(name).unwrap())
    }

    #[test]
    fn long_names_stay_apart() {
        let (one, other) = (format!("{}1", "x".repeat(300)), format!("{}2", "x".repeat(300)));
        let (one, other) = (slug(&branch(&one)), slug(&branch(&other)));
        assert_ne!(one, other);
        assert!(one.len() < 200, "{one}");
        assert_eq!(slug(&branch("main")), "branch-main");
    }

    #[test]
    fn a_line_reads_back_as_its_subject() {
        for subject in [Subject::Pull(PullNumber(7)), branch("a/b"), branch("🚀")] {
            assert_eq!(parse(&to_line(&subject)), Some(subject));
        }
        for line in ["", "pull", "pull x", "branch a..b", "tag v1"] {
            assert_eq!(parse(line), None, "{line:?}");
        }
    }
}
