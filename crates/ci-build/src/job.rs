//! One attempt at one job: waits for a permit, starts or adopts its runner, follows it to its end.
//!
//! Parent: `jobs` of a build. Children: none; the runner is a process of its own that outlives us.
//! Restart: transient. Commands in: [`JobHandle`]. Facts out: [`JobFact`].
//!
//! ```text
//! run directory     what we do
//! ─────────────     ──────────
//! not started       permit, then start the runner of this very attempt
//! running           permit over the limit if need be, then follow it
//! finished          read how it ended
//! lost              sweep what it left; the build decides on another attempt
//! ```
//!
//! It is a task and not a server, since all it does is wait. Ending it, in whatever way, never touches
//! the runner: only [`JobHandle::cancel`] does.

mod image;
mod sight;
pub(crate) mod spec;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ci_domain::build::AttemptEnd;
use ci_domain::ids::{AttemptId, CommitSha, JobId};
use ci_domain::may_run::Disk;
use ci_domain::outcome::JobResult;
use ci_exec::{
    Fact, FollowError, JournalOffset, Outcome, RunDir, RunState, StartError, Stopped, UnixMillis,
    cancel, follow, sweep, sweep_attempt,
};
use ci_git::Presence;
use heights::{ChildSpec, Fault, Recipient, Restart, Shutdown, TaskContext};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::elders::Elders;
use crate::origin::{JobKind, Origin, OriginView, Party};
use crate::queues::JobPermit;

/// How the build speaks to an attempt.
#[derive(Clone, Debug)]
pub(crate) struct JobHandle(watch::Sender<bool>);

impl JobHandle {
    /// Has the attempt's commands ended; their end is told as a fact once it is proven.
    pub(crate) fn cancel(&self) {
        self.0.send_replace(true);
    }
}

/// What an attempt tells its build.
#[derive(Clone, Debug)]
pub(crate) enum JobFact {
    /// It has come further.
    Progressed {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: AttemptId,
        /// How far.
        phase: JobPhase,
    },
    /// It ended, and no process of it is left.
    Ended {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: AttemptId,
        /// How.
        end: AttemptEnd,
    },
}

/// How far an attempt is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobPhase {
    /// It waits for a permit of this queue.
    Waiting {
        /// The queue.
        queue: String,
        /// On whose behalf: parties take turns.
        party: Party,
        /// Since when.
        since: UnixMillis,
        /// How many jobs go first at most, as of the moment of looking.
        ahead: Option<usize>,
    },
    /// Its runner is at work.
    Running {
        /// Since when.
        since: UnixMillis,
    },
    /// It is being cancelled.
    Cancelling,
}

/// What an attempt is started with.
#[derive(Clone)]
pub(crate) struct JobArgs {
    pub(crate) elders: Arc<Elders>,
    /// Where the code comes from; once a permit is there, as is known by then.
    pub(crate) origin: Origin,
    pub(crate) origins: OriginView,
    pub(crate) head: CommitSha,
    pub(crate) merge: CommitSha,
    pub(crate) job: JobId,
    pub(crate) attempt: AttemptId,
    pub(crate) parent: Recipient<JobFact>,
}

/// Describes an attempt as a child.
pub(crate) fn start(args: JobArgs) -> (ChildSpec, JobHandle) {
    // The wish to cancel outlives a crash of the task: each life subscribes anew.
    let wish = watch::Sender::new(false);
    let handle = JobHandle(wish.clone());
    let name = format!("job-{}", args.attempt);
    let spec = ChildSpec::task(name, move |cx| {
        let (cancelled, phase) = (wish.subscribe(), Arc::default());
        let job = Job { args: args.clone(), cancelled, phase };
        async move { job.live(cx).await }
    });
    // There is nothing to finish: the runner goes on by itself.
    (spec.restart(Restart::Transient).shutdown(Shutdown::Brutal), handle)
}

struct Job {
    args: JobArgs,
    cancelled: watch::Receiver<bool>,
    /// How far it is, for whoever looks.
    phase: Arc<Mutex<Option<JobPhase>>>,
}

impl Job {
    async fn live(mut self, cx: TaskContext) -> Result<(), Fault> {
        let (args, phase) = (self.args.clone(), Arc::clone(&self.phase));
        cx.show(move |view| sight::show(&args, &phase, view));
        let end = self.attempt().await?;
        let (job, attempt) = (self.args.job.clone(), self.args.attempt.clone());
        info!(%job, %attempt, ?end, "ended");
        self.tidy();
        self.args.parent.tell(JobFact::Ended { job, attempt, end });
        Ok(())
    }

    async fn attempt(&mut self) -> Result<AttemptEnd, Fault> {
        loop {
            if let Some(end) = self.take_part().await? {
                return Ok(end);
            }
        }
    }

    /// Does what the run directory's state asks for; `None` where that turned out to have changed.
    async fn take_part(&mut self) -> Result<Option<AttemptEnd>, Fault> {
        let path = self.run_path();
        let state = match RunDir::open(&path) {
            Ok(dir) if !spec::is_of(&dir, &self.args)? => {
                self.put_aside(&dir).await?;
                None
            }
            Ok(dir) => Some((dir.state()?, dir)),
            Err(ci_exec::OpenError::Missing(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let queues = self.args.elders.queues.clone();
        match state {
            Some((RunState::Running(_), dir)) => {
                let ports = port_base(&dir);
                let permit = queues.adopt_job(self.job(), &self.args.attempt, ports);
                let _present = self.enter().await?;
                self.follow(&dir, permit).await.map(Some)
            }
            Some((RunState::Finished(_), dir)) => {
                queues.adopted(&self.args.attempt);
                self.follow(&dir, JobPermit::none()).await.map(Some)
            }
            Some((RunState::Lost, dir)) => {
                queues.adopted(&self.args.attempt);
                self.lost(&dir).await.map(Some)
            }
            Some((RunState::NotStarted, _)) | None => self.begin(path).await,
        }
    }

    /// Waits for a permit and starts the runner, unless the attempt is cancelled first. `None` where a
    /// runner that an earlier node started has come up meanwhile, or the disk has filled up.
    async fn begin(&mut self, path: PathBuf) -> Result<Option<AttemptEnd>, Fault> {
        let queues = self.args.elders.queues.clone();
        let (job, kind) = (self.args.job.clone(), self.args.origin.kind);
        let queue = queues.name_for(&job, kind);
        let party = self.args.origin.party(&self.args.elders.repo);
        let (told, since) = (party.clone(), UnixMillis::now());
        self.tell(JobPhase::Waiting { queue, party: told, since, ahead: None });
        let permit = tokio::select! {
            () = is_set(&mut self.cancelled) => return Ok(Some(finished(JobResult::Cancelled))),
            permit = queues.acquire_job((&job, kind), party) => match permit {
                Ok(permit) => permit,
                Err(refused) => return Ok(Some(crashed(&format!("wait for a permit: {refused}")))),
            },
        };
        if self.args.elders.disk() == Disk::Low {
            // The queue stands still from now on, until the watcher finds room.
            queues.note_disk(Disk::Low);
            return Ok(None);
        }
        let _present = self.enter().await?;
        // The newest there is: the wait may have been long, and nothing was decided by it that lasts.
        self.args.origin = self.args.origins.newest();
        if self.args.origin.may_run(self.args.elders.settings.isolation, Disk::Ok).is_distrust() {
            // Whoever took leave back has told the build to stop, which tells of no end like this.
            return Ok(Some(finished(JobResult::Cancelled)));
        }
        let spec = spec::run_spec(&self.args, permit.port_base()).await;
        let spec = spec.and_then(|spec| Ok((spec, spec::secrets(&self.args)?)));
        let (spec, secrets) = match spec {
            Ok(told) => told,
            Err(spec::Obstacle(reason)) => return Ok(Some(crashed(&reason))),
        };
        let dir = match RunDir::create(&path, &spec) {
            Ok(dir) => dir,
            Err(error) => {
                return Ok(Some(crashed(&format!("make the run directory: {error}"))));
            }
        };
        match self.args.elders.launcher.start_with(&dir, &secrets).await {
            Ok(_) => self.follow(&dir, permit).await.map(Some),
            Err(StartError::AlreadyRunning | StartError::AlreadyRan) => Ok(None),
            Err(error @ (StartError::Killed { .. } | StartError::TimedOut)) => {
                warn!(attempt = %self.args.attempt, %error, "lost a runner that was to start");
                self.lost(&dir).await.map(Some)
            }
            Err(error) => {
                warn!(attempt = %self.args.attempt, %error, "the runner did not start");
                Ok(Some(crashed(&error.to_string())))
            }
        }
    }

    /// Follows the runner to its end, holding the permit.
    async fn follow(&mut self, dir: &RunDir, _permit: JobPermit) -> Result<AttemptEnd, Fault> {
        let mut follower = follow(dir, JournalOffset::default());
        let mut since = UnixMillis::now();
        loop {
            let next = tokio::select! {
                next = follower.next() => next,
                () = is_set(&mut self.cancelled) => {
                    self.tell(JobPhase::Cancelling);
                    // What it was when it ended is in the journal, which is read on from here.
                    if let Stopped::Swept(swept) = cancel(dir).await? {
                        self.args.elders.runs.count_swept(&self.args.attempt, swept);
                    }
                    self.cancelled = never();
                    continue;
                }
            };
            match next {
                Ok(Some((_, Fact::RunnerStarted { at, .. }))) => {
                    since = at;
                    self.tell(JobPhase::Running { since });
                }
                Ok(Some((_, Fact::JobEnded { outcome, at }))) => {
                    if let Some(record) = dir.exit_record()? {
                        self.args.elders.runs.count(&self.args.attempt, record.leftovers);
                    }
                    self.keep_findings().await;
                    let duration = Duration::from_millis(at.0.saturating_sub(since.0));
                    return Ok(ended(outcome, duration));
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(FollowError::Lost) => return self.lost(dir).await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Has the marks on lines of code read for the forge, before another build has the workspace.
    async fn keep_findings(&self) {
        let Elders { forge, repo, runs, .. } = &*self.args.elders;
        if !forge.takes_checks(repo) {
            return;
        }
        let (runs, attempt) = (runs.clone(), self.args.attempt.clone());
        let reading = tokio::task::spawn_blocking(move || runs.keep_findings(&attempt));
        if let Err(error) = reading.await {
            warn!(attempt = %self.args.attempt, %error, "failed to read marks on lines of code");
        }
    }

    /// Ends what a dead runner left, and proves it.
    async fn lost(&self, dir: &RunDir) -> Result<AttemptEnd, Fault> {
        self.args.elders.runs.count_swept(&self.args.attempt, sweep(dir).await?);
        Ok(if dir.is_of_an_earlier_boot()? { AttemptEnd::Interrupted } else { AttemptEnd::Lost })
    }

    /// Ends and moves away a run that another history of this node has left under the same name: numbers
    /// begin anew where the store was lost, or restored from an older export. So too a run whose spec was
    /// torn when the machine lost power.
    async fn put_aside(&self, dir: &RunDir) -> Result<(), Fault> {
        let is_running = matches!(dir.state()?, RunState::Running(_));
        if is_running || dir.spec().is_ok() {
            cancel(dir).await?;
        } else {
            sweep_attempt(&self.args.attempt).await?;
        }
        let name = format!("{}-aside", self.args.attempt);
        let aside = dir.path().with_file_name(name);
        if aside.exists() {
            tokio::fs::remove_dir_all(&aside).await?;
        }
        warn!(run = %dir.path().display(), "put a run of another history aside");
        Ok(tokio::fs::rename(dir.path(), &aside).await?)
    }

    async fn enter(&self) -> Result<Presence, Fault> {
        self.args.elders.workspaces.enter(&self.args.origin.subject).await
    }

    /// Removes the control groups of what has ended: a runner cannot remove the one that it is in.
    fn tidy(&self) {
        let Some(bounds) = &self.args.elders.settings.bounds else { return };
        if let Err(error) = bounds.tidy() {
            warn!(%error, "failed to remove control groups");
        }
    }

    fn job(&self) -> (&JobId, JobKind) {
        (&self.args.job, self.args.origin.kind)
    }

    fn run_path(&self) -> PathBuf {
        self.args.elders.runs.path(&self.args.attempt)
    }

    fn tell(&self, phase: JobPhase) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = Some(phase.clone());
        let (job, attempt) = (self.args.job.clone(), self.args.attempt.clone());
        self.args.parent.tell(JobFact::Progressed { job, attempt, phase });
    }
}

/// The ports that a runner was told to use.
fn port_base(dir: &RunDir) -> Option<u16> {
    dir.spec().ok()?.env.get(spec::PORT_BASE)?.parse().ok()
}

/// A runner that nobody followed for too long stopped for that reason alone: the job runs again.
fn ended(outcome: Outcome, duration: Duration) -> AttemptEnd {
    let result = match outcome {
        Outcome::Passed => JobResult::Passed,
        Outcome::Failed { .. } => JobResult::Failed,
        Outcome::Crashed { reason } => JobResult::Crashed { reason },
        Outcome::Cancelled => JobResult::Cancelled,
        Outcome::Orphaned => return AttemptEnd::Interrupted,
    };
    AttemptEnd::Finished { result, duration }
}

fn finished(result: JobResult) -> AttemptEnd {
    AttemptEnd::Finished { result, duration: Duration::ZERO }
}

fn crashed(reason: &str) -> AttemptEnd {
    finished(JobResult::Crashed { reason: reason.to_owned() })
}

async fn is_set(flag: &mut watch::Receiver<bool>) {
    if flag.wait_for(|is_set| *is_set).await.is_err() {
        // Nobody is left who could cancel.
        std::future::pending::<()>().await;
    }
}

/// A flag that is never set.
fn never() -> watch::Receiver<bool> {
    watch::Sender::new(false).subscribe()
}
