//! Keeps within bounds what the node has on the disk: workspaces and artifacts by their size, builds and
//! images by their age.
//!
//! Parent: `ci-node`. Children: none. Restart: permanent.
//!
//! Each repository's janitor removes what nobody needs any more; this is about what somebody might still
//! want, of all repositories together.

mod artifacts;
mod builds;
mod calendar;
mod engine;
mod workspaces;

use std::time::{Duration, SystemTime};

use heights::{ChildSpec, Context, Fault, Flow, Server, Shutdown};
use tracing::warn;

use crate::ledger::LedgerHandle;
use crate::repos::Repos;

/// The first round leaves the start to those who work.
const FIRST_ROUND: Duration = Duration::from_secs(5);
/// How often sizes of workspaces are added up. What nobody used since is not measured again.
const WORKSPACES: Duration = Duration::from_secs(120);
/// How often builds are counted. Their ages are counted in days.
const BUILDS: Duration = Duration::from_secs(6 * 3600);
/// How often sizes of artifacts are added up.
const ARTIFACTS: Duration = Duration::from_secs(600);
/// How often the engine of containers is tidied up.
const ENGINE: Duration = Duration::from_secs(3600);

/// How long, and how much, a node keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Run directories, with their logs.
    pub logs: Duration,
    /// What is on record of builds, and of pull requests that are closed.
    pub builds: Duration,
    /// Bytes of all workspaces together.
    pub workspaces: u64,
    /// Bytes of all files that jobs have left, together.
    pub artifacts: u64,
}

/// What the actor is started with.
#[derive(Clone)]
pub(crate) struct RetentionArgs {
    pub(crate) repos: Repos,
    pub(crate) ledger: LedgerHandle,
    pub(crate) keep: Keep,
    pub(crate) now: fn() -> SystemTime,
}

/// Describes the actor as a child.
pub(crate) fn start(args: RetentionArgs) -> ChildSpec {
    let spec = ChildSpec::server::<Retention>("retention", move || args.clone()).0;
    // Measuring takes long and can be broken off anywhere: no stop waits for it.
    spec.shutdown(Shutdown::Brutal)
}

struct Retention(RetentionArgs);

enum Msg {
    Workspaces,
    Artifacts,
    Builds,
    Engine,
}

impl Server for Retention {
    type Args = RetentionArgs;
    type Msg = Msg;

    async fn init(args: RetentionArgs, cx: &mut Context<Msg>) -> Result<Self, Fault> {
        let _timer = cx.send_after(FIRST_ROUND, Msg::Workspaces);
        let _timer = cx.send_after(FIRST_ROUND, Msg::Artifacts);
        let _timer = cx.send_after(FIRST_ROUND, Msg::Builds);
        let _timer = cx.send_after(FIRST_ROUND, Msg::Engine);
        Ok(Self(args))
    }

    async fn handle(&mut self, msg: Msg, cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        // What does not work now is tried again in the next round.
        match msg {
            Msg::Workspaces => {
                if let Err(error) = workspaces::keep_within_budget(&self.0).await {
                    warn!(%error, "failed to keep the workspaces within their budget");
                }
                let _timer = cx.send_after(WORKSPACES, Msg::Workspaces);
            }
            Msg::Artifacts => {
                if let Err(error) = artifacts::keep_within_total(&self.0).await {
                    warn!(%error, "failed to keep artifacts within their total");
                }
                let _timer = cx.send_after(ARTIFACTS, Msg::Artifacts);
            }
            Msg::Builds => {
                if let Err(error) = builds::forget_old(&self.0).await {
                    warn!(%error, "failed to forget old builds");
                }
                let _timer = cx.send_after(BUILDS, Msg::Builds);
            }
            Msg::Engine => {
                if let Err(error) = engine::tidy(&self.0).await {
                    warn!(%error, "failed to have containers or images removed");
                }
                let _timer = cx.send_after(ENGINE, Msg::Engine);
            }
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Workspaces => "workspaces",
            Msg::Artifacts => "artifacts",
            Msg::Builds => "builds",
            Msg::Engine => "engine",
        }
    }
}
