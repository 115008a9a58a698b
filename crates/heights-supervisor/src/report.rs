//! What supervisors report: to subscribers as values, and as tracing events.

use std::fmt;
use std::sync::Arc;

use heights_core::ChildId;

use crate::exit::Exit;
use crate::hub::Crash;
use crate::process::ProcessId;
use crate::zombie::Zombie;

/// Something a supervisor has to say.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{ChildSpec, Report, ReportContext, Restart, Supervisor};
///
/// let root = Supervisor::builder("root").start().await?;
/// let mut reports = root.reports();
/// let lost = ChildSpec::task("lost", |_cx| async { Err("no map".into()) });
/// root.start_child(lost.restart(Restart::Temporary)).await?;
///
/// assert!(matches!(reports.recv().await, Some(Report::Progress(up)) if up.child.as_str() == "lost"));
/// let Some(Report::Supervisor(trouble)) = reports.recv().await else { panic!("it failed") };
/// assert_eq!(trouble.context, ReportContext::ChildTerminated);
/// assert_eq!(trouble.exit.to_string(), "error: no map");
/// assert!(matches!(reports.recv().await, Some(Report::Left(_))));
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Report {
    /// A child is up.
    Progress(ProgressReport),
    /// Something went wrong with a child, or with the supervisor because of its children.
    Supervisor(SupervisorReport),
    /// A child ended by itself and is not restarted.
    Left(LeftReport),
    /// A process panicked or said that it is broken.
    Crash(Crash),
    /// A process does not end although it was killed.
    Zombie(Zombie),
}

/// A child is up.
#[derive(Debug, Clone)]
pub struct ProgressReport {
    /// The path of the supervisor.
    pub supervisor: Arc<str>,
    /// The child.
    pub child: ChildId,
    /// This life of it.
    pub pid: ProcessId,
    /// How many lives there have been, this one included.
    pub incarnation: u32,
}

/// Something went wrong.
#[derive(Debug, Clone)]
pub struct SupervisorReport {
    /// The path of the supervisor.
    pub supervisor: Arc<str>,
    /// When it happened.
    pub context: ReportContext,
    /// The child.
    pub child: ChildId,
    /// The life of it, if it had one.
    pub pid: Option<ProcessId>,
    /// What happened.
    pub exit: Exit,
}

/// When something went wrong, in OTP's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportContext {
    /// While the child was being started.
    StartError,
    /// While the child was running.
    ChildTerminated,
    /// While the child was being stopped.
    ShutdownError,
    /// The supervisor gives up: its children failed too often.
    Shutdown,
}

/// A child ended by itself and is not restarted.
#[derive(Debug, Clone)]
pub struct LeftReport {
    /// The path of the supervisor.
    pub supervisor: Arc<str>,
    /// The child.
    pub child: ChildId,
    /// The life that ended.
    pub pid: ProcessId,
    /// How it ended.
    pub exit: Exit,
}

impl From<Zombie> for Report {
    fn from(zombie: Zombie) -> Self {
        Self::Zombie(zombie)
    }
}

impl Report {
    /// Returns the path of the supervisor that reports, or of the process that crashed or stays.
    pub fn path(&self) -> &str {
        match self {
            Self::Progress(progress) => &progress.supervisor,
            Self::Supervisor(report) => &report.supervisor,
            Self::Left(left) => &left.supervisor,
            Self::Crash(crash) => &crash.path,
            Self::Zombie(zombie) => &zombie.path,
        }
    }

    /// Writes the report to the log.
    pub(crate) fn trace(&self) {
        match self {
            Self::Progress(_) | Self::Left(_) => tracing::debug!(report = %self),
            Self::Supervisor(_) => tracing::warn!(report = %self),
            Self::Crash(_) | Self::Zombie(_) => tracing::error!(report = %self),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Progress(ProgressReport { supervisor, child, pid, incarnation }) => {
                write!(f, "{supervisor}: started {child} as {pid} (life {incarnation})")
            }
            Self::Supervisor(SupervisorReport { supervisor, context, child, exit, .. }) => {
                write!(f, "{supervisor}: {context}: {child}: {exit}")
            }
            Self::Left(LeftReport { supervisor, child, exit, .. }) => {
                write!(f, "{supervisor}: {child} left: {exit}")
            }
            Self::Crash(crash) => crash.fmt(f),
            Self::Zombie(zombie) => zombie.fmt(f),
        }
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} crashed: {}", self.path, self.exit)?;
        if let Some(label) = self.last_label {
            write!(f, ", in message {label:?}")?;
        }
        if let Some(message) = &self.last_message {
            write!(f, ": {message}")?;
        }
        if let Some(queued) = self.figures.queued {
            write!(f, ", {queued} waiting")?;
        }
        write!(
            f,
            " ({}, {}, life {}, up {:?})",
            self.type_name, self.pid, self.incarnation, self.age
        )
    }
}

impl fmt::Display for ReportContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StartError => "start error",
            Self::ChildTerminated => "child terminated",
            Self::ShutdownError => "shutdown error",
            Self::Shutdown => "shutdown",
        })
    }
}
