//! Commands that people give by commenting on a pull request.

use crate::ids::{CommitSha, InvalidId, JobId};

/// What every command begins with.
const PREFIX: &str = "/ci";

/// A command: the first line of a newly created comment, `/ci …`.
///
/// ```text
/// /ci retry [JOB]      run again what failed, crashed or was cancelled
/// /ci force JOB|all    run even what passed or is not affected
/// /ci cancel           stop what runs
/// /ci run SHA          approve that head of a fork to run
/// /ci why              say what is missing
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssueCommand {
    /// Run again what failed, crashed or was cancelled: one job, or all of them.
    Retry(Option<JobId>),
    /// Run even what passed or is not affected.
    Force(ForceTarget),
    /// Stop what runs.
    Cancel,
    /// Approve a fork's head to run; it must be the head when the command is carried out.
    Run(ShaPrefix),
    /// Say why the pull request cannot be merged yet.
    Why,
}

/// What `/ci force` runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForceTarget {
    /// One job.
    Job(JobId),
    /// Every job.
    All,
}

/// The first digits of a commit, enough of them that nobody can make another that shares them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShaPrefix(String);

/// A comment that is meant as a command and is none. The text is the answer to its author.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// `/ci` with nothing or an unknown word behind it.
    #[error(
        "there is no command `{0}`; there are: retry [JOB], force JOB|all, cancel, run SHA, why"
    )]
    UnknownVerb(String),
    /// A word is missing or one too many.
    #[error("expected `{0}`")]
    Usage(&'static str),
    /// The job is not of the form `component:job`.
    #[error("a job is written `component:job`: {0}")]
    Job(InvalidId),
    /// The commit is too short or not a commit.
    #[error("a commit is written with at least 12 and at most 64 hexadecimal digits")]
    Sha,
}

impl IssueCommand {
    /// Reads the first line of a comment; `None` where the comment is no command at all.
    ///
    /// # Errors
    /// The comment begins with `/ci` and what follows cannot be understood.
    pub fn parse(body: &str) -> Option<Result<Self, CommandError>> {
        let mut words = body.lines().next()?.strip_prefix(PREFIX)?;
        if !words.is_empty() && !words.starts_with([' ', '\t']) {
            return None;
        }
        words = words.trim();
        let (verb, rest) = words.split_once([' ', '\t']).unwrap_or((words, ""));
        let arguments: Vec<&str> = rest.split_whitespace().collect();
        Some(Self::from_words(verb, &arguments))
    }

    fn from_words(verb: &str, arguments: &[&str]) -> Result<Self, CommandError> {
        match (verb, arguments) {
            ("retry", []) => Ok(Self::Retry(None)),
            ("retry", [name]) => Ok(Self::Retry(Some(job(name)?))),
            ("retry", _) => Err(CommandError::Usage("/ci retry [JOB]")),
            ("force", ["all"]) => Ok(Self::Force(ForceTarget::All)),
            ("force", [name]) => Ok(Self::Force(ForceTarget::Job(job(name)?))),
            ("force", _) => Err(CommandError::Usage("/ci force JOB|all")),
            ("cancel", []) => Ok(Self::Cancel),
            ("cancel", _) => Err(CommandError::Usage("/ci cancel")),
            ("run", [sha]) => ShaPrefix::new(sha).map(Self::Run),
            ("run", _) => Err(CommandError::Usage("/ci run SHA")),
            ("why", []) => Ok(Self::Why),
            ("why", _) => Err(CommandError::Usage("/ci why")),
            _ => Err(CommandError::UnknownVerb(harmless(verb))),
        }
    }
}

impl ShaPrefix {
    /// Fewer digits could be made to collide on purpose.
    const MIN_DIGITS: usize = 12;
    /// The length of a SHA-256 object name.
    const MAX_DIGITS: usize = 64;

    /// Checks the digits; upper case is accepted.
    ///
    /// # Errors
    /// There are fewer than 12 or more than 64 of them, or one is not hexadecimal.
    pub fn new(text: &str) -> Result<Self, CommandError> {
        let length_fits = (Self::MIN_DIGITS..=Self::MAX_DIGITS).contains(&text.len());
        if length_fits && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(CommandError::Sha)
        }
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `commit` is meant.
    #[must_use]
    pub fn matches(&self, commit: &CommitSha) -> bool {
        commit.as_str().starts_with(&self.0)
    }
}

/// What of an unknown word may be repeated in the answer: nothing that is markup or a mention.
fn harmless(word: &str) -> String {
    word.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect()
}

fn job(text: &str) -> Result<JobId, CommandError> {
    text.parse().map_err(CommandError::Job)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &str) {
        let said = match IssueCommand::parse(body) {
            None => "no command".to_owned(),
            Some(Ok(command)) => format!("{command:?}"),
            Some(Err(error)) => error.to_string(),
        };
        assert!(said.contains(expected), "{body:?}: {said}");
    }

    #[test]
    fn the_first_line_is_the_command() {
        check("/ci retry", "Retry(None)");
        check("/ci why\r\nand some words\n/ci cancel", "Why");
        check("/ci   cancel  ", "Cancel");
        check("/ci\tforce\tall", "Force(All)");
        let job = IssueCommand::parse("/ci force libs/common:test").unwrap().unwrap();
        let IssueCommand::Force(ForceTarget::Job(job)) = job else { panic!("{job:?}") };
        assert_eq!(job.to_string(), "libs/common:test");
    }

    #[test]
    fn other_comments_are_no_commands() {
        for body in [
            "",
            "LGTM",
            "please\n/ci retry",
            " /ci retry",
            "/cigar",
            "/ci-retry",
            "> /ci why",
            "/CI why",
        ] {
            check(body, "no command");
        }
    }

    #[test]
    fn a_command_that_is_not_understood_says_what_would_be() {
        check("/ci", "there is no command ``; there are: retry");
        check("/ci explode now", "there is no command `explode`");
        check("/ci `@acme/dev`", "there is no command `acmedev`");
        check("/ci retry a:b c:d", "expected `/ci retry [JOB]`");
        check("/ci force", "expected `/ci force JOB|all`");
        check("/ci retry test", "a job is written `component:job`");
        check("/ci run", "expected `/ci run SHA`");
        check("/ci why not", "expected `/ci why`");
    }

    #[test]
    fn a_head_is_approved_by_at_least_twelve_digits() {
        check("/ci run abc123", "at least 12");
        check("/ci run 0123456789ax", "at least 12");
        check(&format!("/ci run {}", "a".repeat(65)), "at most 64");
        let Some(Ok(IssueCommand::Run(prefix))) = IssueCommand::parse("/ci run ABCDEFabcdef")
        else {
            panic!("it is a command")
        };
        assert!(prefix.matches(&CommitSha::new(format!("abcdefabcdef{:028}", 0)).unwrap()));
        assert!(!prefix.matches(&CommitSha::new(format!("abcdefabcdee{:028}", 0)).unwrap()));
    }
}
