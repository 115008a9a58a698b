//! A whole repository, read again only when GitHub says that something has changed.
//!
//! A poll begins with two reads that cost nothing where nothing has changed: the pull requests that
//! changed last, and the branches. What was read before is then used again, within limits: GitHub's
//! parts do not all know of a change at the same moment, and a review may be dismissed, or its author
//! lose write access, without a sign of it there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ci_domain::forge::RepoSnapshot;
use ci_domain::ids::RepoName;

use super::GitHub;
use super::conditional::Purpose;
use crate::forge::ForgeError;

/// How often in a row a snapshot is used again.
const MOST_USES: u32 = 4;
/// How many of the pull requests that changed last are looked at: changes within one second can hide
/// behind each other at the top.
const LOOKED_AT: &str = "10";

/// The last snapshot of each repository.
#[derive(Debug, Default)]
pub(super) struct Snapshots(Mutex<HashMap<RepoName, Kept>>);

#[derive(Debug)]
struct Kept {
    snapshot: Arc<RepoSnapshot>,
    /// Whether it was read a whole poll after the last change.
    is_settled: bool,
    uses: u32,
}

impl Snapshots {
    /// The last snapshot, if it may be used again.
    fn again(&self, repo: &RepoName, has_changed: bool) -> Option<Arc<RepoSnapshot>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all.get_mut(repo)?;
        if has_changed || !kept.is_settled || kept.uses == MOST_USES {
            return None;
        }
        kept.uses += 1;
        Some(kept.snapshot.clone())
    }

    fn forget(&self, repo: &RepoName) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(repo);
    }

    fn keep(&self, repo: &RepoName, has_changed: bool, snapshot: RepoSnapshot) {
        let kept = Kept { snapshot: Arc::new(snapshot), is_settled: !has_changed, uses: 0 };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(repo.clone(), kept);
    }
}

impl GitHub {
    pub(super) async fn read_snapshot(&self, repo: &RepoName) -> Result<RepoSnapshot, ForgeError> {
        let has_changed = self.may_have_changed(repo).await?;
        if let Some(snapshot) = self.snapshots.again(repo, has_changed) {
            return Ok((*snapshot).clone());
        }
        let snapshot = self.read_whole(repo).await?;
        self.snapshots.keep(repo, has_changed, snapshot.clone());
        Ok(snapshot)
    }

    /// Asks both questions, so that the next answers are about this moment. Where one cannot be asked,
    /// it is taken for a change; whoever is told to wait, waits.
    async fn may_have_changed(&self, repo: &RepoName) -> Result<bool, ForgeError> {
        let mut pulls = self.repo_url(repo, &["pulls"]);
        pulls
            .query_pairs_mut()
            .append_pair("state", "all")
            .append_pair("sort", "updated")
            .append_pair("direction", "desc")
            .append_pair("per_page", LOOKED_AT);
        let heads = self.repo_url(repo, &["git", "matching-refs", "heads"]);
        let mut has_changed = false;
        for (purpose, url) in [(Purpose::Pulls, pulls), (Purpose::Branches, heads)] {
            match self.has_changed(repo, purpose, url).await {
                Ok(false) => {}
                // At once: GitHub says it only once, whatever comes of the reads that follow.
                Ok(true) => {
                    self.snapshots.forget(repo);
                    has_changed = true;
                }
                Err(error @ ForgeError::RateLimited { .. }) => return Err(error),
                Err(error) => {
                    tracing::debug!(%repo, ?purpose, %error, "failed to ask what has changed");
                    has_changed = true;
                }
            }
        }
        Ok(has_changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Polls a repository as these changes say, and tells which polls read it whole.
    fn whole_reads(changes: &[bool]) -> Vec<bool> {
        let (repo, snapshots) = (RepoName::new("acme/shop").unwrap(), Snapshots::default());
        let poll = |has_changed: &bool| {
            let is_whole = snapshots.again(&repo, *has_changed).is_none();
            if is_whole {
                let (pulls, branches, skipped) = (Vec::new(), Vec::new(), Vec::new());
                let empty = RepoSnapshot { pulls, branches, default_branch: None, skipped };
                snapshots.keep(&repo, *has_changed, empty);
            }
            is_whole
        };
        changes.iter().map(poll).collect()
    }

    #[test]
    fn a_change_is_read_twice_and_then_used_again_a_few_times() {
        let (yes, no) = (true, false);
        assert_eq!(
            whole_reads(&[yes, no, no, no, no, no, no, no]),
            [yes, yes, no, no, no, no, yes, no]
        );
        assert_eq!(whole_reads(&[yes, no, no, yes, no, no]), [yes, yes, no, yes, yes, no]);
        assert_eq!(whole_reads(&[yes, yes, yes]), [yes, yes, yes]);
    }
}
