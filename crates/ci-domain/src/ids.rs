//! Identifiers: one type for each thing that is named, checked where it is made.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The length of a full SHA-1 object name in hexadecimal digits.
const SHA1_DIGITS: usize = 40;
/// The length of a full SHA-256 object name in hexadecimal digits.
const SHA256_DIGITS: usize = 64;
/// Component names longer than this are refused; GitHub cuts longer status contexts.
const MAX_COMPONENT_NAME: usize = 100;

/// A text that is not a valid identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {text:?} is invalid: {expected}")]
pub struct InvalidId {
    /// What was being named, such as `commit`.
    pub kind: &'static str,
    /// The text as it came.
    pub text: String,
    /// What would have been accepted.
    pub expected: &'static str,
}

/// Declares a newtype over a checked text. Clones share it: most of what is remembered names the same few
/// commits, components and jobs.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $valid:expr, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks `text` and wraps it.
            ///
            /// # Errors
            /// Says what was expected where `text` is not valid.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidId { kind: $kind, text, expected: $expected })
                }
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }
    };
}

text_id!(
    /// The full object name of a commit, in lower-case hexadecimal digits.
    CommitSha,
    "commit",
    |text| matches!(text.len(), SHA1_DIGITS | SHA256_DIGITS)
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
    "a full object name of 40 or 64 lower-case hexadecimal digits"
);

text_id!(
    /// A repository on the forge, `owner/name`.
    RepoName,
    "repository",
    is_repo_name,
    "owner/name of letters, digits, '-', '_' and '.'"
);

text_id!(
    /// A branch, without `refs/heads/`.
    ///
    /// Any name that git accepts is accepted here, hostile ones too; it reaches git only as a full
    /// reference and a command only through its environment.
    BranchName,
    "branch",
    is_branch_name,
    "a name that git accepts for a branch"
);

text_id!(
    /// The login of a person or bot on the forge.
    Login,
    "login",
    |text| !text.is_empty() && text.len() <= 100 && !text.chars().any(char::is_control),
    "1 to 100 printable characters"
);

text_id!(
    /// A component: the path of its folder from the root of the repository, or `root`.
    ComponentName,
    "component",
    is_component_name,
    "1 to 100 characters of [A-Za-z0-9._/-], no empty, '.' or '..' part, and not 'mergeable'"
);

text_id!(
    /// A job within a component.
    JobName,
    "job",
    |text| !text.is_empty()
        && text.len() <= MAX_COMPONENT_NAME
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-')),
    "1 to 100 characters of [a-z0-9_-]"
);

text_id!(
    /// One attempt at a job; names its run directory, so it is also a plain file name.
    AttemptId,
    "attempt",
    |text| !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')),
    "1 to 64 characters of [a-z0-9-]"
);

/// The number of a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PullNumber(pub u64);

/// The number of a build within its pull request or branch; the first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildNumber(pub u64);

/// A job of a component, written `component:job`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId {
    /// The component that defines the job.
    pub component: ComponentName,
    /// The job within it.
    pub job: JobName,
}

impl CommitSha {
    /// The number of digits that people are shown.
    pub const SHORT: usize = 12;

    /// The first digits, enough for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..Self::SHORT]
    }
}

impl ComponentName {
    /// The name of the component whose folder is the root of the repository.
    pub const ROOT: &str = "root";

    /// The component of the repository's root folder.
    #[must_use]
    pub fn root() -> Self {
        Self(Self::ROOT.into())
    }

    /// Names the component whose folder is `folder`, a path from the root; empty for the root itself.
    ///
    /// # Errors
    /// A folder that is called `root` or `mergeable`, or whose path has a character that is not
    /// allowed, cannot be a component.
    pub fn from_folder(folder: &str) -> Result<Self, InvalidId> {
        match folder {
            "" => Ok(Self::root()),
            Self::ROOT => Err(InvalidId {
                kind: "component",
                text: folder.to_owned(),
                expected: "a folder that is not called 'root', which names the repository's own",
            }),
            _ if is_umbrella(folder) => Err(InvalidId {
                kind: "component",
                text: folder.to_owned(),
                expected: "a folder that is not called 'mergeable', like the umbrella status",
            }),
            _ => Self::new(folder),
        }
    }

    /// The component's folder as a path from the root of the repository; empty for the root.
    #[must_use]
    pub fn folder(&self) -> &str {
        if *self.0 == *Self::ROOT { "" } else { &self.0 }
    }
}

impl JobName {
    /// The job that other jobs of a component need unless they say otherwise.
    pub const COMPILE: &str = "compile";

    /// Whether this is the component's `compile` job.
    #[must_use]
    pub fn is_compile(&self) -> bool {
        *self.0 == *Self::COMPILE
    }
}

impl fmt::Display for PullNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for BuildNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.component, self.job)
    }
}

impl FromStr for JobId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (component, job) = text.rsplit_once(':').ok_or_else(|| InvalidId {
            kind: "job",
            text: text.to_owned(),
            expected: "<component>:<job>",
        })?;
        Ok(Self { component: component.parse()?, job: job.parse()? })
    }
}

fn is_repo_name(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part.len() <= 100
            && part != "."
            && part != ".."
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    text.split_once('/').is_some_and(|(owner, name)| part(owner) && part(name))
}

/// The rules of git-check-ref-format(1) that can matter below `refs/heads/`.
fn is_branch_name(text: &str) -> bool {
    let part_is_valid =
        |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    !text.ends_with('.')
        && text.len() <= 1024
        && !text.contains("..")
        && !text.contains("@{")
        && text != "@"
        && text.split('/').all(part_is_valid)
        && !text.chars().any(|c| c.is_ascii_control() || " ~^:?*[\\".contains(c))
}

fn is_component_name(text: &str) -> bool {
    !is_umbrella(text)
        && !text.is_empty()
        && text.len() <= MAX_COMPONENT_NAME
        && text.split('/').all(|part| !matches!(part, "" | "." | ".."))
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b'-'))
}

/// Whether a component of that name would have the umbrella's status: the forge does not look at case.
fn is_umbrella(text: &str) -> bool {
    text.eq_ignore_ascii_case("mergeable")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branch_names_are_gits() {
        for valid in ["main", "release/1.2", "--upload-pack=x", "a'b\"c", "🚀", "x@y"] {
            assert!(BranchName::new(valid).is_ok(), "{valid}");
        }
        for invalid in
            ["", "a..b", "a b", "x.lock", "a//b", "/a", "a/", ".a", "@", "a\nb", "a:b", "x."]
        {
            assert!(BranchName::new(invalid).is_err(), "{invalid:?}");
        }
    }

    #[test]
    fn component_names_are_paths() {
        for valid in ["air", "libs/common", "A.b-c_d"] {
            assert!(ComponentName::from_folder(valid).is_ok(), "{valid}");
        }
        for invalid in ["mergeable", "Mergeable", "root", "a//b", "../x", "a b", "ä", "/a"] {
            assert!(ComponentName::from_folder(invalid).is_err(), "{invalid:?}");
        }
        assert_eq!(ComponentName::from_folder("").unwrap().folder(), "");
    }

    #[test]
    fn a_folder_called_like_the_umbrella_is_told_so_in_one_status() {
        let error = ComponentName::from_folder("mergeable").unwrap_err().to_string();
        assert!(error.ends_with("like the umbrella status"), "{error}");
        let finding = format!("mergeable/ci.yaml:1: {error}");
        assert_eq!(crate::wording::cut(&finding), finding);
    }

    #[test]
    fn a_job_id_reads_what_it_writes() {
        let id: JobId = "libs/common:test".parse().unwrap();
        assert_eq!((id.component.as_str(), id.job.as_str()), ("libs/common", "test"));
        assert_eq!(id.to_string(), "libs/common:test");
        assert!("test".parse::<JobId>().is_err());
    }
}
