//! One job from its first command to the proof that nothing of it is left.

use std::future::Future;
use std::io;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use futures_util::future::pending;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::control_server::ControlServer;
use super::in_full;
use super::record::Recorder;
use super::shells::{Fault, Shells};
use super::stop::{Stop, StopSignal, StopSource};
use super::tree::Tree;
use crate::fact::{FailReason, FailedCommand, Leftovers, Outcome};
use crate::run_dir::RunDir;
use crate::secrets::Secrets;
use crate::spec::RunSpec;

/// How often ended processes that escaped their command are reaped.
const REAP_PERIOD: Duration = Duration::from_secs(10);

/// A job and what it is run with.
pub(super) struct Job<'a> {
    pub(super) spec: &'a RunSpec,
    pub(super) secrets: &'a Secrets,
    pub(super) dir: &'a RunDir,
    pub(super) recorder: &'a Recorder,
}

/// How a job ended.
pub(super) struct End {
    pub(super) outcome: Outcome,
    pub(super) leftovers: Leftovers,
}

/// The signals that mean something to a runner.
struct Signals {
    terminate: Signal,
    cancel: Signal,
    /// Taken so that it is not ignored: whoever inherits that cannot wait for children.
    _child: Signal,
}

impl Job<'_> {
    /// Runs the job; `None` where it was broken off and has no outcome.
    pub(super) async fn run(&self, listener: UnixListener) -> io::Result<Option<End>> {
        let signals = Signals {
            terminate: signal(SignalKind::terminate())?,
            cancel: signal(SignalKind::user_defined1())?,
            _child: signal(SignalKind::child())?,
        };
        let listener = tokio::net::UnixListener::from_std(listener)?;
        let (source, stop) = StopSource::new();
        let shells = Shells::new(self.spec, self.secrets, self.dir, self.recorder);
        let followers = watch::Sender::new(0);
        let server = ControlServer { recorder: self.recorder, job: &source, followers };
        tokio::select! {
            end = work(&shells, &source, stop) => Ok(end),
            never = server.serve(listener) => match never {},
            () = self.wait_for_ends(&server, &source, signals) => pending().await,
            error = reap_strays(&shells) => Err(error),
        }
    }

    /// Stops the job when something from outside ends it.
    async fn wait_for_ends(
        &self,
        server: &ControlServer<'_>,
        source: &StopSource,
        mut signals: Signals,
    ) {
        tokio::join!(
            stop_after(sleep(self.spec.timeout), source, Stop::JobTimeout),
            stop_after(server.orphaned(self.spec.orphan_limit), source, Stop::Orphaned),
            stop_after(signals.terminate.recv(), source, Stop::Terminated),
            stop_after(signals.cancel.recv(), source, Stop::Cancelled),
        );
    }
}

async fn stop_after<F: Future>(end: F, source: &StopSource, reason: Stop) {
    end.await;
    source.stop(reason);
}

async fn reap_strays(shells: &Shells<'_>) -> io::Error {
    let mut ticks = interval(REAP_PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        if let Err(error) = shells.reap_strays() {
            return error;
        }
    }
}

async fn work(shells: &Shells<'_>, job: &StopSource, stop: StopSignal) -> Option<End> {
    let failures = run_steps(shells, job, &stop).await;
    let reason = stop.reason();
    let emptied = shells.end_all().await;
    let leftovers = leftovers(&emptied);
    let outcome = outcome(failures.and_then(|failures| emptied.map(|_| failures)), reason)?;
    Some(End { outcome, leftovers })
}

/// Runs all steps, that of the image first: without one there is nothing to run the others in.
async fn run_steps(
    shells: &Shells<'_>,
    job: &StopSource,
    stop: &StopSignal,
) -> Result<Vec<FailedCommand>, Fault> {
    shells.bound()?;
    let tree = Tree { executor: shells, job };
    if let Some(image) = shells.image_steps().await? {
        let failures = tree.sequence(&image, stop).await?;
        if !failures.is_empty() || stop.reason().is_some() {
            return Ok(failures);
        }
    }
    shells.enter().await?;
    tokio::select! {
        failures = tree.sequence(&shells.spec.steps, stop) => failures,
        never = shells.listen() => match never {},
    }
}

fn leftovers(emptied: &Result<usize, Fault>) -> Leftovers {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    match emptied {
        Ok(strays) => Leftovers { strays: count(*strays), survivors: 0 },
        Err(Fault::Survivors(left)) => Leftovers { strays: 0, survivors: count(left.0.len()) },
        Err(_) => Leftovers::default(),
    }
}

/// What the job has come to, now that nothing of it is left.
fn outcome(failures: Result<Vec<FailedCommand>, Fault>, stop: Option<Stop>) -> Option<Outcome> {
    let commands = match failures {
        Ok(commands) => commands,
        Err(fault) => return Some(Outcome::Crashed { reason: in_full(&fault) }),
    };
    Some(match stop {
        Some(Stop::Terminated) => return None,
        Some(Stop::Cancelled) => Outcome::Cancelled,
        Some(Stop::Orphaned) => Outcome::Orphaned,
        Some(Stop::JobTimeout) => Outcome::Failed { reason: FailReason::JobTimeout, commands },
        Some(Stop::Fault | Stop::CommandTimeout | Stop::FailFast) | None => {
            if commands.is_empty() {
                Outcome::Passed
            } else {
                Outcome::Failed { reason: FailReason::Commands, commands }
            }
        }
    })
}
