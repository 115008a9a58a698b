//! Which paths differ: from `git diff` with names and states, or between two listed trees.

use std::cmp::Ordering;

use crate::command::CommandError;
use crate::tree::{RepoPath, TreeEntry};

/// A path that differs. A rename is two changes: one path deleted, another added.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The path.
    pub path: RepoPath,
    /// How it differs.
    pub kind: ChangeKind,
}

/// How a path differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It was not there before.
    Added,
    /// Its content, permissions or type changed.
    Modified,
    /// It is no longer there.
    Deleted,
}

/// Options that make every diff speak [`parse`]'s language, whatever the configuration says.
pub(crate) const NAMES_AND_STATES: [&str; 4] =
    ["--name-status", "-z", "--no-renames", "--no-ext-diff"];

/// Compares two listings that are ordered by path.
pub(crate) fn between(old: &[TreeEntry], new: &[TreeEntry]) -> Vec<Change> {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    let mut changes = Vec::new();
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return changes,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.path.cmp(&new.path),
        };
        let before = old.next_if(|_| order.is_le());
        let after = new.next_if(|_| order.is_ge());
        let (entry, kind) = match (before, after) {
            (Some(before), None) => (before, ChangeKind::Deleted),
            (None, Some(after)) => (after, ChangeKind::Added),
            (Some(before), Some(after)) if before != after => (after, ChangeKind::Modified),
            _ => continue,
        };
        changes.push(Change { path: entry.path.clone(), kind });
    }
}

/// Reads `<state> NUL <path> NUL`, repeated.
pub(crate) fn parse(command: &str, output: &[u8]) -> Result<Vec<Change>, CommandError> {
    let mut fields = output.split(|byte| *byte == 0);
    let mut changes = Vec::new();
    while let Some(state) = fields.next().filter(|state| !state.is_empty()) {
        let kind = match state {
            b"A" => ChangeKind::Added,
            b"D" => ChangeKind::Deleted,
            // Modified, another type, or unmerged in a working copy.
            b"M" | b"T" | b"U" => ChangeKind::Modified,
            _ => return Err(CommandError::unexpected(command, state)),
        };
        let path = fields.next().filter(|path| !path.is_empty());
        let path = path.ok_or_else(|| CommandError::unexpected(command, state))?;
        changes.push(Change { path: RepoPath::from_bytes(path), kind });
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_paths_are_read() {
        let check = |output: &[u8], expected: &[(ChangeKind, &str)]| {
            let changes = parse("git diff", output).unwrap();
            let found: Vec<_> =
                changes.iter().map(|change| (change.kind, change.path.as_str())).collect();
            assert_eq!(found, expected);
        };
        check(b"", &[]);
        check(b"A\0a b\0", &[(ChangeKind::Added, "a b")]);
        check(
            b"D\0old\0A\0new\nline\0T\0link\0U\0both\0",
            &[
                (ChangeKind::Deleted, "old"),
                (ChangeKind::Added, "new\nline"),
                (ChangeKind::Modified, "link"),
                (ChangeKind::Modified, "both"),
            ],
        );
        check(b"M\0A\0", &[(ChangeKind::Modified, "A")]);
    }

    #[test]
    fn what_is_no_change_is_refused() {
        for output in [b"R100\0a\0b\0".as_slice(), b"M\0", b"M"] {
            assert!(parse("git diff", output).is_err(), "{output:?}");
        }
    }
}
