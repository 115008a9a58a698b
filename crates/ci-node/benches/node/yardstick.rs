//! What git alone takes to bring a new head into a workspace: the calls that the node makes, in the same
//! order, on a mirror of its own.

use std::time::{Duration, Instant};

use ci_config::is_component_file;
use ci_domain::ids::{CommitSha, PullNumber};
use ci_git::{
    Git, Merge, MergeError, MergeRequest, Mirror, MirrorConfig, Subject, Wanted, Workspaces,
};

use crate::figures::Times;
use crate::monorepo::COMPONENTS;
use crate::world::{World, branch};

const LIMIT: Duration = Duration::from_secs(60);

/// A mirror and workspaces beside those of the node.
pub struct Yardstick {
    mirror: Mirror,
    workspaces: Workspaces,
    base: CommitSha,
    fetch: Times,
    merge: Times,
    read: Times,
    update: Times,
    pub whole: Times,
}

impl Yardstick {
    /// Clones the repository of a world.
    pub async fn new(world: &World) -> Self {
        let git = Git::discover(None).await.unwrap();
        let folder = world.folder().join("yardstick");
        let workspaces = Workspaces::open(git.clone(), &folder.join("work"), LIMIT).unwrap();
        let (dir, url) =
            (folder.join("mirror.git"), format!("file://{}", world.git.path().display()));
        let config = MirrorConfig { git, dir, url, credential: None, timeout: LIMIT };
        let (mirror, _) = Mirror::open(config).await.unwrap();
        mirror.fetch().await.unwrap();
        let base = mirror.refs().await.unwrap().heads[&branch("main")].clone();
        let times = Times::default;
        let (fetch, merge, read) = (times(), times(), times());
        Self { mirror, workspaces, base, fetch, merge, read, update: times(), whole: times() }
    }

    /// Fetches the head of `pull`, merges it and updates the pull request's workspace.
    pub async fn take(&mut self, pull: PullNumber, head: &CommitSha) {
        let pin = Subject::Pull(pull);
        let request = MergeRequest { base: &self.base, head, pin: &pin };
        let begin = Instant::now();
        self.mirror.fetch_some(&[Wanted::Pull(pull)]).await.unwrap();
        let fetched = Instant::now();
        let merge = match self.mirror.merge(request).await {
            Ok(Merge::Clean(merge)) => merge,
            Ok(Merge::Conflict { paths }) => panic!("a conflict in {paths:?}"),
            Err(MergeError::MissingCommit { commit }) => panic!("{commit} is missing"),
            Err(MergeError::Git(error)) => panic!("{error}"),
        };
        let merged = Instant::now();
        let changes = merge.files.changes_from(&self.mirror.tree(&self.base).await.unwrap());
        let files = self.mirror.read_files(&merge.files, is_component_file, 1 << 18).await;
        assert_eq!((changes.len(), files.unwrap().len()), (1, COMPONENTS));
        let read = Instant::now();
        self.workspaces.workspace(&pin).update(&self.mirror, &merge.files).await.unwrap();
        let updated = Instant::now();
        self.fetch.add(fetched - begin);
        self.merge.add(merged - fetched);
        self.read.add(read - merged);
        self.update.add(updated - read);
        self.whole.add(updated - begin);
    }

    /// Prints the time of git as a whole and of each step.
    pub fn print(&self) {
        self.whole.print("git alone", None);
        self.fetch.print("  fetch", None);
        self.merge.print("  merge, list", None);
        self.read.print("  compare, read", None);
        self.update.print("  workspace", None);
    }
}
