//! Removing workspaces when all of them together take too much of the disk: first those of what is gone,
//! then those that were not used for longest, and never one that somebody is at.

use std::time::SystemTime;

use ci_domain::may_run::Disk;
use ci_domain::subject::Subject;
use ci_git::Workspace;
use heights::Fault;
use tracing::{info, warn};

use crate::repo::RepoHandle;
use crate::retention::RetentionArgs;

/// A workspace, and what speaks for keeping it.
struct Kept<'a> {
    repo: &'a RepoHandle,
    workspace: Workspace,
    bytes: u64,
    worth: Worth,
}

/// The least is removed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Worth {
    is_wanted: bool,
    last_used: Option<SystemTime>,
}

/// Removes workspaces until the rest takes no more than it may, and until there is room for jobs.
pub(super) async fn keep_within_budget(args: &RetentionArgs) -> Result<(), Fault> {
    let (mut all, repos) = (Vec::new(), args.repos.all());
    for repo in &repos {
        all.append(&mut look(repo).await?);
    }
    let mut taken: u64 = all.iter().map(|kept| kept.bytes).sum();
    all.sort_by_key(|kept| kept.worth);
    for kept in &all {
        let is_over = taken > args.keep.workspaces;
        if !is_over && kept.repo.elders.disk() == Disk::Ok {
            break;
        }
        let (repo, subject) = (&kept.repo.elders.repo, kept.workspace.subject());
        match remove(kept).await {
            Ok(true) => {
                taken = taken.saturating_sub(kept.bytes);
                info!(%repo, %subject, bytes = kept.bytes, is_over, "removed a workspace: no room");
            }
            Ok(false) => {}
            Err(error) => warn!(%repo, %subject, %error, "failed to remove a workspace"),
        }
    }
    Ok(())
}

/// The workspaces of a repository.
async fn look(repo: &RepoHandle) -> Result<Vec<Kept<'_>>, Fault> {
    let view = repo.watcher.view().await?;
    let mut all = Vec::new();
    for workspace in repo.elders.workspaces.all().list().await? {
        let is_wanted = match workspace.subject() {
            Subject::Pull(number) => view.open.contains(number),
            Subject::Branch(name) => view.branches.contains(name),
        };
        let worth = Worth { is_wanted, last_used: workspace.last_used() };
        let bytes = workspace.size().await?;
        all.push(Kept { repo, workspace, bytes, worth });
    }
    Ok(all)
}

/// Removes a workspace; answers whether nobody was in the way.
async fn remove(kept: &Kept<'_>) -> Result<bool, Fault> {
    // In this order: a build that begins from now on waits for us, and then makes the workspace anew.
    let Some(_alone) = kept.workspace.try_have_alone()? else { return Ok(false) };
    if is_building(kept.repo, kept.workspace.subject()).await? {
        return Ok(false);
    }
    kept.workspace.remove().await?;
    Ok(true)
}

/// Whether a build is under way, whose jobs may all be waiting.
async fn is_building(repo: &RepoHandle, subject: &Subject) -> Result<bool, Fault> {
    Ok(match subject {
        Subject::Pull(number) => match repo.pulls.lookup(number) {
            Some(pull) => pull.view().await?.build.is_some(),
            None => false,
        },
        Subject::Branch(name) => match repo.branches.lookup(name) {
            Some(branch) => branch.view().await?.build.is_some(),
            None => false,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_gone_goes_first_and_then_what_was_not_used_for_longest() {
        let worth = |is_wanted, seconds: Option<u64>| Worth {
            is_wanted,
            last_used: seconds.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)),
        };
        let expected = [
            worth(false, None),
            worth(false, Some(9)),
            worth(true, None),
            worth(true, Some(1)),
            worth(true, Some(2)),
        ];
        let mut sorted = expected;
        sorted.reverse();
        sorted.sort();
        assert_eq!(sorted, expected);
    }
}
