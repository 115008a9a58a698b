//! What is said beside a verdict: what something waits for, what mends it, what a tree holds that jobs may miss.

use super::names;
use super::outside::{printable, quoted};
use crate::ids::JobId;

/// Why a pull request is isolated whose actors crash again and again, and how they did the last time: what
/// they said is from outside in part.
#[must_use]
pub fn actors_crashed_too_often(last: Option<&str>) -> String {
    let last = last.map(|last| format!(", at last: {}", first_line(last))).unwrap_or_default();
    format!("its actors crashed too often{last}")
}

/// Why a pull request is isolated with which its actors cannot begin.
#[must_use]
pub fn actors_do_not_start(cause: &str) -> String {
    format!("its actors do not start: {}", first_line(cause))
}

/// What is said of a job that waits in a queue, of which so many others go first at most.
#[must_use]
pub fn ahead_in_line(others: usize) -> String {
    match others {
        0 => "the next in turn".to_owned(),
        1 => "at most one other goes first".to_owned(),
        others => format!(
            "at most {others} others go first, each author in turn and each of an author's pull requests"
        ),
    }
}

/// What is said of a job that waits in a queue, and why where that is known.
#[must_use]
pub fn waits(job: &str, queue: &str, reason: Option<&str>) -> String {
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{job} waits in the queue {queue}{reason}")
}

/// The findings that are not told already as what meets a condition: what keeps a pull request from being
/// planned is.
pub fn untold<'a>(
    findings: &'a [String],
    met_by: &'a [&'a str],
) -> impl Iterator<Item = &'a String> {
    findings.iter().filter(|finding| !met_by.iter().any(|told| told.contains(finding.as_str())))
}

/// `needs a:x, b:y`, which did not pass.
#[must_use]
pub fn needs(jobs: &[&JobId]) -> String {
    format!("needs {}", names(jobs))
}

/// The commit that can mend a finding: the policy holds as it is at the tip of the default branch.
#[must_use]
pub fn who_mends(finding: &str) -> &'static str {
    if finding.starts_with("ci-policy.yaml:") {
        "a commit on the default branch"
    } else {
        "a new head"
    }
}

/// What meets that head and base conflict in these paths.
#[must_use]
pub fn mend_conflicts(paths: &[String]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| quoted(path)).collect();
    format!("a new head that merges, see {}", paths.join(", "))
}

/// What is said of a submodule at `path`, which is not fetched.
#[must_use]
pub fn submodule_hint(path: &str) -> String {
    format!(
        "{path}: a submodule, which is an empty folder to jobs: this version fetches none; a command can, \
         by `git submodule update --init`"
    )
}

/// What is said of the file of attributes that keeps files in Git LFS, by its first such line.
#[must_use]
pub fn lfs_hint(file: &str, line: usize) -> String {
    format!(
        "{file}:{line}: files in Git LFS, of which jobs have the pointers: this version does not fetch their \
         contents"
    )
}

/// What is said of a file in Git LFS that no file of attributes speaks of.
#[must_use]
pub fn lfs_pointer_hint(path: &str) -> String {
    format!("{path}: the pointer to a file in Git LFS, whose content this version does not fetch")
}

/// What is said of a change of the policy: what it would make different, or why it would be refused.
#[must_use]
pub fn proposed_policy(differences: &Result<Vec<String>, Vec<String>>) -> String {
    let then = match differences {
        Ok(differences) if differences.is_empty() => "then it says the same as now".to_owned(),
        Ok(differences) => format!("then it says\n  {}", differences.join("\n  ")),
        Err(findings) => format!("there it would be refused:\n  {}", findings.join("\n  ")),
    };
    format!("ci-policy.yaml: this change has no effect before it is on the default branch; {then}")
}

/// What is said in the place of `count` more hints.
#[must_use]
pub fn more_hints(count: usize) -> String {
    format!("and {count} more")
}

/// The first line of a text from outside.
fn first_line(text: &str) -> String {
    quoted(&printable(text.lines().next().unwrap_or_default()))
}
