//! The ledger: everything that must survive, behind one handle.
//!
//! Parent: the root supervisor. Children: none. Restart: permanent.
//! Commands in: [`LedgerHandle`], which goes to the store's own committing thread. The actor watches that
//! thread, and writes an export every hour.

mod sight;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ci_domain::ids::{BranchName, BuildNumber, PullNumber, RepoName};
use ci_domain::subject::Subject;
use ci_store::{Append, Done, Ledger, Record, Replay, Seq, Stamp, StreamId, WriteError};
use heights::{ChildSpec, Context, Fault, Flow, Server, StateView};
use serde_json::Value;
use tracing::{error, info};

use crate::repo::key;

/// How often the store is looked at: it fails for good, so soon is soon enough.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);
/// How often everything is exported, so that a damaged store can be restored.
const EXPORT_INTERVAL: Duration = Duration::from_secs(3600);
/// Exports that are kept.
const EXPORTS_KEPT: usize = 6;

/// The way to the store.
#[derive(Clone)]
pub struct LedgerHandle(Arc<dyn Ledger>);

impl LedgerHandle {
    /// Wraps an open store.
    #[must_use]
    pub fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self(ledger)
    }

    /// The store itself, for checks and exports.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Ledger> {
        &self.0
    }

    /// Appends records and waits until they are durable.
    pub(crate) async fn append(
        &self,
        stream: &StreamId,
        records: Vec<Record>,
    ) -> Result<Seq, WriteError> {
        self.0.append(Append::new(stream.clone(), records)).await
    }

    /// Appends a record and goes on; `done` is called once it is durable, or is not.
    pub(crate) fn submit(&self, stream: &StreamId, record: Record, done: Done) {
        let append = Append::new(stream.clone(), vec![record]);
        self.0.submit(ci_store::Change::Append(append), done);
    }

    /// Replaces the records up to `upto` by `body`.
    pub(crate) async fn snapshot(
        &self,
        stream: &StreamId,
        upto: Seq,
        body: Value,
    ) -> Result<Seq, WriteError> {
        self.0.snapshot(stream.clone(), upto, body).await
    }

    /// Forgets a stream.
    pub(crate) async fn drop_stream(&self, stream: &StreamId) -> Result<Seq, WriteError> {
        self.0.drop_stream(stream.clone()).await
    }

    /// The streams that begin so; the disk is waited for on a thread of its own.
    pub(crate) async fn streams(&self, prefix: String) -> Result<Vec<StreamId>, Fault> {
        let ledger = self.0.clone();
        Ok(tokio::task::spawn_blocking(move || ledger.streams(&prefix)).await??)
    }

    /// Reads a stream; the disk is waited for on a thread of its own.
    pub(crate) async fn read(&self, stream: &StreamId) -> Result<Replay, Fault> {
        let (ledger, stream) = (self.0.clone(), stream.clone());
        Ok(tokio::task::spawn_blocking(move || ledger.read(&stream)).await??)
    }
}

impl std::fmt::Debug for LedgerHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LedgerHandle").finish_non_exhaustive()
    }
}

/// What the ledger's actor is started with.
#[derive(Clone)]
pub(crate) struct LedgerArgs {
    pub(crate) ledger: LedgerHandle,
    /// Where exports go; none are made where there is nowhere.
    pub(crate) exports: Option<PathBuf>,
    /// Names an export by the present time.
    pub(crate) stamp: fn() -> Stamp,
}

/// Describes the ledger as a child.
pub(crate) fn start(args: LedgerArgs) -> ChildSpec {
    ChildSpec::server::<LedgerWatch>("ledger", move || args.clone()).0
}

/// The stream of a repository: the pull requests that are watched.
pub(crate) fn repo_stream(repo: &RepoName) -> StreamId {
    stream(format!("repo/{repo}"))
}

/// The stream of what the forge has been told about a repository.
pub(crate) fn reporter_stream(repo: &RepoName) -> StreamId {
    stream(format!("reporter/{repo}"))
}

/// The stream of a repository's policy: the last one that was valid.
pub(crate) fn policy_stream(repo: &RepoName) -> StreamId {
    stream(format!("policy/{repo}"))
}

/// The stream of a pull request.
pub(crate) fn pull_stream(repo: &RepoName, pull: PullNumber) -> StreamId {
    stream(format!("pull/{repo}/{pull}"))
}

/// The stream of a branch.
pub(crate) fn branch_stream(repo: &RepoName, branch: &BranchName) -> StreamId {
    stream(format!("branch/{repo}/{}", key(branch)))
}

/// The stream of a build.
pub(crate) fn build_stream(repo: &RepoName, subject: &Subject, build: BuildNumber) -> StreamId {
    match subject {
        Subject::Pull(pull) => stream(format!("build/{repo}/{pull}/{build}")),
        Subject::Branch(name) => stream(format!("build/{repo}/branch-{}/{build}", key(name))),
    }
}

/// How the streams of a repository's builds begin.
pub(crate) fn build_streams(repo: &RepoName) -> String {
    format!("build/{repo}/")
}

/// How the streams of a repository's pull requests begin.
pub(crate) fn pull_streams(repo: &RepoName) -> String {
    format!("pull/{repo}/")
}

/// How the streams of a repository's branches begin.
pub(crate) fn branch_streams(repo: &RepoName) -> String {
    format!("branch/{repo}/")
}

/// The stream of what was there when.
pub(crate) fn retention_stream() -> StreamId {
    stream("retention".to_owned())
}

/// How the streams of webhook deliveries begin.
pub(crate) const INTAKE_STREAMS: &str = "intake";

/// The stream of one segment of webhook deliveries; the first holds those of earlier programs, which knew
/// no segments.
pub(crate) fn intake_stream(place: u64) -> StreamId {
    stream(match place {
        0 => INTAKE_STREAMS.to_owned(),
        place => format!("{INTAKE_STREAMS}/{place:010}"),
    })
}

/// The segment that a stream of deliveries holds.
pub(crate) fn intake_place(stream: &StreamId) -> Option<u64> {
    match stream.as_str().strip_prefix(INTAKE_STREAMS)? {
        "" => Some(0),
        rest => rest.strip_prefix('/')?.parse().ok(),
    }
}

fn stream(name: String) -> StreamId {
    StreamId::new(name).expect("checked names of at most 201 bytes and numbers make a stream name")
}

struct LedgerWatch(LedgerArgs);

enum Msg {
    Watch,
    Export,
}

impl Server for LedgerWatch {
    type Args = LedgerArgs;
    type Msg = Msg;

    const STATE: StateView<Self> = StateView::inspect();

    async fn init(args: LedgerArgs, cx: &mut Context<Msg>) -> Result<Self, Fault> {
        let watch = Self(args);
        watch.check()?;
        let _watch = cx.send_after(WATCH_INTERVAL, Msg::Watch);
        let _export = cx.send_after(EXPORT_INTERVAL, Msg::Export);
        Ok(watch)
    }

    async fn handle(&mut self, msg: Msg, cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Watch => {
                self.check()?;
                let _timer = cx.send_after(WATCH_INTERVAL, Msg::Watch);
            }
            Msg::Export => {
                self.export().await?;
                let _timer = cx.send_after(EXPORT_INTERVAL, Msg::Export);
            }
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Watch => "watch",
            Msg::Export => "export",
        }
    }
}

impl LedgerWatch {
    /// A store that failed never works again in this process: failing here exhausts the root, and the
    /// process ends for its service manager to start anew.
    fn check(&self) -> Result<(), Fault> {
        if self.0.ledger.0.stats().failed {
            return Err("write to the ledger: the store has failed".into());
        }
        Ok(())
    }

    async fn export(&self) -> Result<(), Fault> {
        let Some(folder) = self.0.exports.clone() else { return Ok(()) };
        let (ledger, stamp) = (self.0.ledger.0.clone(), (self.0.stamp)());
        let export = move || ci_store::export_to_dir(&*ledger, &folder, &stamp, EXPORTS_KEPT);
        match tokio::task::spawn_blocking(export).await? {
            Ok(backup) => info!(path = %backup.path.display(), "exported the ledger"),
            // The next hour tries again, and the store itself is not at fault.
            Err(error) => error!(%error, "failed to export the ledger"),
        }
        Ok(())
    }
}
