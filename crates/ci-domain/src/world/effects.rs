//! How the simulated node carries out what the machines decide, and what it holds against them.

use std::time::Duration;

use crate::build::{AttemptEnd, Build, BuildEffect, BuildEvent, BuildSpec, BuildStep};
use crate::ids::{AttemptId, JobId};
use crate::may_run::{Disk, MayRun};
use crate::origin::Origin;
use crate::outcome::JobResult;
use crate::pull::{PullEffect, PullEvent, PullStep, Question};
use crate::world::setup::{self, config};
use crate::world::{BuildActor, Runner, Spawned, ToBuild, World};

impl World {
    pub(crate) fn carry_out(&mut self, step: PullStep, fuse: Option<usize>) {
        self.disk.pull.extend(step.record);
        self.check_replay();
        for effect in step.effects.into_iter().take(fuse.unwrap_or(usize::MAX)) {
            self.perform(effect);
        }
        if fuse.is_some() {
            self.crash();
        }
    }

    pub(super) fn fall(&mut self) {
        self.to_pull.clear();
        self.preparing.clear();
        self.build = None;
        self.abandoning = None;
    }

    fn perform(&mut self, effect: PullEffect) {
        self.trace.push(setup::in_short(&effect));
        match effect {
            PullEffect::Prepare(basis) => self.preparing.push_back(basis),
            PullEffect::Ask(questions) => {
                let is = |question: &Question| self.belongings.contains(question);
                let answers =
                    questions.into_iter().map(|question| (question.clone(), is(&question)));
                self.to_pull.push_back(PullEvent::BelongingRead(answers.collect()));
            }
            PullEffect::StartBuild(spec) => self.start_build(spec),
            PullEffect::Order { index, order } => {
                self.send_to_build(BuildEvent::Ordered { index, order });
            }
            PullEffect::Supersede => self.send_to_build(BuildEvent::Superseded),
            PullEffect::AbandonBuild(build) => self.abandoning = Some(build),
            PullEffect::EndBuild(build) => {
                self.expect_no_runner(|runner| runner.build == build);
                self.build = None;
            }
            PullEffect::Close => {
                self.expect_no_runner(|_| true);
                self.closed = true;
            }
        }
    }

    fn start_build(&mut self, spec: BuildSpec) {
        if let Some(actor) = &self.build {
            assert_eq!(actor.build.spec().number, spec.number, "two builds at once");
            return;
        }
        self.expect_no_runner(|runner| runner.build != spec.number);
        let number = spec.number;
        let log = self.disk.builds.entry(number).or_insert_with(|| vec![BuildEvent::Began(spec)]);
        self.build = Some(BuildActor::new(Build::replay(log.clone()).unwrap()));
    }

    fn send_to_build(&mut self, event: BuildEvent) {
        if let Some(actor) = &mut self.build {
            actor.inbox.push_back(ToBuild::Event(event));
        }
    }

    pub(super) fn carry_out_build(&mut self, step: BuildStep, fuse: Option<usize>) {
        let Some(actor) = &self.build else { return };
        let spec = actor.build.spec().clone();
        self.disk.builds.entry(spec.number).or_default().extend(step.record);
        for effect in step.effects.into_iter().take(fuse.unwrap_or(usize::MAX)) {
            self.perform_for_build(effect, &spec);
        }
        if fuse.is_some() {
            self.crash_build();
        }
    }

    fn perform_for_build(&mut self, effect: BuildEffect, spec: &BuildSpec) {
        let build = spec.number;
        match effect {
            BuildEffect::PrepareWorkspace => {
                self.expect_no_runner(|_| true);
                self.workspace = None;
                self.build.as_mut().unwrap().is_preparing = true;
            }
            BuildEffect::StartAttempt { job, attempt } => self.start_runner(job, attempt, spec),
            BuildEffect::CancelAttempt { attempt } => {
                // One that was not let start has ended already.
                if let Some(runner) = self.runners.get_mut(&attempt) {
                    runner.is_cancelled = true;
                }
            }
            BuildEffect::TellResumed { orders } => {
                self.to_pull.push_back(PullEvent::BuildResumed { build, orders });
            }
            BuildEffect::TellFinishedJob { job, outcome } => {
                let head = spec.head.clone();
                self.to_pull.push_back(PullEvent::JobFinished { head, job, outcome });
            }
            BuildEffect::TellFinished { orders } => {
                self.expect_no_runner(|_| true);
                self.to_pull.push_back(PullEvent::BuildFinished { build, orders });
            }
        }
    }

    /// Starts a runner, or adopts the one that is there and tells its end if it has ended.
    fn start_runner(&mut self, job: JobId, attempt: AttemptId, spec: &BuildSpec) {
        if let Some(runner) = self.runners.get(&attempt) {
            if let Some(end) = runner.end.clone() {
                self.send_to_build(BuildEvent::AttemptEnded { attempt, end });
            }
            return;
        }
        self.expect_no_runner(|runner| runner.job == job || runner.build != spec.number);
        assert_eq!(self.workspace.as_ref(), Some(&spec.merge), "{job} runs on another tree");
        let origin = Origin::pull(&self.pull, &spec.head);
        let may_run = origin.may_run(config().isolation, Disk::Ok);
        if may_run != MayRun::Yes {
            assert!(may_run.is_distrust(), "{job} cannot run: {may_run:?}");
            let (result, duration) = (JobResult::Cancelled, Duration::ZERO);
            let end = AttemptEnd::Finished { result, duration };
            return self.send_to_build(BuildEvent::AttemptEnded { attempt, end });
        }
        let (head, secrets) = (spec.head.clone(), origin.secrets);
        self.spawned.push(Spawned { head, secrets, known: self.disk.pull.len() });
        self.started.push(job.clone());
        let (build, merge) = (spec.number, spec.merge.clone());
        let runner = Runner { job, build, merge, is_cancelled: false, end: None };
        self.runners.insert(attempt, runner);
    }

    fn expect_no_runner(&self, is_wrong: impl Fn(&Runner) -> bool) {
        for (attempt, runner) in &self.runners {
            assert!(runner.end.is_some() || !is_wrong(runner), "{attempt} is running");
        }
    }

    fn check_replay(&self) {
        let lasting = self.pull.clone().without_volatile_parts();
        assert_eq!(self.replayed(), lasting);
        let remembered = crate::pull::Pull::remembering(super::setup::config(), self.pull.memory());
        assert_eq!(remembered, lasting);
    }
}
