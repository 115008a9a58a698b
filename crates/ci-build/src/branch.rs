//! One branch that is built on push: folds what happens to it, decides, records, and then acts.
//!
//! Parent: `branch-<name>`. Children: none; its build is started under `builds`, its younger sibling.
//! Restart: permanent, by replay of its stream. Commands in: [`BranchHandle`]. Facts out: [`BranchFact`].

mod force;
mod perform;

use std::sync::Arc;

use ci_domain::branch::{Branch, BranchConfig, BranchEvent, BranchStep, Tip};
use ci_domain::forge::ForceTarget;
use ci_domain::ids::{BranchName, Login};
use ci_domain::may_run::Disk;
use ci_domain::nightly::Tonight;
use ci_domain::outline::{Basis, Prepared};
use heights::{
    CallError, ChildRef, ChildSpec, Context, DynamicRef, Fault, Flow, Recipient, Reply, Report,
    Server,
};
use tracing::{debug, warn};

use crate::build::BuildFact;
use crate::builds::Builds;
use crate::chronicle::{Chronicle, PREPARE_RETRY};
use crate::elders::Elders;
use crate::ledger::branch_stream;
use crate::record::{branch_event, branch_record, branch_snapshot, recalled_branch};
use crate::view::BranchView;

pub(crate) use force::{Forced, Which};

/// How others speak to a branch.
#[derive(Clone, Debug)]
pub(crate) struct BranchHandle(ChildRef<Msg>);

impl BranchHandle {
    /// Tells where the branch is, or with `None` that it is not built any more.
    pub(crate) fn observe(&self, tip: Option<Tip>) {
        // A branch that is being restarted is observed again at the next poll.
        let _restarting = self.0.cast(Msg::Observe(tip));
    }

    /// Has jobs run on behalf of `by`, even if they have run; answers with the jobs that it concerns.
    ///
    /// # Errors
    /// The branch does not answer; a refusal is an answer.
    pub(crate) async fn force(
        &self,
        which: Which,
        target: ForceTarget,
        by: Login,
    ) -> Result<Forced, CallError> {
        self.0.call(|reply| Msg::Force(which, target, by, reply)).await
    }

    /// Has the next build begin with a fresh workspace, on behalf of `by`.
    pub(crate) fn reseed(&self, by: Login) {
        // Whoever asks forces a job next, and hears from that whether the branch answers.
        let _restarting = self.0.cast(Msg::Reseed(by));
    }

    /// Describes the branch for people.
    ///
    /// # Errors
    /// The branch does not answer.
    pub(crate) async fn view(&self) -> Result<BranchView, CallError> {
        self.0.call(Msg::View).await
    }

    /// The way for reports about its builds.
    pub(crate) fn reports(&self) -> Recipient<Report> {
        self.0.recipient(|report| Msg::Report(Box::new(report)))
    }

    /// Takes note of the room on the disk.
    pub(crate) fn note_disk(&self, disk: Disk) {
        let _restarting = self.0.cast(Msg::Note(Surroundings::Disk(disk)));
    }

    /// Takes note of which night it is.
    pub(crate) fn note_night(&self, tonight: Tonight) {
        // A branch that is being restarted is told at the next tick.
        let _restarting = self.0.cast(Msg::Note(Surroundings::Night(tonight)));
    }
}

/// What a branch tells its watcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BranchFact {
    /// It is not built any more, and nothing of it is left.
    Ended(BranchName),
}

/// What a branch's actor is started with.
#[derive(Clone)]
pub(crate) struct BranchArgs {
    pub(crate) elders: Arc<Elders>,
    pub(crate) name: BranchName,
    pub(crate) builds: DynamicRef,
    pub(crate) watcher: Recipient<BranchFact>,
}

/// Describes a branch's actor as a child.
pub(crate) fn start(args: BranchArgs) -> (ChildSpec, BranchHandle) {
    let (spec, reference) = ChildSpec::server::<BranchActor>("branch", move || args.clone());
    (spec, BranchHandle(reference))
}

/// Reads the machine of a branch from its stream, and how many records that took.
///
/// # Errors
/// The stream cannot be read, or holds a record that this program does not know.
pub(crate) async fn replay(elders: &Elders, name: &BranchName) -> Result<(Branch, usize), Fault> {
    let replay = elders.ledger.read(&branch_stream(&elders.repo, name)).await?;
    let config = config(elders, name);
    let mut branch = match &replay.snapshot {
        Some(snapshot) => Branch::remembering(config, recalled_branch(&snapshot.body)?),
        None => Branch::new(config),
    };
    for (_, record) in &replay.records {
        branch.replay(branch_event(record)?);
    }
    Ok((branch, replay.records.len()))
}

/// Records that a branch's actors are given up.
///
/// # Errors
/// The stream cannot be written.
pub(crate) async fn give_up(elders: &Elders, name: &BranchName) -> Result<(), Fault> {
    let record = branch_record(&BranchEvent::GivenUp);
    elders.ledger.append(&branch_stream(&elders.repo, name), vec![record]).await?;
    Ok(())
}

fn config(elders: &Elders, name: &BranchName) -> BranchConfig {
    BranchConfig {
        repo: elders.repo.clone(),
        name: name.clone(),
        prefix: elders.branch_prefix(name),
        isolation: elders.settings.isolation,
        isolation_trouble: elders.settings.isolation_trouble.clone(),
    }
}

struct BranchActor {
    args: BranchArgs,
    chronicle: Chronicle,
    branch: Branch,
    builds: Builds,
    /// While what a branch that is gone holds is being freed: where it came back meanwhile.
    freeing: Option<Option<Tip>>,
}

enum Msg {
    Resume,
    Observe(Option<Tip>),
    Freed,
    Prepared(Basis, Result<Box<Prepared>, String>),
    RetryPreparation,
    Build(BuildFact),
    Force(Which, ForceTarget, Login, Reply<Forced>),
    Reseed(Login),
    Note(Surroundings),
    Report(Box<Report>),
    View(Reply<BranchView>),
}

/// What holds for every branch and is on no record.
enum Surroundings {
    Disk(Disk),
    Night(Tonight),
}

impl Server for BranchActor {
    type Args = BranchArgs;
    type Msg = Msg;

    async fn init(args: BranchArgs, cx: &mut Context<Msg>) -> Result<Self, Fault> {
        let (branch, since_snapshot) = replay(&args.elders, &args.name).await?;
        let stream = branch_stream(&args.elders.repo, &args.name);
        let chronicle = Chronicle::new(args.elders.clone(), stream, since_snapshot);
        let (elders, parent) = (args.elders.clone(), cx.myself().recipient(Msg::Build));
        let reports = cx.myself().recipient(|report| Msg::Report(Box::new(report)));
        let builds = Builds::new(elders, args.builds.clone(), (parent, reports));
        // What is owed is done after the start, when the younger siblings are there.
        let _self = cx.myself().cast(Msg::Resume);
        Ok(Self { args, chronicle, branch, builds, freeing: None })
    }

    async fn handle(&mut self, msg: Msg, cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Resume => {
                let step = self.branch.resume();
                self.carry_out(step, cx).await?;
            }
            Msg::Observe(tip) => self.observe(tip, cx).await?,
            Msg::Freed => self.freed(cx).await?,
            Msg::Prepared(_, Ok(prepared)) => {
                self.apply(BranchEvent::Prepared(prepared), cx).await?;
            }
            Msg::Prepared(basis, Err(reason)) => {
                warn!(repo = %self.args.elders.repo, branch = %self.args.name, %reason, "failed to prepare");
                let _timer = cx.send_after(PREPARE_RETRY, Msg::RetryPreparation);
                self.apply(BranchEvent::PrepareFailed { basis, reason }, cx).await?;
            }
            Msg::RetryPreparation => {
                let step = self.branch.retry_preparation();
                self.carry_out(step, cx).await?;
            }
            Msg::Build(fact) => self.take_fact(fact, cx).await?,
            Msg::Force(which, target, by, reply) => {
                let answer = self.force(which, &target, by, cx).await?;
                reply.send(answer);
            }
            Msg::Reseed(by) => self.apply(BranchEvent::Reseed { by }, cx).await?,
            Msg::Note(surroundings) => {
                let step = match surroundings {
                    Surroundings::Disk(disk) => self.branch.note_disk(disk),
                    Surroundings::Night(tonight) => self.branch.note_night(tonight),
                };
                self.carry_out(step, cx).await?;
            }
            Msg::Report(report) => self.builds.take_report(&report)?,
            Msg::View(reply) => {
                reply.send(BranchView::new(&self.branch, self.builds.progress().as_ref()));
            }
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Resume => "resume",
            Msg::Observe(_) => "observe",
            Msg::Freed => "freed",
            Msg::Prepared(..) => "prepared",
            Msg::RetryPreparation => "retry-preparation",
            Msg::Build(_) => "build",
            Msg::Force(..) => "force",
            Msg::Reseed(_) => "reseed",
            Msg::Note(Surroundings::Disk(_)) => "disk",
            Msg::Note(Surroundings::Night(_)) => "night",
            Msg::Report(_) => "report",
            Msg::View(_) => "view",
        }
    }
}

impl BranchActor {
    /// Takes to heart where the branch is; one that comes back while it is freed waits for that, or its
    /// next build would find its workspace gone.
    async fn observe(&mut self, tip: Option<Tip>, cx: &mut Context<Msg>) -> Result<(), Fault> {
        if let Some(waiting) = &mut self.freeing {
            *waiting = tip;
            return Ok(());
        }
        self.apply(tip.map_or(BranchEvent::Gone, BranchEvent::Observed), cx).await
    }

    /// It is over, unless it has come back.
    async fn freed(&mut self, cx: &mut Context<Msg>) -> Result<(), Fault> {
        match self.freeing.take().flatten() {
            Some(tip) => self.observe(Some(tip), cx).await,
            None => {
                self.args.watcher.tell(BranchFact::Ended(self.args.name.clone()));
                Ok(())
            }
        }
    }

    async fn apply(&mut self, event: BranchEvent, cx: &mut Context<Msg>) -> Result<(), Fault> {
        match self.branch.apply(event) {
            Ok(step) => self.carry_out(step, cx).await,
            Err(unexpected) => {
                debug!(branch = %self.args.name, %unexpected, "ignored");
                Ok(())
            }
        }
    }

    /// Records, then acts, then says what the forge should say now.
    async fn carry_out(&mut self, step: BranchStep, cx: &mut Context<Msg>) -> Result<(), Fault> {
        let records = step.record.iter().map(branch_record).collect();
        self.chronicle.record(records, || branch_snapshot(self.branch.memory())).await?;
        for effect in step.effects {
            self.perform(effect, cx).await?;
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
                self.apply(BranchEvent::JobFinished { head, job, outcome }, cx).await
            }
            BuildFact::Resumed { build, .. } => {
                self.apply(BranchEvent::BuildResumed(build), cx).await
            }
            BuildFact::Finished { build, .. } => {
                self.apply(BranchEvent::BuildFinished(build), cx).await
            }
        }
    }
}
