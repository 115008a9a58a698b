//! The listings that were used last: a merge is listed when it is made, compared with its base, and
//! listed again for its workspace.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ci_domain::ids::CommitSha;

use crate::tree::Tree;

/// Enough for the bases, and for as many merges at once as mostly wait for their workspace.
const MOST_LISTINGS: usize = 8;
/// A file takes some 200 bytes. Where one listing alone is longer, it is kept and no other.
const MOST_FILES: usize = 100_000;

/// Listings by their commit, which never change; clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Listings(Arc<Mutex<VecDeque<Tree>>>);

impl Listings {
    /// The files of `commit`, if they were asked for lately.
    pub(super) fn get(&self, commit: &CommitSha) -> Option<Tree> {
        let mut listings = self.lock();
        let index = listings.iter().position(|tree| tree.commit() == commit)?;
        let tree = listings.remove(index)?;
        listings.push_back(tree.clone());
        Some(tree)
    }

    /// Keeps `tree`, and forgets what was not asked for the longest.
    pub(super) fn keep(&self, tree: &Tree) {
        let mut listings = self.lock();
        listings.retain(|kept| kept.commit() != tree.commit());
        listings.push_back(tree.clone());
        let mut files: usize = listings.iter().map(|kept| kept.entries().len()).sum();
        while listings.len() > MOST_LISTINGS || (files > MOST_FILES && listings.len() > 1) {
            files -= listings.pop_front().map_or(0, |kept| kept.entries().len());
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Tree>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{EntryKind, Listing, ObjectId, RepoPath, TreeEntry};

    #[test]
    fn those_used_last_are_kept() {
        let listings = Listings::default();
        let tree = |number, files| tree(&commit(number), files);
        for number in 0..MOST_LISTINGS {
            listings.keep(&tree(number, 1));
        }
        assert!(listings.get(&commit(0)).is_some());
        listings.keep(&tree(100, 1));
        assert!(listings.get(&commit(0)).is_some());
        assert!(listings.get(&commit(1)).is_none());
        listings.keep(&tree(101, MOST_FILES + 1));
        assert!(listings.get(&commit(101)).is_some());
        assert!(listings.get(&commit(0)).is_none());
        listings.keep(&tree(102, 1));
        assert!(listings.get(&commit(101)).is_none());
        assert!(listings.get(&commit(102)).is_some());
    }

    fn tree(commit: &CommitSha, files: usize) -> Tree {
        let object = ObjectId::parse(commit.as_str()).unwrap();
        let entry = |number: usize| TreeEntry {
            path: RepoPath::from_bytes(format!("{number:06}").as_bytes()),
            kind: EntryKind::Regular,
            object: object.clone(),
        };
        Listing::new((0..files).map(entry).collect()).of(commit.clone())
    }

    fn commit(number: usize) -> CommitSha {
        CommitSha::new(format!("{number:040}")).unwrap()
    }
}
