//! One job of a session: starts its runner and follows it to its end.

use std::path::PathBuf;

use ci_domain::ids::JobId;
use ci_exec::{Fact, FollowError, JournalOffset, Launcher, RunDir, RunSpec, cancel, follow, sweep};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::exit;
use crate::run::event::{End, Ended, Event};

/// A job that is about to run.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) job: JobId,
    pub(super) spec: RunSpec,
    pub(super) run_dir: PathBuf,
    pub(super) launcher: Launcher,
    /// Where to tell what happens.
    pub(super) events: mpsc::UnboundedSender<Event>,
    /// Becomes true when the job is to be cancelled.
    pub(super) stop: watch::Receiver<bool>,
}

impl Attempt {
    /// Runs to the end, which is the last event. No process of the job is left then, unless that says
    /// otherwise.
    pub(super) async fn run(mut self) {
        let began = Instant::now();
        self.tell(Event::Started { job: self.job.clone(), run_dir: self.run_dir.clone() });
        let end = self.end().await.unwrap_or_else(End::Broken);
        self.tell(Event::Ended(Ended {
            job: self.job.clone(),
            end,
            took: began.elapsed(),
            run_dir: Some(self.run_dir.clone()),
        }));
    }

    async fn end(&mut self) -> Result<End, String> {
        let dir = RunDir::create(&self.run_dir, &self.spec).map_err(failed_to)?;
        self.launcher.start(&dir).await.map_err(failed_to)?;
        let mut follower = follow(&dir, JournalOffset(0));
        let mut is_stopping = false;
        loop {
            let next = tokio::select! {
                next = follower.next() => next,
                () = asked_to_stop(&mut self.stop), if !is_stopping => {
                    is_stopping = true;
                    cancel(&dir).await.map_err(failed_to)?;
                    continue;
                }
            };
            match next {
                Ok(Some((_, Fact::JobEnded { outcome, .. }))) => return Ok(End::Ran(outcome)),
                Ok(Some((_, fact))) => self.tell_fact(fact),
                Ok(None) => return Err("the runner ended without a word".to_owned()),
                Err(FollowError::Lost) => {
                    sweep(&dir).await.map_err(failed_to)?;
                    return Err("the runner died".to_owned());
                }
                Err(error) => return Err(failed_to(error)),
            }
        }
    }

    fn tell_fact(&self, fact: Fact) {
        let job = self.job.clone();
        match fact {
            Fact::CommandStarted { command, title, .. } => {
                self.tell(Event::CommandStarted { job, command, title });
            }
            Fact::CommandExited { command, exit, duration, .. } => {
                self.tell(Event::CommandExited { job, command, exit, took: duration });
            }
            Fact::RunnerStarted { .. } | Fact::JobEnded { .. } => {}
        }
    }

    fn tell(&self, event: Event) {
        // The session has ended where nobody listens: it was interrupted twice.
        let _nobody = self.events.send(event);
    }
}

async fn asked_to_stop(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Nobody can ask any more.
        std::future::pending::<()>().await;
    }
}

fn failed_to(error: impl std::error::Error) -> String {
    exit::failed_to(&error)
}
