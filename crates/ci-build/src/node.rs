//! The whole tree of a node; `handle.rs` is how pages and the command line reach into it.
//!
//! ```text
//! ci-node       rest_for_one
//! ├── ledger      watches the store
//! ├── regulators  the queues
//! ├── writes      tasks of the reporter
//! ├── reporter    the only writer to the forge
//! ├── repos       dynamic: one supervisor for each repository
//! ├── retention   workspaces and builds of all repositories, within bounds
//! ├── intake      webhook deliveries
//! └── …           what the caller appends: the web server
//! ```

mod handle;
mod rights;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ci_domain::report::Voice;
use ci_exec::Launcher;
use ci_github::Forge;
use ci_store::Stamp;
use heights::{
    Backoff, ChildSpec, Regulator, Strategy, Supervisor, SupervisorBuilder, SupervisorRef,
    TaskSupervisor, TaskSupervisorRef,
};
use tokio::sync::watch;

use crate::directory::Directory;
use crate::elders::RunnerSettings;
use crate::intake::{self, IntakeArgs};
use crate::ledger::{self, LedgerArgs, LedgerHandle};
use crate::node::handle::Inner;
use crate::queues::{FORGE_READ, FORGE_WRITE, Queues};
use crate::reload::Reloading;
use crate::repo::{RepoArgs, Shared};
use crate::reporter::{self, ReporterArgs, ReporterHandle};
use crate::repos;
use crate::retention::{self, Keep, RetentionArgs};
use crate::runs::Runs;

pub use handle::{AskError, NodeHandle};

/// How often the node's own children may crash before the process ends for its service manager.
const INTENSITY: (u32, Duration) = (20, Duration::from_secs(60));
/// The first and the longest wait before one of them is started again; the longest is short enough for
/// a lasting failure to use the intensity up, and so to end the process.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// How long new jobs wait at most for those that run to be adopted after a start.
const ADOPTION_LIMIT: Duration = Duration::from_secs(30);

/// What a node is made of.
pub struct NodeArgs {
    /// Under which name it speaks, and where its dashboard is.
    pub voice: Voice,
    /// How runners are told to work.
    pub settings: RunnerSettings,
    /// The open store.
    pub ledger: LedgerHandle,
    /// Where the store is exported to.
    pub exports: Option<PathBuf>,
    /// Names an export by the present time.
    pub stamp: fn() -> Stamp,
    /// The present time.
    pub now: fn() -> SystemTime,
    /// The queues.
    pub queues: Queues,
    /// The run directories.
    pub runs: Runs,
    /// Starts runners.
    pub launcher: Launcher,
    /// How long, and how much, is kept.
    pub keep: Keep,
    /// The repositories.
    pub repos: Vec<RepoArgs>,
}

/// Describes the whole tree; the caller appends what serves it, and starts it.
pub fn describe(args: NodeArgs) -> (SupervisorBuilder, NodeHandle) {
    let ledger_spec = ledger::start(LedgerArgs {
        ledger: args.ledger.clone(),
        exports: args.exports.clone(),
        stamp: args.stamp,
    });
    let (writes_spec, writes) = TaskSupervisor::builder("writes").child_spec();
    let forges = Directory::default();
    let (reporter_spec, reporter) = describe_reporter(&args, forges.clone(), writes);
    let hidden = args.settings.namespaces.as_ref().map(|namespaces| namespaces.hidden.clone());
    let (hide, hidden) = watch::channel(hidden.unwrap_or_default());
    let settings = Arc::new(args.settings);
    let shared = Shared {
        voice: args.voice.clone(),
        settings: settings.clone(),
        ledger: args.ledger.clone(),
        reporter: reporter.clone(),
        queues: args.queues.clone(),
        runs: args.runs.clone(),
        launcher: args.launcher,
        keep_logs: args.keep.logs,
        now: args.now,
        hidden,
    };
    let (repos_spec, repos, server) = repos::describe(args.repos, forges, shared);
    let retention = retention::start(RetentionArgs {
        repos: repos.clone(),
        ledger: args.ledger.clone(),
        keep: args.keep,
        now: args.now,
    });
    let (intake_spec, intake) = intake::start(IntakeArgs {
        ledger: args.ledger.clone(),
        repos: repos.clone(),
        queues: args.queues.clone(),
        now: args.now,
    });
    let (regulators_spec, regulators) = regulators(&args.queues);
    let builder = Supervisor::builder("ci-node")
        .strategy(Strategy::RestForOne)
        .intensity(INTENSITY.0, INTENSITY.1)
        .backoff(Backoff::exponential(BACKOFF.0, BACKOFF.1))
        .child(ledger_spec)
        .child(regulators_spec)
        .child(writes_spec)
        .child(reporter_spec)
        .child(repos_spec)
        .child(retention)
        .child(intake_spec);
    let inner = Inner {
        voice: args.voice,
        settings,
        ledger: args.ledger,
        queues: args.queues,
        runs: args.runs,
        reporter,
        intake,
        repos,
        reloading: Reloading::new(server, regulators, hide),
    };
    (builder, NodeHandle { inner: Arc::new(inner) })
}

fn describe_reporter(
    args: &NodeArgs,
    forges: Directory<Arc<dyn Forge>>,
    writes: TaskSupervisorRef,
) -> (ChildSpec, ReporterHandle) {
    reporter::start(ReporterArgs {
        voice: args.voice.clone(),
        forges,
        ledger: args.ledger.clone(),
        writes,
        regulator: args.queues.required(FORGE_WRITE),
        reads: args.queues.required(FORGE_READ),
        tails: Arc::new(args.runs.clone()),
    })
}

/// The queues' clocks, and the end of the time of adoption.
fn regulators(queues: &Queues) -> (ChildSpec, SupervisorRef) {
    let waiting = queues.clone();
    let adoption = ChildSpec::task("adoption", move |cx| {
        let queues = waiting.clone();
        async move {
            tokio::select! {
                () = cx.shutdown() => {}
                () = tokio::time::sleep(ADOPTION_LIMIT) => queues.end_adoption(),
            }
            Ok(())
        }
    });
    let queues = queues.clone();
    Supervisor::builder("regulators")
        .child(adoption.restart(heights::Restart::Transient))
        .init(move || Ok(queues.all().iter().map(Regulator::child_spec).collect()))
        .child_spec()
}
