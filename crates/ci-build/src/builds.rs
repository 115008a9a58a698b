//! The builds of one pull request or branch: at most one runs at a time.

use std::sync::Arc;
use std::time::Duration;

use ci_domain::build::{BuildSpec, Order};
use ci_domain::ids::BuildNumber;
use ci_exec::UnixMillis;
use heights::{DynamicRef, Exit, Fault, ProcessId, Recipient, Report, ShutdownReason};
use tracing::{info, warn};

use crate::build::{self, BuildArgs, BuildFact, BuildHandle, Progress};
use crate::elders::Elders;
use crate::errand::errand;
use crate::job::JobPhase;
use crate::origin::{Origin, OriginTeller};
use crate::sibling::start_child;
use crate::subject_tree::faults::crash;

/// The builds of one pull request or branch.
pub(crate) struct Builds {
    elders: Arc<Elders>,
    supervisor: DynamicRef,
    parent: Recipient<BuildFact>,
    /// Is told what goes wrong with the actors of builds.
    reports: Recipient<Report>,
    running: Option<Running>,
    /// How they crashed last.
    last_crash: Option<String>,
}

/// The build that runs, as an actor.
struct Running {
    number: BuildNumber,
    pid: ProcessId,
    handle: BuildHandle,
    progress: Progress,
    origin: OriginTeller,
}

impl Builds {
    /// Starts builds under `supervisor`; they tell `parent` how they come along, and their supervisors tell
    /// `reports` what goes wrong.
    pub(crate) fn new(
        elders: Arc<Elders>,
        supervisor: DynamicRef,
        (parent, reports): (Recipient<BuildFact>, Recipient<Report>),
    ) -> Self {
        Self { elders, supervisor, parent, reports, running: None, last_crash: None }
    }

    /// Starts the actors of a build.
    ///
    /// # Errors
    /// They do not start.
    pub(crate) async fn start(&mut self, origin: Origin, spec: BuildSpec) -> Result<(), Fault> {
        let number = spec.number;
        info!(repo = %self.elders.repo, of = %origin.subject, build = %number, "build");
        let (elders, parent) = (self.elders.clone(), self.parent.clone());
        let reports = self.reports.clone();
        let teller = OriginTeller::new(origin.clone());
        let origins = teller.view();
        let (child, handle) =
            build::start(BuildArgs { elders, origin, origins, spec, parent, reports });
        let started = start_child(&self.supervisor, child).await?;
        let progress = Progress::default();
        let pid = started.pid;
        self.running = Some(Running { number, pid, handle, progress, origin: teller });
        Ok(())
    }

    /// Says where the code of the running build comes from, as far as is known by now.
    pub(crate) fn tell_origin(&self, origin: Origin) {
        if let Some(running) = &self.running {
            running.origin.tell(origin);
        }
    }

    /// Gives the running build an order.
    pub(crate) fn order(&self, index: u64, order: Order) {
        if let Some(running) = &self.running {
            running.handle.order(index, order);
        }
    }

    /// Tells the running build that it is not wanted any more.
    pub(crate) fn supersede(&self) {
        if let Some(running) = &self.running {
            running.handle.supersede();
        }
    }

    /// How far the attempts of the running build are.
    pub(crate) fn progress(&self) -> Option<Progress> {
        let mut progress = self.running.as_ref()?.progress.clone();
        for (_, phase) in progress.values_mut() {
            if let JobPhase::Waiting { queue, party, since, ahead } = phase {
                let waited = UnixMillis::now().0.saturating_sub(since.0);
                let waited = Duration::from_millis(waited);
                *ahead = self.elders.queues.ahead(queue, party, waited);
            }
        }
        Some(progress)
    }

    /// Takes note of how far they are.
    pub(crate) fn note(&mut self, number: BuildNumber, progress: Progress) {
        if let Some(running) = self.running.as_mut().filter(|running| running.number == number) {
            running.progress = progress;
        }
    }

    /// Ends the actors of a build.
    pub(crate) async fn end(&mut self, number: BuildNumber) {
        if let Some(running) = self.running.take_if(|running| running.number == number) {
            // A build that is gone already needs no ending.
            let _gone = self.supervisor.terminate_child(&running.pid).await;
        }
    }

    /// Ends what a build has left running, without a look at its stream; `prefix` is how its attempts
    /// begin.
    ///
    /// # Errors
    /// The work could not be begun.
    pub(crate) async fn abandon(
        &mut self,
        number: BuildNumber,
        prefix: String,
    ) -> Result<(), Fault> {
        self.end(number).await;
        let (runs, parent) = (self.elders.runs.clone(), self.parent.clone());
        errand(
            &self.elders.errands,
            "abandon",
            async move { runs.end_all(&prefix).await },
            move |result| {
                if let Ok(Err(error)) = &result {
                    warn!(build = %number, %error, "failed to end what a build left");
                }
                parent.tell(BuildFact::Finished { build: number, orders: 0 });
            },
        )
        .await
    }

    /// Takes note of what is reported of builds. One whose actors crashed too often stays down. That is a
    /// fault of who started it too: its own restart starts the build once more, and a fault that lasts has
    /// it given up.
    ///
    /// # Errors
    /// A build was given up.
    pub(crate) fn take_report(&mut self, report: &Report) -> Result<(), Fault> {
        match report {
            Report::Supervisor(report) => {
                self.last_crash = crash(report).or(self.last_crash.take());
                Ok(())
            }
            Report::Left(left)
                if matches!(left.exit, Exit::Shutdown(ShutdownReason::ReachedMaxIntensity)) =>
            {
                let last = self.last_crash.take().map(|last| format!(", at last: {last}"));
                let last = last.unwrap_or_default();
                Err(format!("run {}: its actors crashed too often{last}", left.child).into())
            }
            _ => Ok(()),
        }
    }
}
