//! The node's copy of one repository: one fetch at a time for all that wait, merges and plans beside
//! each other.
//!
//! Parent: `repo`. Children: none; its work is done by tasks under `errands`. Restart: permanent.
//! Commands in: [`MirrorHandle`]. Facts out: what came of a preparation.
//!
//! Preparations of new heads go first, the newest before older ones; those of moved bases go last. What
//! is done when, [`agenda`] says.

mod agenda;
mod cache;
mod door;
mod fetch;
mod files;
mod hints;
mod outline;
mod owners;
mod policy;
mod prepare;
mod trouble;
mod wish;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ci_domain::ids::{BranchName, CommitSha, RepoName};
use ci_domain::outline::{Basis, Prepared};
use ci_domain::pipeline::Pipeline;
use ci_domain::policy::Policy;
use ci_domain::subject::Subject;
use ci_git::{Mirror, MirrorConfig, OpenError, Opened};
use ci_github::Forge;
use heights::{
    ChildRef, ChildSpec, Context, Fault, Flow, Recipient, Regulator, Server, TaskSupervisorRef,
};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::errand::{Lost, errand};
use crate::ledger::LedgerHandle;
use crate::mirror::agenda::{Agenda, Step, Verdict};
use crate::mirror::cache::PipelineCache;
use crate::mirror::door::Door;
use crate::mirror::policy::PolicyKeeper;
use crate::mirror::prepare::{Permits, PrepareFault, Preparer};
use crate::mirror::trouble::FetchTrouble;
use crate::mirror::wish::{Ask, Granted, Wish};

/// How long a mirror that was read whole and found sound is left alone, whatever fails.
const EXAMINATIONS: Duration = Duration::from_secs(3600);

/// What a preparation is answered with: the basis, and what came of it or why nothing did.
pub(crate) type Answer = (Basis, Result<Box<Prepared>, String>);

/// What a question for the policy is answered with: the commit, and the policy that holds there.
pub(crate) type PolicyRead = (CommitSha, Result<Box<Policy>, String>);

/// How others speak to a mirror.
#[derive(Clone, Debug)]
pub(crate) struct MirrorHandle {
    actor: ChildRef<Msg>,
    open: OpenMirror,
    pipelines: PipelineCache,
    trouble: FetchTrouble,
    objects: PathBuf,
}

/// The mirror while it is open.
#[derive(Clone, Debug, Default)]
struct OpenMirror(Arc<RwLock<Option<Mirror>>>);

/// The mirror is being opened, or could not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use the mirror: it is not open")]
pub(crate) struct NotOpen;

impl MirrorHandle {
    /// Merges what is to be merged, and plans; `answer` is told what came of it, unless the mirror's actor dies before.
    pub(crate) fn prepare(&self, subject: Subject, basis: Basis, answer: Recipient<Answer>) {
        self.wish(Wish::new(subject, Ask::Prepare(basis, answer)));
    }

    /// Reads the policy at `tip`, where `branch` is; `answer` is told what it says, unless the mirror's
    /// actor dies before.
    pub(crate) fn policy(&self, branch: BranchName, tip: CommitSha, answer: Recipient<PolicyRead>) {
        self.wish(Wish::new(Subject::Branch(branch), Ask::Policy(tip, answer)));
    }

    fn wish(&self, wish: Wish) {
        if self.actor.cast(Msg::Wish(wish.clone())).is_err() {
            wish.refuse("prepare: the mirror is being restarted".to_owned());
        }
    }

    /// The open mirror.
    pub(crate) fn git(&self) -> Result<Mirror, NotOpen> {
        self.open.0.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(NotOpen)
    }

    /// Why nothing could be fetched the last time, if so.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.words()
    }

    /// The folder of its objects, which jobs borrow.
    pub(crate) fn objects(&self) -> &Path {
        &self.objects
    }

    /// The pipeline of a merge.
    ///
    /// # Errors
    /// Says why it cannot be read.
    pub(crate) async fn pipeline(&self, merge: &CommitSha) -> Result<Arc<Pipeline>, String> {
        if let Some(pipeline) = self.pipelines.get(merge) {
            return Ok(pipeline);
        }
        let git = self.git().map_err(|error| error.to_string())?;
        let files = files::Files::of(&git, merge).await.map_err(|error| error.to_string())?;
        let pipeline = files.pipeline().map_err(|findings| findings.join("\n"))?;
        Ok(self.pipelines.put(merge, pipeline))
    }

    /// Lets go of the commits of a pull request or branch.
    ///
    /// # Errors
    /// Git failed.
    pub(crate) async fn release(&self, subject: &Subject) -> Result<(), Fault> {
        Ok(self.git()?.release(subject).await?)
    }
}

/// What a mirror is started with.
#[derive(Clone)]
pub(crate) struct MirrorArgs {
    pub(crate) repo: RepoName,
    pub(crate) forge: Arc<dyn Forge>,
    pub(crate) config: MirrorConfig,
    pub(crate) errands: TaskSupervisorRef,
    pub(crate) ledger: LedgerHandle,
    pub(crate) fetches: Regulator,
    pub(crate) merges: Regulator,
    /// The names of the secrets that a policy may name.
    pub(crate) granted: BTreeSet<String>,
}

/// Describes a mirror as a child.
pub(crate) fn start(args: MirrorArgs) -> (ChildSpec, MirrorHandle) {
    let shown = Shown::default();
    let objects = args.config.dir.join("objects");
    let make = {
        let shown = shown.clone();
        move || (args.clone(), shown.clone())
    };
    let (spec, actor) = ChildSpec::server::<MirrorActor>("mirror", make);
    let Shown { open, pipelines, trouble } = shown;
    (spec, MirrorHandle { actor, open, pipelines, trouble, objects })
}

/// What others see of a mirror without asking its actor.
#[derive(Clone, Default)]
struct Shown {
    open: OpenMirror,
    pipelines: PipelineCache,
    trouble: FetchTrouble,
}

struct MirrorActor {
    args: MirrorArgs,
    open: OpenMirror,
    trouble: FetchTrouble,
    preparer: Arc<Preparer>,
    agenda: Agenda,
    /// Whether a wish was refused although the mirror looked sound.
    is_suspect: bool,
    /// When all of the mirror was read last.
    examined: Option<Instant>,
}

enum Msg {
    Wish(Wish),
    Carried(Wish, Result<Granted, PrepareFault>),
    Fetched(Vec<(Wish, Result<(), PrepareFault>)>),
    Looked(Result<Result<(Mirror, Opened), OpenError>, Lost>),
}

impl Server for MirrorActor {
    type Args = (MirrorArgs, Shown);
    type Msg = Msg;

    async fn init(
        (mut args, Shown { open, pipelines, trouble }): Self::Args,
        _cx: &mut Context<Msg>,
    ) -> Result<Self, Fault> {
        let credential = args.config.credential.get_or_insert_default().clone();
        let door = Door { forge: args.forge.clone(), repo: args.repo.clone(), credential };
        let (mirror, opened) = Mirror::open(args.config.clone()).await?;
        report(&args.repo, &opened);
        open.put(&mirror);
        let policy =
            PolicyKeeper::load(args.ledger.clone(), &args.repo, args.granted.clone()).await?;
        let permits = Permits { fetches: args.fetches.clone(), merges: args.merges.clone() };
        let preparer = Preparer::new(mirror, door, permits, policy, pipelines);
        let (preparer, agenda) = (Arc::new(preparer), Agenda::default());
        Ok(Self { args, open, trouble, preparer, agenda, is_suspect: false, examined: None })
    }

    async fn handle(&mut self, msg: Msg, cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        let verdicts = match msg {
            Msg::Wish(wish) => {
                self.agenda.add(wish);
                Vec::new()
            }
            Msg::Carried(wish, Ok(granted)) => {
                self.agenda.granted(&wish);
                granted.tell();
                Vec::new()
            }
            Msg::Carried(wish, Err(fault)) => vec![self.agenda.failed(wish, fault)],
            Msg::Fetched(wishes) => {
                self.trouble.note(&wishes);
                self.agenda.fetched(wishes)
            }
            Msg::Looked(found) => {
                let (mirror, opened) = found??;
                report(&self.args.repo, &opened);
                self.open.put(&mirror);
                self.preparer = Arc::new(self.preparer.with(mirror));
                self.agenda.looked(opened != Opened::Existing)
            }
        };
        for verdict in verdicts {
            if let Verdict::Refused(wish, reason) = verdict {
                self.is_suspect = true;
                wish.refuse(reason);
            }
        }
        while let Some(step) = self.agenda.next() {
            self.begin(step, cx).await?;
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Wish(_) => "wish",
            Msg::Carried(..) => "carried",
            Msg::Fetched(_) => "fetched",
            Msg::Looked(_) => "looked",
        }
    }
}

impl MirrorActor {
    /// Starts an errand. What it brings finds this life, or none: wishes are made again after a restart,
    /// by pull requests and branches that restart with the mirror.
    async fn begin(&mut self, step: Step, cx: &Context<Msg>) -> Result<(), Fault> {
        let is_thorough = matches!(step, Step::Look) && self.is_to_be_examined();
        let (errands, preparer) = (&self.args.errands, self.preparer.clone());
        let myself = cx.myself();
        let tell = move |msg| {
            let _gone = myself.cast(msg);
        };
        match step {
            Step::Carry(wish) => {
                let carried = wish.clone();
                let work = async move { preparer.carry_out(&wish).await };
                errand(errands, "prepare", work, move |result| {
                    tell(Msg::Carried(carried, result.unwrap_or_else(|lost| Err(lost.into()))));
                })
                .await
            }
            Step::Fetch(wishes) => {
                let fetched = wishes.clone();
                let work = async move { preparer.fetch(&wishes).await };
                errand(errands, "fetch", work, move |results| {
                    let lost = |lost: Lost| vec![Err(lost.into()); fetched.len()];
                    let results = results.unwrap_or_else(lost);
                    tell(Msg::Fetched(fetched.into_iter().zip(results).collect()));
                })
                .await
            }
            Step::Look => {
                warn!(repo = %self.args.repo, is_thorough, "git failed; the mirror is looked at");
                let config = self.args.config.clone();
                let work = async move {
                    match is_thorough {
                        true => Mirror::examine(config).await,
                        false => Mirror::open(config).await,
                    }
                };
                errand(errands, "look", work, move |found| tell(Msg::Looked(found))).await
            }
        }
    }
}

impl MirrorActor {
    /// Whether all of the mirror is read this time: what looks sound and still fails may be damaged where
    /// a look does not reach. It takes long, and most that fails has other reasons.
    fn is_to_be_examined(&mut self) -> bool {
        let is_due = self.examined.is_none_or(|at| at.elapsed() > EXAMINATIONS);
        let is_now = self.is_suspect && is_due;
        if is_now {
            (self.is_suspect, self.examined) = (false, Some(Instant::now()));
        }
        is_now
    }
}

impl OpenMirror {
    fn put(&self, mirror: &Mirror) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(mirror.clone());
    }
}

impl From<Lost> for PrepareFault {
    fn from(lost: Lost) -> Self {
        Self::Later(lost.to_string())
    }
}

/// Says what opening the mirror has found.
fn report(repo: &RepoName, opened: &Opened) {
    match opened {
        Opened::Existing => {}
        Opened::Created => info!(%repo, "made a mirror"),
        Opened::Replaced { moved_to, reason } => {
            warn!(%repo, moved_to = %moved_to.display(), %reason, "replaced a broken mirror");
        }
    }
}
