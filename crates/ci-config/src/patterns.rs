//! Lists of patterns: of paths, and of branches.

use ci_domain::ids::BranchName;
use ci_domain::paths::{InvalidPattern, PathPatterns};

use crate::diagnostic::Problems;
use crate::document::Value;
use crate::field::Field;

/// How a pattern is written.
const PATTERN_HINT: &str =
    "write a path with '/'; * stands for anything but '/', ** for any folders";
/// How branches are named.
const BRANCH_HINT: &str =
    "write it as git branch has it, such as main; * stands for anything but '/'";
/// Patterns of one list that are looked at one by one; a list of more is refused as a whole.
const MAX_ALONE: usize = 100;
/// A pattern that claims, for one that takes back to stand behind.
const EVERYTHING: &str = "**";

/// Reads a list of path patterns of `folder`.
pub(crate) fn read_patterns(
    folder: &str,
    field: &Field<'_>,
    problems: &mut Problems,
) -> Option<Vec<String>> {
    let items = field.one_or_many(problems)?;
    let texts: Vec<_> = items.iter().map(|item| item.unmistakable_text(problems)).collect();
    check(folder, field, &items, &texts, problems)
}

/// Reads a list of patterns of branches.
pub(crate) fn read_branches(field: &Field<'_>, problems: &mut Problems) -> Option<Vec<String>> {
    let items = field.one_or_many(problems)?;
    if items.is_empty() && matches!(field.node.value, Value::List(_)) {
        let hint = "name the default branch, or leave `branches` out";
        field.report("there is no branch in it", hint, problems);
    }
    let texts: Vec<_> = items.iter().map(|item| read_branch(item, problems)).collect();
    check("", field, &items, &texts, problems)
}

fn read_branch<'a>(item: &Field<'a>, problems: &mut Problems) -> Option<&'a str> {
    item.parsed(branch_pattern, BRANCH_HINT, problems)?;
    item.text(problems)
}

/// All that is wrong with the patterns that could be read; none of them where something is.
fn check(
    folder: &str,
    field: &Field<'_>,
    items: &[Field<'_>],
    texts: &[Option<&str>],
    problems: &mut Problems,
) -> Option<Vec<String>> {
    let all: Option<Vec<String>> = texts.iter().map(|text| text.map(str::to_owned)).collect();
    let found = all.as_ref().map(|all| PathPatterns::new(folder, all));
    if let Some(Ok(_)) = found {
        return all;
    }
    let before = problems.count();
    for (item, text) in items.iter().zip(texts).take(MAX_ALONE) {
        let alone = text.map(|text| [EVERYTHING.to_owned(), text.to_owned()]);
        if let Some(Err(error)) = alone.map(|alone| PathPatterns::new(folder, &alone)) {
            report(item, &error, problems);
        }
    }
    // Wrong is not one of them but how many there are, or how they go together.
    if let (Some(Err(error)), true) = (found, problems.count() == before) {
        report(items.get(error.position).unwrap_or(field), &error, problems);
    }
    None
}

fn report(item: &Field<'_>, error: &InvalidPattern, problems: &mut Problems) {
    item.report(&error.to_string(), PATTERN_HINT, problems);
}

/// Checks that a pattern could match a branch, by the name of one that it would match.
fn branch_pattern(text: &str) -> Result<(), String> {
    let pattern = text.strip_prefix('!').unwrap_or(text);
    if pattern.starts_with("refs/") {
        return Err(format!("{text:?} is the full name of a ref, not of a branch"));
    }
    let example = example(pattern.strip_suffix('/').unwrap_or(pattern));
    match BranchName::new(example) {
        Ok(_) if !pattern.starts_with('-') => Ok(()),
        _ => Err(format!("no branch can be called {text:?}")),
    }
}

/// A text that the pattern matches, but for what stands in `{}`.
fn example(pattern: &str) -> String {
    let mut example = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '*' | '?' => example.push('x'),
            '[' if letters.as_str().contains(']') => {
                letters.by_ref().find(|letter| *letter == ']');
                example.push('x');
            }
            letter => example.push(letter),
        }
    }
    example
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_of_branches_could_match_one() {
        for good in [
            "main",
            "release/*",
            "**",
            "release/**/fix",
            "v[0-9].?",
            "{main,next}",
            "!release/old",
            "1.0",
            "release/",
            "über",
        ] {
            assert_eq!(branch_pattern(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "rel ease",
            "a..b",
            "a~1",
            "a^",
            "a:b",
            "-x",
            "/main",
            "refs/heads/main",
            "x.lock",
            "*.lock",
            ".x",
            "x.",
            "a//b",
            "a\\b",
            "@{u}",
            "a\tb",
            "[a",
        ] {
            assert!(branch_pattern(bad).is_err(), "{bad}");
        }
    }
}
