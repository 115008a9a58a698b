//! One pull request: folds what happens to it, decides, records, and then acts.
//!
//! Parent: `pull-N`. Children: none; its build is started under `builds`, its younger sibling.
//! Restart: permanent, by replay of its stream. Commands in: [`PullHandle`]. Facts out: [`PullFact`].

mod perform;
pub(crate) mod quarantine;
mod questions;
mod sight;

use std::collections::BTreeMap;
use std::sync::Arc;

use ci_domain::forge::CommentId;
use ci_domain::ids::{JobId, Login, PullNumber};
use ci_domain::may_run::Disk;
use ci_domain::origin::Origin;
use ci_domain::outline::{Basis, Prepared};
use ci_domain::pull::{
    Observation, Pull, PullConfig, PullEvent, PullStep, Question, Refusal, Request,
};
use ci_github::ForgeError;
use heights::{
    CallError, ChildRef, ChildSpec, Context, DynamicRef, Fault, Flow, Recipient, Reply, Report,
    Server, StateView,
};
use tracing::{debug, info, warn};

use crate::build::BuildFact;
use crate::builds::Builds;
use crate::chronicle::{Chronicle, PREPARE_RETRY};
use crate::elders::Elders;
use crate::ledger::pull_stream;
use crate::record::{memory_snapshot, pull_event, pull_record, recalled};
use crate::view::PullView;

/// How others speak to a pull request.
#[derive(Clone, Debug)]
pub struct PullHandle(ChildRef<Msg>);

impl PullHandle {
    /// Tells what the forge says; `applied` is told once that is on record, or is no news.
    pub(crate) fn observe(&self, observation: Observation, applied: Option<Recipient<()>>) {
        // A pull request that is being restarted is observed again at the next poll; a delivery whose
        // observation is lost stays pending and is read again.
        let _restarting = self.0.cast(Msg::Observe(Box::new(observation), applied));
    }

    /// Asks for something on behalf of `by`; answers with the jobs that it concerns.
    ///
    /// # Errors
    /// The pull request does not answer; a refusal is an answer.
    pub async fn request(
        &self,
        request: Request,
        by: Login,
        comment: Option<CommentId>,
    ) -> Result<Result<Vec<JobId>, Refusal>, CallError> {
        self.0.call(|reply| Msg::Request(Asked { request, by, comment }, reply)).await
    }

    /// Describes the pull request for people.
    ///
    /// # Errors
    /// The pull request does not answer.
    pub async fn view(&self) -> Result<PullView, CallError> {
        self.0.call(Msg::View).await
    }

    /// The way for reports about its builds.
    pub(crate) fn reports(&self) -> Recipient<Report> {
        self.0.recipient(|report| Msg::Report(Box::new(report)))
    }

    /// Takes note of the room on the disk.
    pub(crate) fn note_disk(&self, disk: Disk) {
        let _restarting = self.0.cast(Msg::Disk(disk));
    }
}

/// What a pull request tells its watcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PullFact {
    /// It is closed, and nothing of it is left.
    Ended(PullNumber),
}

/// What a pull request's actor is started with.
#[derive(Clone)]
pub(crate) struct PullArgs {
    pub(crate) elders: Arc<Elders>,
    pub(crate) number: PullNumber,
    pub(crate) builds: DynamicRef,
    pub(crate) watcher: Recipient<PullFact>,
}

/// Describes a pull request's actor as a child.
pub(crate) fn start(args: PullArgs) -> (ChildSpec, PullHandle) {
    let (spec, reference) = ChildSpec::server::<PullActor>("pull", move || args.clone());
    (spec, PullHandle(reference))
}

/// Reads the machine of a pull request from its stream, and how many records that took.
///
/// # Errors
/// The stream cannot be read, or holds a record that this program does not know.
pub(crate) async fn replay(elders: &Elders, number: PullNumber) -> Result<(Pull, usize), Fault> {
    let stream = pull_stream(&elders.repo, number);
    let replay = elders.ledger.read(&stream).await?;
    let mut pull = match &replay.snapshot {
        Some(snapshot) => Pull::remembering(config(elders, number), recalled(&snapshot.body)?),
        None => Pull::new(config(elders, number)),
    };
    for (_, record) in &replay.records {
        pull.replay(pull_event(record)?);
    }
    Ok((pull, replay.records.len()))
}

pub(crate) fn config(elders: &Elders, number: PullNumber) -> PullConfig {
    PullConfig {
        repo: elders.repo.clone(),
        number,
        prefix: format!("{}-p{number}", elders.slug),
        isolation: elders.settings.isolation,
        isolation_trouble: elders.settings.isolation_trouble.clone(),
    }
}

struct PullActor {
    args: PullArgs,
    chronicle: Chronicle,
    pull: Pull,
    builds: Builds,
    /// While what a closed pull request holds is being freed: what came meanwhile.
    freeing: Option<Vec<Seen>>,
}

/// What the forge says, and who wants to know that it is on record.
type Seen = (Box<Observation>, Option<Recipient<()>>);

/// What somebody asks for.
struct Asked {
    request: Request,
    by: Login,
    comment: Option<CommentId>,
}

enum Msg {
    Resume,
    Observe(Box<Observation>, Option<Recipient<()>>),
    Freed,
    Prepared(Basis, Result<Box<Prepared>, String>),
    RetryPreparation,
    Belonging(Result<BTreeMap<Question, bool>, ForgeError>),
    Build(BuildFact),
    Request(Asked, Reply<Result<Vec<JobId>, Refusal>>),
    Disk(Disk),
    Report(Box<Report>),
    View(Reply<PullView>),
}

impl Server for PullActor {
    type Args = PullArgs;
    type Msg = Msg;

    const STATE: StateView<Self> = StateView::inspect();

    async fn init(args: PullArgs, cx: &mut Context<Msg>) -> Result<Self, Fault> {
        let (pull, since_snapshot) = replay(&args.elders, args.number).await?;
        let stream = pull_stream(&args.elders.repo, args.number);
        let chronicle = Chronicle::new(args.elders.clone(), stream, since_snapshot);
        // What is owed is done after the start, when the younger siblings are there.
        let _self = cx.myself().cast(Msg::Resume);
        let (elders, parent) = (args.elders.clone(), cx.myself().recipient(Msg::Build));
        let reports = cx.myself().recipient(|report| Msg::Report(Box::new(report)));
        let builds = Builds::new(elders, args.builds.clone(), (parent, reports));
        Ok(Self { args, chronicle, pull, builds, freeing: None })
    }

    async fn handle(&mut self, msg: Msg, cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        self.take(msg, cx).await?;
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Resume => "resume",
            Msg::Observe(..) => "observe",
            Msg::Freed => "freed",
            Msg::Prepared(..) => "prepared",
            Msg::RetryPreparation => "retry-preparation",
            Msg::Belonging(_) => "belonging",
            Msg::Build(_) => "build",
            Msg::Request(..) => "request",
            Msg::Disk(_) => "disk",
            Msg::Report(_) => "report",
            Msg::View(_) => "view",
        }
    }
}

impl PullActor {
    async fn take(&mut self, msg: Msg, cx: &mut Context<Msg>) -> Result<(), Fault> {
        match msg {
            Msg::Resume => {
                let step = self.pull.resume();
                self.carry_out(step, cx).await?;
            }
            Msg::Observe(observation, applied) => self.observe((observation, applied), cx).await?,
            Msg::Freed => self.freed(cx).await?,
            Msg::Prepared(_, Ok(prepared)) => self.apply(PullEvent::Prepared(prepared), cx).await?,
            Msg::Prepared(basis, Err(reason)) => self.preparation_failed(basis, reason, cx).await?,
            Msg::RetryPreparation => {
                let step = self.pull.retry_preparation();
                self.carry_out(step, cx).await?;
            }
            Msg::Belonging(Ok(answers)) => {
                self.apply(PullEvent::BelongingRead(answers), cx).await?;
            }
            Msg::Belonging(Err(error)) => {
                warn!(repo = %self.args.elders.repo, pull = %self.args.number, %error, "failed to ask about owners");
                let _timer = cx.send_after(PREPARE_RETRY, Msg::RetryPreparation);
            }
            Msg::Build(fact) => self.take_fact(fact, cx).await?,
            Msg::Request(asked, reply) => {
                let answer = self.request(asked, cx).await?;
                reply.send(answer);
            }
            Msg::Disk(disk) => {
                let step = self.pull.note_disk(disk);
                self.carry_out(step, cx).await?;
            }
            Msg::Report(report) => self.builds.take_report(&report)?,
            Msg::View(reply) => {
                reply.send(PullView::new(&self.pull, self.builds.progress().as_ref()));
            }
        }
        Ok(())
    }

    /// Takes to heart what the forge says; one that is reopened while it is freed waits for that, or its
    /// next build would find its workspace gone.
    async fn observe(&mut self, seen: Seen, cx: &mut Context<Msg>) -> Result<(), Fault> {
        if let Some(waiting) = &mut self.freeing {
            waiting.push(seen);
            return Ok(());
        }
        let (observation, applied) = seen;
        self.apply(PullEvent::Observed(*observation), cx).await?;
        if let Some(applied) = applied {
            applied.tell(());
        }
        Ok(())
    }

    /// It is over, unless there is news.
    async fn freed(&mut self, cx: &mut Context<Msg>) -> Result<(), Fault> {
        let seen = self.freeing.take().unwrap_or_default();
        if seen.is_empty() {
            self.args.watcher.tell(PullFact::Ended(self.args.number));
        }
        for seen in seen {
            self.observe(seen, cx).await?;
        }
        Ok(())
    }

    async fn apply(&mut self, event: PullEvent, cx: &mut Context<Msg>) -> Result<(), Fault> {
        match self.pull.apply(event) {
            Ok(step) => self.carry_out(step, cx).await,
            Err(unexpected) => {
                debug!(pull = %self.args.number, %unexpected, "ignored");
                Ok(())
            }
        }
    }

    /// Records, then acts, then says what the forge should say now.
    async fn carry_out(&mut self, step: PullStep, cx: &mut Context<Msg>) -> Result<(), Fault> {
        let records = step.record.iter().map(pull_record).collect();
        self.chronicle.record(records, || memory_snapshot(&self.pull.memory())).await?;
        for effect in step.effects {
            self.perform(effect, cx).await?;
        }
        // After the effects: a build that is to stop has been told so before its jobs learn why.
        if let Some(build) = self.pull.build() {
            self.builds.tell_origin(Origin::pull(&self.pull, &build.spec.head));
        }
        self.publish();
        Ok(())
    }

    async fn take_fact(&mut self, fact: BuildFact, cx: &mut Context<Msg>) -> Result<(), Fault> {
        match fact {
            BuildFact::Progressed(number, progress) => {
                self.builds.note(number, progress);
                Ok(())
            }
            BuildFact::JobFinished { head, job, outcome } => {
                self.apply(PullEvent::JobFinished { head, job, outcome }, cx).await
            }
            BuildFact::Resumed { build, orders } => {
                self.apply(PullEvent::BuildResumed { build, orders }, cx).await
            }
            BuildFact::Finished { build, orders } => {
                self.apply(PullEvent::BuildFinished { build, orders }, cx).await
            }
        }
    }

    async fn preparation_failed(
        &mut self,
        basis: Basis,
        reason: String,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        warn!(repo = %self.args.elders.repo, pull = %self.args.number, %reason, "failed to prepare");
        let _timer = cx.send_after(PREPARE_RETRY, Msg::RetryPreparation);
        self.apply(PullEvent::PrepareFailed { basis, reason }, cx).await
    }

    async fn request(
        &mut self,
        asked: Asked,
        cx: &mut Context<Msg>,
    ) -> Result<Result<Vec<JobId>, Refusal>, Fault> {
        let Asked { request, by, comment } = asked;
        if comment.is_some_and(|comment| self.pull.has_heeded(comment)) {
            return Ok(Ok(Vec::new()));
        }
        let answer = self.pull.consider(&request);
        if answer.is_ok() {
            info!(pull = %self.args.number, ?request, %by, "requested");
            self.apply(PullEvent::Requested { request, by, comment }, cx).await?;
        }
        Ok(answer)
    }

    /// Says what the forge should say now.
    fn publish(&mut self) {
        self.chronicle.publish(self.pull.report(&self.args.elders.voice));
    }
}
