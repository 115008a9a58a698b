//! Removes what is left of pull requests and branches that are gone, and logs that are older than people
//! want; packs the logs of what has ended.
//!
//! Parent: `repo`. Children: none. Restart: permanent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ci_domain::ids::{AttemptId, PullNumber};
use ci_exec::{OpenError, Packing, RunDir};
use ci_git::Subject;
use heights::{ChildSpec, Context, Fault, Flow, Server, Shutdown};
use tracing::{info, warn};

use crate::elders::Elders;
use crate::runs::Runs;
use crate::watcher::WatcherHandle;

/// The first round waits until the watcher has started a pull request's actor for all that are open.
const FIRST_ROUND: Duration = Duration::from_secs(600);
/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(3600);
/// How often it packs logs: what has just ended is read most.
const PACK_INTERVAL: Duration = Duration::from_secs(300);

/// What a janitor is started with.
#[derive(Clone)]
pub(crate) struct JanitorArgs {
    pub(crate) elders: Arc<Elders>,
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

struct Janitor {
    args: JanitorArgs,
    /// The attempts whose logs need no packing any more.
    packed: BTreeSet<AttemptId>,
}

enum Msg {
    Clean,
    Pack,
}

impl Server for Janitor {
    type Args = JanitorArgs;
    type Msg = Msg;

    async fn init(args: JanitorArgs, cx: &mut Context<Msg>) -> Result<Self, Fault> {
        let _timer = cx.send_after(FIRST_ROUND, Msg::Clean);
        let _timer = cx.send_after(PACK_INTERVAL, Msg::Pack);
        Ok(Self { args, packed: BTreeSet::new() })
    }

    async fn handle(&mut self, msg: Msg, cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Clean => {
                self.clean().await;
                let _timer = cx.send_after(INTERVAL, Msg::Clean);
            }
            Msg::Pack => {
                if let Err(error) = self.pack().await {
                    warn!(repo = %self.args.elders.repo, %error, "failed to pack logs");
                }
                let _timer = cx.send_after(PACK_INTERVAL, Msg::Pack);
            }
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Clean => "clean",
            Msg::Pack => "pack",
        }
    }
}

impl Janitor {
    async fn clean(&self) {
        // What cannot be removed now is tried again in the next round.
        if let Err(error) = self.remove_workspaces().await {
            warn!(repo = %self.args.elders.repo, %error, "failed to remove workspaces");
        }
        if let Err(error) = self.maintain_mirror().await {
            warn!(repo = %self.args.elders.repo, %error, "failed to maintain the mirror");
        }
        if let Err(error) = self.remove_logs().await {
            warn!(repo = %self.args.elders.repo, %error, "failed to remove old logs");
        }
    }

    /// Packs the logs of this repository's runs that are over and have not been packed.
    async fn pack(&mut self) -> Result<(), Fault> {
        let (runs, prefix) = (self.args.elders.runs.clone(), format!("{}-", self.args.elders.slug));
        let packed = self.packed.clone();
        let pack = move || -> std::io::Result<BTreeSet<AttemptId>> {
            let mut attempts: BTreeSet<_> = runs.attempts()?.into_iter().collect();
            attempts.retain(|attempt| {
                let is_ours = attempt.as_str().starts_with(&prefix);
                is_ours && (packed.contains(attempt) || is_packed(&runs, attempt))
            });
            Ok(attempts)
        };
        self.packed = tokio::task::spawn_blocking(pack).await??;
        Ok(())
    }

    async fn remove_workspaces(&self) -> Result<(), Fault> {
        let view = self.args.watcher.view().await?;
        let open: BTreeSet<PullNumber> = view.open.into_iter().collect();
        for workspace in self.args.elders.workspaces.all().list().await? {
            let is_left = match workspace.subject() {
                Subject::Pull(number) => !open.contains(number),
                Subject::Branch(name) => !view.branches.contains(name),
            };
            if is_left {
                // Whoever is there still is somebody's shell, or a job that ends soon.
                let Some(_alone) = workspace.try_have_alone()? else { continue };
                info!(repo = %self.args.elders.repo, subject = %workspace.subject(), "removed a workspace");
                workspace.remove().await?;
            }
        }
        Ok(self.args.elders.workspaces.all().empty_trash().await?)
    }

    /// Every fetch leaves a small pack behind.
    async fn maintain_mirror(&self) -> Result<(), Fault> {
        Ok(self.args.elders.mirror.git()?.maintain().await?)
    }

    /// Removes the run directories that ended long ago, those of other repositories and of an earlier
    /// place of the node's data too: they are all kept equally long.
    async fn remove_logs(&self) -> Result<(), Fault> {
        let runs = self.args.elders.runs.clone();
        let (now, keep) = ((self.args.now)(), self.args.keep_logs);
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
            info!(repo = %self.args.elders.repo, removed, "removed old logs");
        }
        Ok(())
    }
}

/// Packs the logs of a run; whether there is nothing left to pack.
fn is_packed(runs: &Runs, attempt: &AttemptId) -> bool {
    match RunDir::open(runs.path(attempt)).and_then(|dir| dir.pack_logs()) {
        Ok(packing) => packing == Packing::Done,
        // The attempt is being made, or was removed.
        Err(OpenError::Missing(_)) => false,
        Err(error) => {
            warn!(%attempt, %error, "failed to pack logs");
            false
        }
    }
}
