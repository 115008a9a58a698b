//! What a node has for each of its repositories; clones are the same directory.
//!
//! It is written where a node is described and where its configuration is taken anew, and read by actors
//! that started before a repository came.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ci_domain::ids::RepoName;

/// Something for each repository.
pub(crate) struct Directory<T>(Arc<RwLock<BTreeMap<RepoName, T>>>);

impl<T: Clone> Directory<T> {
    pub(crate) fn get(&self, repo: &RepoName) -> Option<T> {
        self.read().get(repo).cloned()
    }

    /// The repositories, in order.
    pub(crate) fn names(&self) -> Vec<RepoName> {
        self.read().keys().cloned().collect()
    }

    /// What there is of all, in the order of the repositories.
    pub(crate) fn all(&self) -> Vec<T> {
        self.read().values().cloned().collect()
    }

    /// Replaces what there was; answers with that.
    pub(crate) fn put(&self, repo: RepoName, what: T) -> Option<T> {
        self.write().insert(repo, what)
    }

    pub(crate) fn remove(&self, repo: &RepoName) {
        self.write().remove(repo);
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<RepoName, T>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<RepoName, T>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Directory<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Directory<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}
