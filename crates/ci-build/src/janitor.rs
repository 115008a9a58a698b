//! Removes what is left of pull requests and branches that are gone, and logs that are older than people want.
//!
//! Parent: `repo`. Children: none. Restart: permanent.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use ci_domain::ids::PullNumber;
use ci_git::Subject;
use heights::{ChildSpec, Context, Fault, Flow, Server, Shutdown};
use tracing::{info, warn};

use crate::elders::Elders;
use crate::watcher::WatcherHandle;

/// The first round waits until the watcher has started a pull request's actor for all that are open.
const FIRST_ROUND: Duration = Duration::from_secs(600);
/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(3600);

/// What a janitor is started with.
#[derive(Clone)]
pub(crate) struct JanitorArgs {
    pub(crate) elders: Elders,
    pub(crate) watcher: WatcherHandle,
    pub(crate) keep_logs: Duration,
    pub(crate) now: fn() -> SystemTime,
}

/// Describes a janitor as a child.
pub(crate) fn start(args: JanitorArgs) -> ChildSpec {
    let spec = ChildSpec::server::<Janitor>("janitor", move || args.clone()).0;
    // Packing a mirror takes long and can be broken off anywhere: no stop waits for it.
    spec.shutdown(Shutdown::Brutal)
}

struct Janitor(JanitorArgs);

struct Round;

impl Server for Janitor {
    type Args = JanitorArgs;
    type Msg = Round;

    async fn init(args: JanitorArgs, cx: &mut Context<Round>) -> Result<Self, Fault> {
        let _timer = cx.send_after(FIRST_ROUND, Round);
        Ok(Self(args))
    }

    async fn handle(&mut self, _round: Round, cx: &mut Context<Round>) -> Result<Flow, Fault> {
        // What cannot be removed now is tried again in the next round.
        if let Err(error) = self.remove_workspaces().await {
            warn!(repo = %self.0.elders.repo, %error, "failed to remove workspaces");
        }
        if let Err(error) = self.maintain_mirror().await {
            warn!(repo = %self.0.elders.repo, %error, "failed to maintain the mirror");
        }
        if let Err(error) = self.remove_logs().await {
            warn!(repo = %self.0.elders.repo, %error, "failed to remove old logs");
        }
        let _timer = cx.send_after(INTERVAL, Round);
        Ok(Flow::Continue)
    }

    fn label(_round: &Round) -> &'static str {
        "round"
    }
}

impl Janitor {
    async fn remove_workspaces(&self) -> Result<(), Fault> {
        let view = self.0.watcher.view().await?;
        let open: BTreeSet<PullNumber> = view.open.into_iter().collect();
        for workspace in self.0.elders.workspaces.all().list().await? {
            let is_left = match workspace.subject() {
                Subject::Pull(number) => !open.contains(number),
                Subject::Branch(name) => !view.branches.contains(name),
            };
            if is_left {
                info!(repo = %self.0.elders.repo, subject = %workspace.subject(), "removed a workspace");
                workspace.remove().await?;
            }
        }
        Ok(self.0.elders.workspaces.all().empty_trash().await?)
    }

    /// Every fetch leaves a small pack behind.
    async fn maintain_mirror(&self) -> Result<(), Fault> {
        Ok(self.0.elders.mirror.git()?.maintain().await?)
    }

    /// Removes the run directories that ended long ago, those of other repositories and of an earlier
    /// place of the node's data too: they are all kept equally long.
    async fn remove_logs(&self) -> Result<(), Fault> {
        let runs = self.0.elders.runs.clone();
        let (now, keep) = ((self.0.now)(), self.0.keep_logs);
        let remove = move || -> std::io::Result<usize> {
            let at_work = runs.at_work()?;
            let mut removed = 0;
            for attempt in runs.attempts()?.iter().filter(|attempt| !at_work.contains(attempt)) {
                let path = runs.path(attempt);
                let age =
                    now.duration_since(std::fs::metadata(&path)?.modified()?).unwrap_or_default();
                if age > keep {
                    std::fs::remove_dir_all(&path)?;
                    removed += 1;
                }
            }
            Ok(removed)
        };
        let removed = tokio::task::spawn_blocking(remove).await??;
        if removed > 0 {
            info!(repo = %self.0.elders.repo, removed, "removed old logs");
        }
        Ok(())
    }
}
