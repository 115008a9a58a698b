//! One build of a pull request or branch: prepares the workspace, starts each job when its needs have passed.
//!
//! Parent: `build-K`. Children: none; its jobs are started under `jobs`, its younger sibling.
//! Restart: permanent, by replay of its stream; runners go on meanwhile and are adopted.
//! Commands in: [`BuildHandle`]. Facts out: [`BuildFact`].

mod sight;

use std::collections::BTreeMap;
use std::sync::Arc;

use ci_domain::build::{Build, BuildEffect, BuildEvent, BuildSpec, BuildStep, Order};
use ci_domain::ids::{AttemptId, BuildNumber, CommitSha, JobId};
use ci_domain::outcome::Outcome;
use ci_store::StreamId;
use heights::{
    ChildRef, ChildSpec, Context, DynamicRef, DynamicSupervisor, Fault, Flow, Recipient, Report,
    Restart, Server, StateView, Strategy, Supervisor,
};
use tracing::debug;

use crate::elders::Elders;
use crate::errand::errand;
use crate::job::{self, JobArgs, JobFact, JobHandle, JobPhase};
use crate::ledger::build_stream;
use crate::origin::{Origin, OriginView};
use crate::record::{build_event, build_record};
use crate::sibling::start_child;
use crate::subject_tree::faults::faults;

/// How often a build's actors may crash before their pull request or branch is thought broken.
const INTENSITY: (u32, std::time::Duration) = (5, std::time::Duration::from_secs(60));

/// How a pull request or branch speaks to its build.
#[derive(Clone, Debug)]
pub(crate) struct BuildHandle(ChildRef<Msg>);

impl BuildHandle {
    /// Gives the `index`th order; one that was given before is not taken again.
    pub(crate) fn order(&self, index: u64, order: Order) {
        // A build that is being restarted takes the pull request with it, which then orders again.
        let _restarting = self.0.cast(Msg::Happened(BuildEvent::Ordered { index, order }));
    }

    /// Says that the build is not wanted any more.
    pub(crate) fn supersede(&self) {
        let _restarting = self.0.cast(Msg::Happened(BuildEvent::Superseded));
    }
}

/// What a build tells its pull request or branch.
#[derive(Clone, Debug)]
pub(crate) enum BuildFact {
    /// Its jobs have come further; for people who watch, nothing depends on it.
    Progressed(BuildNumber, Progress),
    /// The actor began anew; what it had been sent and had not recorded is lost.
    Resumed {
        /// The build.
        build: BuildNumber,
        /// The orders that it has on record.
        orders: u64,
    },
    /// A job ended.
    JobFinished {
        /// The head that it was run for.
        head: CommitSha,
        /// The job.
        job: JobId,
        /// How it ended.
        outcome: Outcome,
    },
    /// Nothing runs any more.
    Finished {
        /// The build.
        build: BuildNumber,
        /// The orders that it had taken.
        orders: u64,
    },
}

/// How far each attempt under way is.
pub(crate) type Progress = BTreeMap<JobId, (AttemptId, JobPhase)>;

/// What a build is started with.
#[derive(Clone)]
pub(crate) struct BuildArgs {
    pub(crate) elders: Arc<Elders>,
    /// Where the code comes from, as was known when the build was started.
    pub(crate) origin: Origin,
    /// The same as is known by now.
    pub(crate) origins: OriginView,
    pub(crate) spec: BuildSpec,
    pub(crate) parent: Recipient<BuildFact>,
    /// Is told what goes wrong with its actors.
    pub(crate) reports: Recipient<Report>,
}

/// Describes a build, with its jobs, as a child.
pub(crate) fn start(args: BuildArgs) -> (ChildSpec, BuildHandle) {
    let name = format!("build-{}", args.spec.number);
    let reports = faults(args.reports.clone());
    let (jobs, jobs_ref) = DynamicSupervisor::builder("jobs")
        .intensity(INTENSITY.0, INTENSITY.1)
        .on_report(reports.clone())
        .child_spec();
    let make = move || (args.clone(), jobs_ref.clone());
    let (actor, reference) = ChildSpec::server::<BuildActor>("build", make);
    let (spec, _) = Supervisor::builder(name)
        // Who decides starts anew with those it started, or it would wait for ever for one that is gone.
        .strategy(Strategy::OneForAll)
        .intensity(INTENSITY.0, INTENSITY.1)
        .on_report(reports)
        .child(actor)
        .child(jobs)
        .child_spec();
    (spec.restart(Restart::Transient), BuildHandle(reference))
}

struct BuildActor {
    args: BuildArgs,
    jobs: DynamicRef,
    stream: StreamId,
    build: Build,
    running: BTreeMap<AttemptId, JobHandle>,
    progress: Progress,
    is_preparing: bool,
}

enum Msg {
    Resume,
    Happened(BuildEvent),
    Workspace(Result<(), String>),
    Job(JobFact),
}

impl Server for BuildActor {
    type Args = (BuildArgs, DynamicRef);
    type Msg = Msg;

    const STATE: StateView<Self> = StateView::inspect();

    async fn init((args, jobs): Self::Args, cx: &mut Context<Msg>) -> Result<Self, Fault> {
        let stream = build_stream(&args.elders.repo, &args.origin.subject, args.spec.number);
        let replay = args.elders.ledger.read(&stream).await?;
        let events = replay.records.iter().map(|(_, record)| build_event(record));
        let events: Vec<BuildEvent> = events.collect::<Result<_, _>>()?;
        let build = match Build::replay(events) {
            Some(build) => build,
            None => {
                let began = build_record(&BuildEvent::Began(args.spec.clone()));
                args.elders.ledger.append(&stream, vec![began]).await?;
                Build::new(args.spec.clone())
            }
        };
        // What is owed is done after the start: the younger sibling waits for us.
        let _self = cx.myself().cast(Msg::Resume);
        let (running, progress) = (BTreeMap::new(), Progress::new());
        Ok(Self { args, jobs, stream, build, running, progress, is_preparing: false })
    }

    async fn handle(&mut self, msg: Msg, cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Resume => {
                let step = self.build.resume();
                self.carry_out(step, cx).await?;
            }
            Msg::Happened(event) => self.apply(event, cx).await?,
            Msg::Workspace(result) => {
                self.is_preparing = false;
                let event = match result {
                    Ok(()) => BuildEvent::WorkspaceReady,
                    Err(reason) => BuildEvent::WorkspaceFailed { reason },
                };
                self.apply(event, cx).await?;
            }
            Msg::Job(fact) => self.take_fact(fact, cx).await?,
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Resume => "resume",
            Msg::Happened(_) => "happened",
            Msg::Workspace(_) => "workspace",
            Msg::Job(_) => "job",
        }
    }
}

impl BuildActor {
    async fn apply(&mut self, event: BuildEvent, cx: &mut Context<Msg>) -> Result<(), Fault> {
        match self.build.apply(event) {
            Ok(step) => self.carry_out(step, cx).await,
            Err(unexpected) => {
                debug!(build = %self.args.spec.number, %unexpected, "ignored");
                Ok(())
            }
        }
    }

    /// Records, then acts.
    async fn carry_out(&mut self, step: BuildStep, cx: &mut Context<Msg>) -> Result<(), Fault> {
        if !step.record.is_empty() {
            let records = step.record.iter().map(build_record).collect();
            self.args.elders.ledger.append(&self.stream, records).await?;
        }
        for effect in step.effects {
            self.perform(effect, cx).await?;
        }
        Ok(())
    }

    async fn perform(&mut self, effect: BuildEffect, cx: &mut Context<Msg>) -> Result<(), Fault> {
        match effect {
            BuildEffect::PrepareWorkspace => self.prepare_workspace(cx).await?,
            BuildEffect::StartAttempt { job, attempt } => {
                self.start_attempt(job, attempt, cx).await?;
            }
            BuildEffect::CancelAttempt { attempt } => {
                if let Some(job) = self.running.get(&attempt) {
                    job.cancel();
                }
            }
            BuildEffect::TellFinishedJob { job, outcome } => {
                let head = self.args.spec.head.clone();
                self.args.parent.tell(BuildFact::JobFinished { head, job, outcome });
            }
            BuildEffect::TellResumed { orders } => {
                let build = self.args.spec.number;
                self.args.parent.tell(BuildFact::Resumed { build, orders });
            }
            BuildEffect::TellFinished { orders } => {
                let build = self.args.spec.number;
                self.args.parent.tell(BuildFact::Finished { build, orders });
            }
        }
        Ok(())
    }

    async fn prepare_workspace(&mut self, cx: &mut Context<Msg>) -> Result<(), Fault> {
        if self.is_preparing {
            return Ok(());
        }
        self.is_preparing = true;
        let (elders, origin) = (self.args.elders.clone(), self.args.origin.clone());
        let (spec, myself) = (self.args.spec.clone(), cx.myself());
        errand(
            &self.args.elders.errands,
            "workspace",
            async move { elders.prepare_workspace(&origin, &spec).await },
            move |result| {
                let result = match result {
                    Ok(result) => result.map_err(|error| format!("make the workspace: {error}")),
                    Err(lost) => Err(format!("make the workspace: {lost}")),
                };
                // A build that is gone asks again in its next life.
                let _gone = myself.cast(Msg::Workspace(result));
            },
        )
        .await
    }

    async fn start_attempt(
        &mut self,
        job: JobId,
        attempt: AttemptId,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let (child, handle) = job::start(JobArgs {
            elders: self.args.elders.clone(),
            origin: self.args.origin.clone(),
            origins: self.args.origins.clone(),
            head: self.args.spec.head.clone(),
            merge: self.args.spec.merge.clone(),
            job,
            attempt: attempt.clone(),
            parent: cx.myself().recipient(Msg::Job),
        });
        start_child(&self.jobs, child).await?;
        self.running.insert(attempt, handle);
        Ok(())
    }

    async fn take_fact(&mut self, fact: JobFact, cx: &mut Context<Msg>) -> Result<(), Fault> {
        match fact {
            JobFact::Progressed { job, attempt, phase } => {
                self.progress.insert(job, (attempt, phase));
                self.tell_progress();
                Ok(())
            }
            JobFact::Ended { job, attempt, end } => {
                self.running.remove(&attempt);
                self.apply(BuildEvent::AttemptEnded { attempt, end }, cx).await?;
                // Only now: between the two the job would seem never to have run.
                self.progress.remove(&job);
                self.tell_progress();
                Ok(())
            }
        }
    }

    fn tell_progress(&self) {
        let fact = BuildFact::Progressed(self.args.spec.number, self.progress.clone());
        self.args.parent.tell(fact);
    }
}
