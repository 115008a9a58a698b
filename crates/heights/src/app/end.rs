//! How a program ended, for people and for whoever started it.

use std::error::Error;
use std::fmt;
use std::process::{ExitCode, Termination};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use heights_supervisor::{Exit, Hub, Recipient, Report, ReportContext};

/// How a program ended.
///
/// | | exit code |
/// |---|--:|
/// | `Clean` | 0 |
/// | `NotStarted` | 1 |
/// | `Ended` | 70 |
/// | `Forced` | 71 |
#[derive(Debug, Clone)]
#[must_use = "the exit code says how the program ended"]
pub enum AppEnd {
    /// It was asked to stop, and all processes did in order and in time.
    Clean,
    /// The tree did not come up.
    NotStarted(Arc<dyn Error + Send + Sync>),
    /// The root gave up, or ended in some other way that nobody asked for.
    Ended(Exit),
    /// It was asked to stop, and these processes had to be killed.
    Forced(Vec<Arc<str>>),
}

/// Notes who does not stop as it should.
#[derive(Debug, Clone, Default)]
pub(super) struct Forced(Arc<Mutex<Vec<Arc<str>>>>);

impl AppEnd {
    /// Returns the exit code.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::NotStarted(_) => 1,
            Self::Ended(_) => 70,
            Self::Forced(_) => 71,
        }
    }

    /// Tells how a root that ended by itself, or at an operator's word, leaves the program.
    pub(super) fn of_itself(exit: Exit) -> Self {
        match exit {
            Exit::Normal | Exit::Shutdown(heights_supervisor::ShutdownReason::Requested) => {
                Self::Clean
            }
            exit => Self::Ended(exit),
        }
    }

    pub(super) fn of_stop(exit: Exit, forced: Vec<Arc<str>>) -> Self {
        if exit.is_abnormal() {
            Self::Ended(exit)
        } else if forced.is_empty() {
            Self::Clean
        } else {
            Self::Forced(forced)
        }
    }

    pub(super) fn trace(&self) {
        match self {
            Self::Clean => tracing::info!("{self}"),
            Self::NotStarted(_) | Self::Ended(_) | Self::Forced(_) => tracing::error!("{self}"),
        }
    }
}

impl fmt::Display for AppEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clean => f.write_str("stopped in order"),
            Self::NotStarted(error) => write!(f, "did not start: {error}"),
            Self::Ended(exit) => write!(f, "the root ended: {exit}"),
            Self::Forced(paths) => write!(f, "stopped, but had to kill {}", paths.join(", ")),
        }
    }
}

impl Termination for AppEnd {
    /// Returns the exit code, after saying on stderr what went wrong, if something did.
    #[expect(clippy::print_stderr, reason = "a program without a log would end without a word")]
    fn report(self) -> ExitCode {
        if !matches!(self, Self::Clean) {
            eprintln!("{self}");
        }
        self.into()
    }
}

impl From<AppEnd> for ExitCode {
    fn from(end: AppEnd) -> Self {
        end.code().into()
    }
}

impl Forced {
    /// Notes from now on who in a tree is killed because it does not stop.
    pub(super) fn watch(hub: &Hub) -> Self {
        let forced = Self::default();
        let notes = forced.clone();
        hub.subscribe(Recipient::from_fn(move |report| match report {
            Report::Supervisor(report) if report.context == ReportContext::ShutdownError => {
                notes.lock().push(format!("{}/{}", report.supervisor, report.child).into());
            }
            Report::Zombie(zombie) => notes.lock().push(zombie.path),
            _ => {}
        }));
        forced
    }

    /// Notes all that still live.
    pub(super) fn add_all(&self, hub: &Hub) {
        let living = hub.snapshot().processes.into_iter().map(|process| process.path);
        self.lock().extend(living);
    }

    /// Returns who was noted, each once.
    pub(super) fn paths(&self) -> Vec<Arc<str>> {
        let mut paths = self.lock().clone();
        paths.sort();
        paths.dedup();
        paths
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<str>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
