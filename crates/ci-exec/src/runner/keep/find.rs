//! Which files of a workspace are claimed by patterns.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;

use ci_domain::paths::PathPatterns;
use rustix::fs::{AtFlags, Dir, FileType, statat};
use tokio::task::yield_now;

use super::beneath;
use crate::kept::Note;

/// More than this is not looked at: a pattern that begins at the root of a large tree costs minutes.
const MAX_ENTRIES: usize = 200_000;
/// More files than this are not even counted.
const MAX_FOUND: usize = 10_000;
/// Folders below this are not entered.
const MAX_DEPTH: usize = 64;

/// What was found.
pub(super) struct Found {
    /// From the root of the workspace, in order.
    pub(super) paths: Vec<String>,
    pub(super) notes: Vec<Note>,
}

struct Search<'a> {
    root: &'a OwnedFd,
    patterns: &'a PathPatterns,
    /// Folders that have not been looked into.
    waiting: Vec<String>,
    entries: usize,
    used: BTreeSet<String>,
    found: Found,
}

/// Looks for all files that `patterns` claim; others get a turn after each folder.
pub(super) async fn find(root: &OwnedFd, patterns: &PathPatterns) -> Found {
    let waiting = patterns.folders().into_iter().map(str::to_owned).collect();
    let found = Found { paths: Vec::new(), notes: Vec::new() };
    let mut search = Search { root, patterns, waiting, entries: 0, used: BTreeSet::new(), found };
    while let Some(folder) = search.waiting.pop() {
        search.look_into(&folder);
        if search.entries > MAX_ENTRIES || search.found.paths.len() > MAX_FOUND {
            let why = format!("are not looked at: more than {MAX_ENTRIES} files are in the way");
            search.note("further folders", &why);
            break;
        }
        yield_now().await;
    }
    search.end()
}

impl Search<'_> {
    fn look_into(&mut self, folder: &str) {
        let opened = beneath::folder(self.root, folder).and_then(|open| {
            let entries = Dir::read_from(&open)?;
            Ok((open, entries))
        });
        let (open, entries) = match opened {
            Ok(opened) => opened,
            // What is not there is told by the pattern that finds nothing.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => return self.note(folder, &format!("cannot be looked into: {error}")),
        };
        for entry in entries {
            let Ok(entry) = entry else {
                return self.note(folder, "cannot be read to its end");
            };
            let Ok(name) = entry.file_name().to_str() else {
                self.note(&entry.file_name().to_string_lossy(), "has a name that is no UTF-8");
                continue;
            };
            if matches!(name, "." | ".." | ".git") {
                continue;
            }
            self.entries += 1;
            let kind = match entry.file_type() {
                FileType::Unknown => {
                    let stat = statat(&open, name, AtFlags::SYMLINK_NOFOLLOW);
                    stat.map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode))
                }
                kind => kind,
            };
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            self.take(path, kind);
        }
    }

    fn take(&mut self, path: String, kind: FileType) {
        let claim = self.patterns.claim(&path).map(str::to_owned);
        match (kind, claim) {
            (FileType::Directory, claim) => {
                if let Some(claim) = claim.filter(|claim| is_literal(claim)) {
                    self.used.insert(claim);
                    self.note(&path, "is a folder: a / at the end stands for all that is in it");
                }
                if path.split('/').count() < MAX_DEPTH {
                    self.waiting.push(path);
                }
            }
            (_, None) => {}
            (_, Some(claim)) if path.chars().any(char::is_control) => {
                self.used.insert(claim);
                self.note(&path.escape_debug().to_string(), "has a name that cannot be printed");
            }
            (FileType::RegularFile, Some(claim)) => {
                self.used.insert(claim);
                self.found.paths.push(path);
            }
            (kind, Some(claim)) => {
                self.used.insert(claim);
                let what = if kind == FileType::Symlink { "a symbolic link" } else { "no file" };
                self.note(&path, &format!("was not kept: it is {what}"));
            }
        }
    }

    fn note(&mut self, what: &str, why: &str) {
        self.found.notes.push(Note::new(what, why));
    }

    fn end(mut self) -> Found {
        for pattern in self.patterns.claiming() {
            if !self.used.contains(pattern) {
                self.found.notes.push(Note::new(pattern, "matches no file"));
            }
        }
        self.found.paths.sort();
        self.found
    }
}

/// Whether the pattern stands for nothing but the path that it is.
fn is_literal(pattern: &str) -> bool {
    !pattern.contains(['*', '?', '[', '{']) && !pattern.ends_with('/')
}
