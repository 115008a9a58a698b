//! A simulated node for tests: it carries out the effects of the real machines, loses what a crash
//! loses, and checks on every step what must never happen.

mod chance;
mod effects;
mod setup;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::build::{AttemptEnd, Build, BuildEvent, BuildStep, UnexpectedBuildEvent};
use crate::gate::Verdict;
use crate::ids::{AttemptId, BuildNumber, CommitSha, JobId, Login};
use crate::may_run::Disk;
use crate::outcome::JobResult;
use crate::outline::{Basis, Preparation, Prepared};
use crate::policy::Policy;
use crate::pull::{Observation, Pull, PullEvent, Question, Refusal, Request, UnexpectedPullEvent};

pub(crate) use chance::{Chance, chances};
pub(crate) use setup::{config, id, observation, plan_of, planned, sha};

/// More steps than any settling takes.
const CEILING: usize = 5_000;

/// What preparing a basis comes to.
pub(crate) type Plan = Box<dyn Fn(&Basis) -> Preparation>;

/// How a job ends on a merge.
pub(crate) type Results = Box<dyn Fn(&CommitSha, &JobId) -> JobResult>;

/// One pull request on one node.
pub(crate) struct World {
    /// What the forge would say.
    pub(crate) truth: Observation,
    pub(crate) policy: Policy,
    pub(crate) plan: Plan,
    pub(crate) result: Results,
    /// Who belongs to whom.
    pub(crate) belongings: BTreeSet<Question>,
    pub(crate) pull: Pull,
    /// Every effect of the pull request that was carried out, in short.
    pub(crate) trace: Vec<String>,
    /// Every attempt that was started, in order.
    pub(crate) started: Vec<JobId>,
    /// Every runner that was spawned, in order.
    pub(crate) spawned: Vec<Spawned>,
    pub(crate) closed: bool,
    disk: Stored,
    runners: BTreeMap<AttemptId, Runner>,
    build: Option<BuildActor>,
    to_pull: VecDeque<PullEvent>,
    preparing: VecDeque<Basis>,
    abandoning: Option<BuildNumber>,
    workspace: Option<CommitSha>,
}

/// What outlives every crash, besides runners.
#[derive(Default)]
struct Stored {
    pull: Vec<PullEvent>,
    builds: BTreeMap<BuildNumber, Vec<BuildEvent>>,
}

/// A runner as it was spawned.
pub(crate) struct Spawned {
    pub(crate) head: CommitSha,
    /// The names of the secrets in its environment.
    pub(crate) secrets: BTreeSet<String>,
    /// How many events of the pull request were on record by then.
    pub(crate) known: usize,
}

struct Runner {
    job: JobId,
    build: BuildNumber,
    merge: CommitSha,
    is_cancelled: bool,
    end: Option<AttemptEnd>,
}

struct BuildActor {
    build: Build,
    inbox: VecDeque<ToBuild>,
    is_preparing: bool,
}

enum ToBuild {
    Resume,
    Event(BuildEvent),
}

impl World {
    /// A pull request with `jobs`, open, not approved, and not yet seen.
    pub(crate) fn new(jobs: &str) -> Self {
        Self {
            truth: observation(),
            policy: Policy::default(),
            plan: plan_of(jobs),
            result: Box::new(|_, _| JobResult::Passed),
            belongings: BTreeSet::new(),
            pull: Pull::new(config()),
            trace: Vec::new(),
            started: Vec::new(),
            spawned: Vec::new(),
            closed: false,
            disk: Stored::default(),
            runners: BTreeMap::new(),
            build: None,
            to_pull: VecDeque::new(),
            preparing: VecDeque::new(),
            abandoning: None,
            workspace: None,
        }
    }

    /// One that was seen and planned, and whose jobs have ended as `ended` says: `job result …`.
    pub(crate) fn planned(jobs: &str, ended: &str, change: impl FnOnce(&mut Self)) -> Self {
        let mut world = Self::new(jobs);
        change(&mut world);
        world.observe();
        world.answer_preparation(true);
        world.deliver_to_pull(None);
        let words: Vec<&str> = ended.split_whitespace().collect();
        for pair in words.chunks(2) {
            let head = world.truth.facts.head.sha.clone();
            let (job, outcome) = setup::ended(pair[0], pair[1]);
            world.tell(PullEvent::JobFinished { head, job, outcome }, None).unwrap();
        }
        world
    }

    /// The forge is read.
    pub(crate) fn observe(&mut self) {
        self.tell(PullEvent::Observed(self.truth.clone()), None).unwrap();
    }

    /// A person asks for something.
    pub(crate) fn request(&mut self, request: Request) -> Result<Vec<JobId>, Refusal> {
        let jobs = self.pull.consider(&request)?;
        let by = Login::new("ada").unwrap();
        self.tell(PullEvent::Requested { request, by, comment: None }, None).unwrap();
        Ok(jobs)
    }

    /// Lets everything take its course, and reads the forge a last time.
    pub(crate) fn settle(&mut self) {
        self.observe();
        let step = self.pull.note_disk(Disk::Ok);
        self.carry_out(step, None);
        for _ in 0..CEILING {
            if self.progress() {
                continue;
            }
            if self.pull.trouble().is_none() {
                return;
            }
            let step = self.pull.retry_preparation();
            self.carry_out(step, None);
        }
        panic!("it never comes to rest: {:#?}", self.pull);
    }

    /// Lets one thing happen that can, and says whether there was any.
    pub(crate) fn progress(&mut self) -> bool {
        self.deliver_to_pull(None)
            || self.deliver_to_build(None)
            || self.answer_preparation(true)
            || self.answer_workspace(true)
            || self.finish_abandoning()
            || self.end_runner(0, false)
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.pull.verdict()
    }

    /// The umbrella as `state: words`.
    pub(crate) fn umbrella(&self) -> String {
        let verdict = self.verdict();
        format!("{}: {}", verdict.state.as_str(), verdict.description)
    }

    /// The jobs of the present head with the given result.
    pub(crate) fn jobs_that(&self, word: &str) -> String {
        let outcomes = self.pull.outcomes();
        let meant = outcomes.iter().filter(|(_, outcome)| outcome.result.word() == word);
        meant.map(|(job, _)| job.to_string()).collect::<Vec<_>>().join(" ")
    }

    /// The jobs that run now.
    pub(crate) fn running(&self) -> String {
        let alive = self.runners.values().filter(|runner| runner.end.is_none());
        let mut jobs: Vec<String> = alive.map(|runner| runner.job.to_string()).collect();
        jobs.sort();
        jobs.join(" ")
    }

    /// Tells the pull request something and carries out what follows, up to `fuse` effects of it before
    /// everything but the runners crashes.
    pub(crate) fn tell(
        &mut self,
        event: PullEvent,
        fuse: Option<usize>,
    ) -> Result<(), UnexpectedPullEvent> {
        let step = self.pull.apply(event)?;
        self.carry_out(step, fuse);
        Ok(())
    }

    /// The actors die, what they have been sent is lost, and they begin anew.
    pub(crate) fn crash(&mut self) {
        self.fall();
        self.pull = self.replayed();
        let step = self.pull.resume();
        self.carry_out(step, None);
    }

    /// The actor of the build dies and begins anew.
    pub(crate) fn crash_build(&mut self) {
        let Some(actor) = &mut self.build else { return };
        let log = self.disk.builds[&actor.build.spec().number].clone();
        *actor = BuildActor::new(Build::replay(log).unwrap());
    }

    /// Every runner is killed from outside.
    pub(crate) fn lose_runners(&mut self) {
        while self.end_runner(0, true) {}
    }

    /// The actors are given up, as by a supervisor.
    pub(crate) fn quarantine(&mut self, reason: &str) {
        self.tell(PullEvent::Quarantined { reason: reason.to_owned() }, None).unwrap();
        self.fall();
        self.pull = self.replayed();
    }

    /// The events on record, the first so many of them.
    pub(crate) fn recorded(&self, count: usize) -> &[PullEvent] {
        &self.disk.pull[..count]
    }

    /// The present state, as a restart would find it.
    pub(crate) fn replayed(&self) -> Pull {
        let mut pull = Pull::new(config());
        self.disk.pull.iter().for_each(|event| pull.replay(event.clone()));
        pull
    }

    pub(crate) fn deliver_to_pull(&mut self, fuse: Option<usize>) -> bool {
        let Some(event) = self.to_pull.pop_front() else { return false };
        // What does not fit is ignored, as by the actor.
        let _unexpected = self.tell(event, fuse);
        true
    }

    pub(crate) fn deliver_to_build(&mut self, fuse: Option<usize>) -> bool {
        let Some(actor) = &mut self.build else { return false };
        let Some(message) = actor.inbox.pop_front() else { return false };
        let step: Result<BuildStep, UnexpectedBuildEvent> = match message {
            ToBuild::Resume => Ok(actor.build.resume()),
            ToBuild::Event(event) => actor.build.apply(event),
        };
        if let Ok(step) = step {
            self.carry_out_build(step, fuse);
        }
        true
    }

    pub(crate) fn answer_preparation(&mut self, works: bool) -> bool {
        let Some(basis) = self.preparing.pop_front() else { return false };
        self.to_pull.push_back(match works {
            true => PullEvent::Prepared(Box::new(Prepared {
                policy: self.policy.clone(),
                policy_error: None,
                result: (self.plan)(&basis),
                basis,
            })),
            false => PullEvent::PrepareFailed { basis, reason: "out of memory".to_owned() },
        });
        true
    }

    pub(crate) fn answer_workspace(&mut self, works: bool) -> bool {
        let Some(actor) = self.build.as_mut().filter(|actor| actor.is_preparing) else {
            return false;
        };
        actor.is_preparing = false;
        self.workspace = works.then(|| actor.build.spec().merge.clone());
        actor.inbox.push_back(ToBuild::Event(match works {
            true => BuildEvent::WorkspaceReady,
            false => BuildEvent::WorkspaceFailed { reason: "disk full".to_owned() },
        }));
        true
    }

    /// Ends one of the runners, the `choice`th among those alive.
    pub(crate) fn end_runner(&mut self, choice: usize, is_lost: bool) -> bool {
        let alive = self.runners.iter_mut().filter(|(_, runner)| runner.end.is_none());
        let mut alive: Vec<_> = alive.collect();
        if alive.is_empty() {
            return false;
        }
        let (attempt, runner) = alive.swap_remove(choice % alive.len());
        let end = if is_lost {
            AttemptEnd::Lost
        } else {
            let result = match runner.is_cancelled {
                true => JobResult::Cancelled,
                false => (self.result)(&runner.merge, &runner.job),
            };
            AttemptEnd::Finished { result, duration: Duration::from_secs(1) }
        };
        runner.end = Some(end.clone());
        let event = BuildEvent::AttemptEnded { attempt: attempt.clone(), end };
        if let Some(actor) = &mut self.build {
            actor.inbox.push_back(ToBuild::Event(event));
        }
        true
    }

    pub(crate) fn finish_abandoning(&mut self) -> bool {
        let Some(build) = self.abandoning.take() else { return false };
        for runner in self.runners.values_mut().filter(|runner| runner.build == build) {
            runner.end.get_or_insert(AttemptEnd::Lost);
        }
        self.to_pull.push_back(PullEvent::BuildFinished { build, orders: 0 });
        true
    }
}

impl BuildActor {
    fn new(build: Build) -> Self {
        Self { build, inbox: VecDeque::from([ToBuild::Resume]), is_preparing: false }
    }
}
