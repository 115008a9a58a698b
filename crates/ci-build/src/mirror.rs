//! The node's copy of one repository: fetches in series, merges and plans beside each other.
//!
//! Parent: `repo`. Children: none; its work is done by tasks under `errands`. Restart: permanent.
//! Commands in: [`MirrorHandle`]. Facts out: what came of a preparation.
//!
//! Preparations of new heads go first, the newest before older ones; those of moved bases go last.

mod cache;
mod files;
mod outline;
mod policy;
mod prepare;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use ci_domain::ids::{BranchName, CommitSha, RepoName};
use ci_domain::outline::{Basis, Prepared};
use ci_domain::pipeline::Pipeline;
use ci_domain::policy::Policy;
use ci_domain::subject::Subject;
use ci_git::{Mirror, MirrorConfig, Opened};
use heights::{
    ChildRef, ChildSpec, Context, Fault, Flow, Recipient, Regulator, Server, TaskSupervisorRef,
};
use tracing::{info, warn};

use crate::errand::errand;
use crate::ledger::LedgerHandle;
use crate::mirror::cache::PipelineCache;
use crate::mirror::policy::{PolicyKeeper, Ruling};
use crate::mirror::prepare::{PrepareFault, Preparer};

/// Preparations under way at once for one repository.
const AT_ONCE: usize = 4;

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
        let request = Request { subject, basis, answer };
        if self.actor.cast(Msg::Prepare(request.clone())).is_err() {
            request
                .answer
                .tell((request.basis, Err("prepare: the mirror is being restarted".to_owned())));
        }
    }

    /// Reads the policy at `tip`, where `branch` is; `answer` is told what it says, unless the mirror's
    /// actor dies before.
    pub(crate) fn policy(&self, branch: BranchName, tip: CommitSha, answer: Recipient<PolicyRead>) {
        let request = PolicyRequest { branch, tip, answer };
        if self.actor.cast(Msg::ReadPolicy(request.clone())).is_err() {
            let PolicyRequest { tip, answer, .. } = request;
            answer.tell((tip, Err("read the policy: the mirror is being restarted".to_owned())));
        }
    }

    /// The open mirror.
    pub(crate) fn git(&self) -> Result<Mirror, NotOpen> {
        self.open.0.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(NotOpen)
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
    pub(crate) config: MirrorConfig,
    pub(crate) errands: TaskSupervisorRef,
    pub(crate) ledger: LedgerHandle,
    pub(crate) regulator: Regulator,
}

/// Describes a mirror as a child.
pub(crate) fn start(args: MirrorArgs) -> (ChildSpec, MirrorHandle) {
    let open = OpenMirror::default();
    let pipelines = PipelineCache::default();
    let make = {
        let (open, pipelines) = (open.clone(), pipelines.clone());
        move || (args.clone(), open.clone(), pipelines.clone())
    };
    let (spec, actor) = ChildSpec::server::<MirrorActor>("mirror", make);
    (spec, MirrorHandle { actor, open, pipelines })
}

/// A preparation that is wanted.
#[derive(Clone)]
struct Request {
    subject: Subject,
    basis: Basis,
    answer: Recipient<Answer>,
}

/// A policy that is wanted.
#[derive(Clone)]
struct PolicyRequest {
    branch: BranchName,
    tip: CommitSha,
    answer: Recipient<PolicyRead>,
}

struct MirrorActor {
    args: MirrorArgs,
    open: OpenMirror,
    preparer: Arc<Preparer>,
    waiting: Vec<Request>,
    under_way: usize,
    heads: BTreeSet<CommitSha>,
}

enum Msg {
    Prepare(Request),
    ReadPolicy(PolicyRequest),
    Done(Request, Result<Box<Prepared>, PrepareFault>),
}

impl Server for MirrorActor {
    type Args = (MirrorArgs, OpenMirror, PipelineCache);
    type Msg = Msg;

    async fn init(
        (args, open, pipelines): Self::Args,
        _cx: &mut Context<Msg>,
    ) -> Result<Self, Fault> {
        let mirror = reopen(&args, &open).await?;
        let policy = PolicyKeeper::load(args.ledger.clone(), &args.repo).await?;
        let fetch = Regulator::builder(format!("fetch {}", args.repo)).concurrency(1).build();
        let preparer = Arc::new(Preparer::new(mirror, fetch, policy, pipelines));
        let (waiting, heads) = (Vec::new(), BTreeSet::new());
        Ok(Self { args, open, preparer, waiting, under_way: 0, heads })
    }

    async fn handle(&mut self, msg: Msg, cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Prepare(request) => {
                // Only the newest wish of each counts.
                self.waiting.retain(|waiting| waiting.subject != request.subject);
                self.waiting.push(request);
            }
            Msg::ReadPolicy(request) => self.read_policy(request).await?,
            Msg::Done(request, result) => {
                self.under_way -= 1;
                self.answer(request, result).await?;
            }
        }
        self.begin_waiting(cx).await?;
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Prepare(_) => "prepare",
            Msg::ReadPolicy(_) => "read-policy",
            Msg::Done(..) => "done",
        }
    }
}

impl MirrorActor {
    async fn begin_waiting(&mut self, cx: &mut Context<Msg>) -> Result<(), Fault> {
        while self.under_way < AT_ONCE
            && let Some(request) = self.next()
        {
            self.under_way += 1;
            let (preparer, regulator) = (self.preparer.clone(), self.args.regulator.clone());
            let (subject, basis, myself) =
                (request.subject.clone(), request.basis.clone(), cx.myself());
            errand(
                &self.args.errands,
                "prepare",
                async move {
                    let permit = regulator.acquire().await;
                    let _permit =
                        permit.map_err(|refused| PrepareFault::Later(refused.to_string()))?;
                    preparer.prepare(&subject, &basis).await.map(Box::new)
                },
                move |result| {
                    let result =
                        result.unwrap_or_else(|lost| Err(PrepareFault::Later(lost.to_string())));
                    // A mirror that is gone is asked again by its pull requests, which restart with it.
                    let _gone = myself.cast(Msg::Done(request, result));
                },
            )
            .await?;
        }
        Ok(())
    }

    async fn read_policy(&mut self, request: PolicyRequest) -> Result<(), Fault> {
        let (preparer, regulator) = (self.preparer.clone(), self.args.regulator.clone());
        let PolicyRequest { branch, tip, answer } = request;
        let commit = tip.clone();
        errand(
            &self.args.errands,
            "policy",
            async move {
                let _permit = regulator.acquire().await.map_err(|refused| refused.to_string())?;
                let ruling = preparer.ruling(&Subject::Branch(branch), &commit).await;
                Ok(Box::new(match ruling.map_err(|fault| fault.to_string())? {
                    Ruling::Valid(policy) | Ruling::Earlier(policy, _) => policy,
                    Ruling::Never(_) => Policy::default(),
                }))
            },
            move |result| {
                answer.tell((tip, result.unwrap_or_else(|lost| Err(lost.to_string()))));
            },
        )
        .await
    }

    /// The newest request for a head that was never prepared, else the oldest for a moved base.
    fn next(&mut self) -> Option<Request> {
        let newest =
            self.waiting.iter().rposition(|request| !self.heads.contains(&request.basis.head));
        let index = newest.or((!self.waiting.is_empty()).then_some(0))?;
        let request = self.waiting.remove(index);
        self.heads.insert(request.basis.head.clone());
        Some(request)
    }

    async fn answer(
        &mut self,
        request: Request,
        result: Result<Box<Prepared>, PrepareFault>,
    ) -> Result<(), Fault> {
        if let Err(PrepareFault::Git(reason)) = &result {
            warn!(repo = %self.args.repo, %reason, "git failed; the mirror is looked at");
            let mirror = reopen(&self.args, &self.open).await?;
            self.preparer = Arc::new(self.preparer.with(mirror));
        }
        let result = result.map_err(|fault| fault.to_string());
        request.answer.tell((request.basis, result));
        Ok(())
    }
}

/// Opens the mirror; a broken one is moved aside and fetched anew.
async fn reopen(args: &MirrorArgs, open: &OpenMirror) -> Result<Mirror, Fault> {
    let (mirror, opened) = Mirror::open(args.config.clone()).await?;
    match opened {
        Opened::Existing => {}
        Opened::Created => info!(repo = %args.repo, "made a mirror"),
        Opened::Replaced { moved_to, reason } => {
            let moved_to: PathBuf = moved_to;
            warn!(repo = %args.repo, moved_to = %moved_to.display(), %reason, "replaced a broken mirror");
        }
    }
    *open.0.write().unwrap_or_else(PoisonError::into_inner) = Some(mirror.clone());
    Ok(mirror)
}
