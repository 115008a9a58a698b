//! Heads of the merge queue: what each is compared with, and whose code it holds.

use ci_domain::ids::{BranchName, RepoName};
use ci_domain::may_run::Head;
use ci_domain::merge_queue::{QueueHead, Queued};

use crate::watcher::Watcher;
use crate::watcher::known::Known;

/// GitHub merges no more than this at once.
const LONGEST: usize = 100;

impl Watcher {
    /// What is known of a head of the merge queue.
    pub(super) fn queued(&self, head: QueueHead) -> Queued {
        let base = self.known.tip(&head.base);
        let head = match is_own(&self.known, &self.args.elders.repo, head) {
            true => Head::Own,
            false => Head::ForkApproved,
        };
        Queued { base, head }
    }
}

/// Whether every pull request between the tip of the base and a head is known, and from the repository itself.
fn is_own(known: &Known, repo: &RepoName, mut head: QueueHead) -> bool {
    for _ in 0..LONGEST {
        if known.facts(head.pull).is_none_or(|facts| facts.from_fork(repo)) {
            return false;
        }
        if known.tip(&head.base).is_some_and(|tip| tip == head.after) {
            return true;
        }
        let is_before = |earlier: &QueueHead, name: &BranchName| {
            earlier.base == head.base && known.tip(name).is_some_and(|tip| tip == head.after)
        };
        let mut queued = known.branches().filter_map(|name| Some((QueueHead::of(name)?, name)));
        let Some((earlier, _)) = queued.find(|(earlier, name)| is_before(earlier, name)) else {
            return false;
        };
        head = earlier;
    }
    false
}

#[cfg(test)]
mod tests;
