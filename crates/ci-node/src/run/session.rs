//! A session: starts jobs as their needs pass, tells what happens, and ends when nothing is left.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use ci_domain::ids::JobId;
use ci_domain::plan::{Plan, PlannedJob};
use ci_exec::Launcher;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};

use crate::compose::RUNNER;
use crate::exit::Exit;
use crate::run::event::{End, Ended, Event, Verdict};
use crate::run::interrupt::{Interrupt, Interrupts};
use crate::run::job::Attempt;
use crate::run::ports::Ports;
use crate::run::scene::Scene;
use crate::run::schedule::Schedule;
use crate::run::show::Show;

/// How often a live view is drawn anew.
const REDRAW: Duration = Duration::from_millis(200);

/// The jobs of one plan, while they run.
pub(super) struct Session<'a> {
    scene: &'a Scene,
    jobs: BTreeMap<&'a JobId, &'a PlannedJob>,
    schedule: Schedule,
    ports: Ports,
    launcher: Launcher,
    stop: watch::Sender<bool>,
    started: usize,
    end: SessionEnd,
}

/// How a session ended.
#[derive(Debug, Default)]
pub(super) struct SessionEnd {
    /// Every job, in the order in which they ended.
    pub(super) jobs: Vec<Ended>,
    /// How long it took in all.
    pub(super) took: Duration,
    interrupt: Option<Interrupt>,
}

impl<'a> Session<'a> {
    /// A session that runs at most `concurrency` jobs at once.
    pub(super) fn new(scene: &'a Scene, plan: &'a Plan, concurrency: Option<NonZeroUsize>) -> Self {
        let processors = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let limit = concurrency.unwrap_or_else(processors).get();
        Self {
            scene,
            jobs: plan.jobs().map(|job| (&job.id, job)).collect(),
            schedule: Schedule::new(
                plan.jobs().map(|job| (job.id.clone(), job.needs.clone())),
                limit,
            ),
            ports: Ports::of_process(std::process::id()),
            launcher: Launcher::current_exe([RUNNER]),
            stop: watch::Sender::new(false),
            started: 0,
            end: SessionEnd::default(),
        }
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// Something cannot be shown, or no port is free. Runners that are left behind end by themselves.
    pub(super) async fn drive(mut self, show: &mut dyn Show) -> Result<SessionEnd> {
        let began = Instant::now();
        let (events, mut news) = mpsc::unbounded_channel();
        let mut running = FuturesUnordered::new();
        let mut interrupts = Interrupts::listen().context("failed to listen to signals")?;
        let mut redraw = tokio::time::interval(REDRAW);
        redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            for job in self.schedule.start() {
                running.push(self.attempt(job, events.clone())?.run());
            }
            if self.schedule.is_over() && running.is_empty() {
                break;
            }
            tokio::select! {
                // Events first: a job tells its end before its future ends.
                biased;
                Some(event) = news.recv() => self.take(event, show)?,
                Some(()) = running.next() => {}
                interrupt = interrupts.next() => {
                    if self.end.interrupt.is_some() {
                        show.say("The runners go on ending their commands.")?;
                        break;
                    }
                    self.interrupt(interrupt, show)?;
                }
                _ = redraw.tick() => show.redraw()?,
            }
        }
        self.end.took = began.elapsed();
        Ok(self.end)
    }

    fn attempt(&mut self, id: JobId, events: mpsc::UnboundedSender<Event>) -> Result<Attempt> {
        let job = self.jobs[&id];
        let port_base = self.ports.take().context("failed to find free ports for a job")?;
        self.started += 1;
        Ok(Attempt {
            spec: self.scene.spec(job, self.started, port_base)?,
            run_dir: self.scene.run_dir(&id),
            job: id,
            launcher: self.launcher.clone(),
            events,
            stop: self.stop.subscribe(),
        })
    }

    fn take(&mut self, event: Event, show: &mut dyn Show) -> Result<()> {
        show.event(&event)?;
        let Event::Ended(ended) = event else { return Ok(()) };
        if ended.end.verdict() == Verdict::Passed {
            self.schedule.passed(&ended.job);
            if let Some(run_dir) = &ended.run_dir {
                fs::remove_dir_all(run_dir)
                    .with_context(|| format!("failed to remove {}", run_dir.display()))?;
            }
        } else {
            for (job, by) in self.schedule.failed(&ended.job) {
                self.never_ran(job, End::Blocked(by), show)?;
            }
        }
        self.end.jobs.push(ended);
        Ok(())
    }

    /// Cancels what runs and gives up what does not.
    fn interrupt(&mut self, interrupt: Interrupt, show: &mut dyn Show) -> Result<()> {
        self.end.interrupt = Some(interrupt);
        show.say(&format!("\n{}: ending what runs (again: leave at once)", interrupt.name))?;
        self.stop.send_replace(true);
        for job in self.schedule.give_up() {
            self.never_ran(job, End::GivenUp, show)?;
        }
        Ok(())
    }

    fn never_ran(&mut self, job: JobId, end: End, show: &mut dyn Show) -> Result<()> {
        let ended = Ended { job, end, took: Duration::ZERO, run_dir: None };
        show.event(&Event::Ended(ended.clone()))?;
        self.end.jobs.push(ended);
        Ok(())
    }
}

impl SessionEnd {
    /// 0 where everything passed, 1 where something did not; as shells have it where it was
    /// interrupted.
    pub(super) fn code(&self) -> ExitCode {
        let has_passed = |ended: &Ended| ended.end.verdict() == Verdict::Passed;
        match self.interrupt {
            Some(interrupt) => interrupt.code().into(),
            None if self.jobs.iter().all(has_passed) => ExitCode::SUCCESS,
            None => Exit::Failed.into(),
        }
    }
}
