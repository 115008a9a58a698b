//! The supervisor of one repository.
//!
//! ```text
//! repo        rest_for_one
//! ├── errands   tasks that the actors below have done for them
//! ├── mirror    the copy of the repository
//! ├── pulls     dynamic: one supervisor for each open pull request
//! ├── branches  dynamic: one supervisor for each branch that is built
//! ├── watcher   polls, and starts and ends what is under pulls and branches
//! ├── nightly   tells branches which night it is
//! └── janitor   removes what is left over
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use ci_domain::forge::Timestamp;
use ci_domain::ids::{BranchName, RepoName};
use ci_domain::report::Voice;
use ci_domain::secret::Secret;
use ci_exec::Launcher;
use ci_git::{MirrorConfig, Workspaces};
use ci_github::Forge;
use heights::{
    ChildSpec, DynamicRef, DynamicSupervisor, Recipient, Report, Strategy, Supervisor,
    TaskSupervisor,
};
use tokio::sync::watch;

use crate::elders::{Elders, RunnerSettings};
use crate::janitor::{self, JanitorArgs};
use crate::ledger::LedgerHandle;
use crate::mirror::{self, MirrorArgs};
use crate::nightly::{self, NightlyArgs};
use crate::queues::{GIT_FETCH, GIT_MERGE, Queues};
use crate::reporter::ReporterHandle;
use crate::runs::Runs;
use crate::watcher::{self, Branches, Pulls, WatcherArgs, WatcherHandle};
use crate::workspaces::JobWorkspaces;

/// How often the children of a repository may crash before it is restarted as a whole.
const INTENSITY: (u32, Duration) = (10, Duration::from_secs(60));
/// How often supervisors of pull requests and branches may be restarted: a thousand may come back at
/// once.
const TREES_INTENSITY: (u32, Duration) = (1000, Duration::from_secs(60));

/// What one repository needs, besides what the node gives to all.
pub struct RepoArgs {
    /// Its name.
    pub name: RepoName,
    /// Where its pull requests are.
    pub forge: Arc<dyn Forge>,
    /// Its mirror.
    pub mirror: MirrorConfig,
    /// Its workspaces.
    pub workspaces: Workspaces,
    /// The folder that they are in.
    pub workspace_folder: PathBuf,
    /// The longest time between two looks at the forge.
    pub poll_interval: Duration,
    /// The secrets that its policy may show to jobs.
    pub secrets: BTreeMap<String, Secret>,
}

/// What the node gives to every repository.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) voice: Voice,
    pub(crate) settings: Arc<RunnerSettings>,
    pub(crate) ledger: LedgerHandle,
    pub(crate) reporter: ReporterHandle,
    pub(crate) queues: Queues,
    pub(crate) runs: Runs,
    pub(crate) launcher: Launcher,
    pub(crate) keep_logs: Duration,
    pub(crate) now: fn() -> SystemTime,
    pub(crate) hidden: watch::Receiver<Vec<PathBuf>>,
}

/// How others reach what belongs to a repository.
pub(crate) struct RepoHandle {
    pub(crate) elders: Arc<Elders>,
    pub(crate) watcher: WatcherHandle,
    pub(crate) pulls: Pulls,
    pub(crate) branches: Branches,
}

/// Describes a repository as a child.
pub(crate) fn describe(args: RepoArgs, shared: &Shared) -> (ChildSpec, RepoHandle) {
    let RepoArgs { name, forge, mirror, workspaces, workspace_folder, poll_interval, .. } = args;
    let (errands_spec, errands) = TaskSupervisor::builder("errands").child_spec();
    let (mirror_spec, mirror) = mirror::start(MirrorArgs {
        repo: name.clone(),
        forge: forge.clone(),
        config: mirror,
        errands: errands.clone(),
        ledger: shared.ledger.clone(),
        fetches: shared.queues.required(GIT_FETCH),
        merges: shared.queues.required(GIT_MERGE),
        granted: args.secrets.keys().cloned().collect(),
    });
    let elders = Arc::new(Elders {
        slug: slug(&name, &shared.runs),
        repo: name.clone(),
        voice: shared.voice.clone(),
        settings: shared.settings.clone(),
        forge,
        ledger: shared.ledger.clone(),
        reporter: shared.reporter.clone(),
        queues: shared.queues.clone(),
        errands,
        mirror,
        runs: shared.runs.clone(),
        workspaces: JobWorkspaces::new(workspaces, workspace_folder),
        launcher: shared.launcher.clone(),
        secrets: Arc::new(args.secrets),
        hidden: shared.hidden.clone(),
    });
    let reports: Arc<OnceLock<Recipient<Report>>> = Arc::default();
    let (pulls_spec, pulls) = trees("pulls", &reports);
    let (branches_spec, branches) = trees("branches", &reports);
    let (registry, branch_registry) = (Pulls::unique(), Branches::unique());
    let (watcher_spec, watcher) = watcher::start(
        WatcherArgs {
            elders: elders.clone(),
            pulls,
            registry: registry.clone(),
            branches,
            branch_registry: branch_registry.clone(),
            poll_interval,
            now: timestamp,
        },
        &reports,
    );
    let janitor = janitor::start(JanitorArgs {
        elders: elders.clone(),
        watcher: watcher.clone(),
        keep_logs: shared.keep_logs,
        now: shared.now,
    });
    let nightly = nightly::start(NightlyArgs {
        watcher: watcher.clone(),
        branches: branch_registry.clone(),
        now: shared.now,
    });
    let children =
        [errands_spec, mirror_spec, pulls_spec, branches_spec, watcher_spec, nightly, janitor];
    let spec = tree(&name, children);
    (spec, RepoHandle { elders, watcher, pulls: registry, branches: branch_registry })
}

/// The supervisor of a repository, with these children in the order of their start.
fn tree(name: &RepoName, children: impl IntoIterator<Item = ChildSpec>) -> ChildSpec {
    let builder = Supervisor::builder(name.as_str().replace('/', "."))
        .strategy(Strategy::RestForOne)
        .intensity(INTENSITY.0, INTENSITY.1);
    children.into_iter().fold(builder, |builder, child| builder.child(child)).child_spec().0
}

/// The supervisor of the trees of pull requests, or of branches.
fn trees(
    name: &'static str,
    reports: &Arc<OnceLock<Recipient<Report>>>,
) -> (ChildSpec, DynamicRef) {
    DynamicSupervisor::builder(name)
        .intensity(TREES_INTENSITY.0, TREES_INTENSITY.1)
        .on_report(later(reports))
        .child_spec()
}

/// The way to somebody who is described after the supervisor that reports to them.
pub(crate) fn later(recipient: &Arc<OnceLock<Recipient<Report>>>) -> Recipient<Report> {
    let recipient = recipient.clone();
    Recipient::from_fn(move |report| {
        if let Some(recipient) = recipient.get() {
            recipient.tell(report);
        }
    })
}

/// Six digits that stand for a repository of this very node in the ids of its attempts: what a dead
/// runner left is found by that id, and another node on the machine may serve the same repository.
pub(crate) fn slug(name: &RepoName, runs: &Runs) -> String {
    digest(&format!("{name} {}", runs.folder().display()), 3)
}

/// Sixteen digits that stand for a branch wherever its own name does not fit.
pub(crate) fn key(name: &BranchName) -> String {
    digest(name.as_str(), 8)
}

fn digest(text: &str, bytes: usize) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(text);
    digest.iter().take(bytes).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn timestamp() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(since.as_secs())
}
