//! The voice of a supervisor: what it reports, and to whom.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use heights_core::{ChildId, Shutdown};
use tokio::sync::mpsc;

use crate::exit::{Exit, ShutdownReason};
use crate::panic::shielded;
use crate::process::{Process, ProcessId};
use crate::recipient::Recipient;
use crate::reply::NoProc;
use crate::report::{LeftReport, ProgressReport, Report, ReportContext, SupervisorReport};

/// Those who asked for the reports of one supervisor; shared by all its lives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reporter {
    fixed: Vec<Recipient<Report>>,
    streams: Arc<Mutex<Vec<mpsc::UnboundedSender<Report>>>>,
}

impl Reporter {
    pub(crate) fn add(&mut self, recipient: Recipient<Report>) {
        self.fixed.push(recipient);
    }

    pub(crate) fn stream(&self) -> mpsc::UnboundedReceiver<Report> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.streams().push(sender);
        receiver
    }

    fn tell(&self, report: &Report) {
        for recipient in &self.fixed {
            shielded("a recipient of reports", || recipient.tell(report.clone()));
        }
        self.streams().retain(|stream| stream.send(report.clone()).is_ok());
    }

    fn streams(&self) -> MutexGuard<'_, Vec<mpsc::UnboundedSender<Report>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says what happens to the children of one life of a supervisor.
pub(crate) struct Voice {
    supervisor: Process,
    reporter: Reporter,
    blamed: Option<ChildId>,
}

impl Voice {
    pub(crate) fn new(supervisor: Process, reporter: Reporter) -> Self {
        Self { supervisor, reporter, blamed: None }
    }

    /// A child is up.
    pub(crate) fn progress(&self, child: &Process) {
        self.say(Report::Progress(ProgressReport {
            supervisor: self.supervisor.shared_path(),
            child: child.id().clone(),
            pid: child.pid(),
            incarnation: child.incarnation(),
        }));
    }

    /// Something went wrong with a child.
    pub(crate) fn complain(
        &mut self,
        context: ReportContext,
        child: &ChildId,
        pid: Option<ProcessId>,
        exit: &Exit,
    ) {
        // How children end on the way out is not why the supervisor gives up.
        if matches!(context, ReportContext::ChildTerminated | ReportContext::StartError) {
            self.blamed = Some(child.clone());
        }
        self.say(Report::Supervisor(SupervisorReport {
            supervisor: self.supervisor.shared_path(),
            context,
            child: child.clone(),
            pid,
            exit: exit.clone(),
        }));
    }

    /// A child that was being stopped is gone: worth a word unless it ended as it was told to.
    pub(crate) fn stopped(
        &mut self,
        child: &ChildId,
        pid: ProcessId,
        shutdown: Shutdown,
        exit: &Exit,
    ) {
        let as_told = shutdown == Shutdown::Brutal && matches!(exit, Exit::Killed);
        if exit.is_abnormal() && !as_told {
            self.complain(ReportContext::ShutdownError, child, Some(pid), exit);
        }
    }

    /// A child ended by itself and stays down.
    pub(crate) fn left(&self, child: &ChildId, pid: ProcessId, exit: Exit) {
        let (supervisor, child) = (self.supervisor.shared_path(), child.clone());
        self.say(Report::Left(LeftReport { supervisor, child, pid, exit }));
    }

    /// The supervisor gives up, because of the child that failed last.
    pub(crate) fn give_up(&mut self) {
        if let Some(child) = self.blamed.take() {
            let exit = Exit::Shutdown(ShutdownReason::ReachedMaxIntensity);
            self.complain(ReportContext::Shutdown, &child, None, &exit);
        }
    }

    fn say(&self, report: Report) {
        self.supervisor.hub().report(&report);
        self.reporter.tell(&report);
    }
}

impl Recipient<Report> {
    /// Makes a recipient and the stream that it feeds.
    pub fn stream() -> (Self, mpsc::UnboundedReceiver<Report>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self::new(move |report| sender.send(report).map_err(|_closed| NoProc)), receiver)
    }
}
