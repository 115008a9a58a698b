//! How a program ended, for people and for whoever started it.

use std::error::Error;
use std::fmt;
use std::process::{ExitCode, Termination};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use heights_supervisor::{Exit, Fault, Hub, Recipient, Report, ReportContext};

use super::trouble::Trouble;

/// How a program ended.
///
/// | | exit code |
/// |---|--:|
/// | `Clean` | 0 |
/// | `NotStarted` | 1 |
/// | `Ended` | 70 |
/// | `Forced` | 71 |
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights::app::AppEnd;
/// use heights::prelude::*;
///
/// let deaf = ChildSpec::task("deaf", |_cx| std::future::pending()).shutdown(Shutdown::Brutal);
/// let app = App::builder("app").without_vitals().supervisor(Supervisor::builder("app").child(deaf));
/// let end = app.stop_when(async {}).run().await;
/// assert!(matches!(end, AppEnd::Clean), "to be killed is what its spec says");
/// assert_eq!(end.code(), 0);
///
/// let end = AppEnd::not_started("the configuration is missing");
/// assert_eq!((end.to_string(), end.code()), ("did not start: the configuration is missing".into(), 1));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "the exit code says how the program ended"]
pub enum AppEnd {
    /// It was asked to stop, and all processes did in order and in time.
    Clean,
    /// The tree did not come up.
    NotStarted(Arc<dyn Error + Send + Sync>),
    /// The root gave up, or ended in some other way that nobody asked for.
    Ended {
        /// How it ended.
        exit: Exit,
        /// What had gone wrong last in the tree, in the words of its report.
        trouble: Option<Arc<str>>,
    },
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
            Self::Ended { .. } => 70,
            Self::Forced(_) => 71,
        }
    }

    /// Says that something went wrong before there was a tree: for a `main` whose work may fail.
    pub fn not_started(cause: impl Into<Fault>) -> Self {
        Self::NotStarted(cause.into().into())
    }

    /// Tells how a root that ended by itself, or at an operator's word, leaves the program.
    pub(super) fn of_itself(exit: Exit, trouble: &Trouble) -> Self {
        match exit {
            Exit::Normal | Exit::Shutdown(heights_supervisor::ShutdownReason::Requested) => {
                Self::Clean
            }
            exit => Self::Ended { exit, trouble: trouble.last() },
        }
    }

    pub(super) fn of_stop(exit: Exit, forced: Vec<Arc<str>>) -> Self {
        if exit.is_abnormal() {
            Self::Ended { exit, trouble: None }
        } else if forced.is_empty() {
            Self::Clean
        } else {
            Self::Forced(forced)
        }
    }

    pub(super) fn trace(&self) {
        match self {
            Self::Clean => tracing::info!("{self}"),
            Self::NotStarted(_) | Self::Ended { .. } | Self::Forced(_) => tracing::error!("{self}"),
        }
    }
}

impl fmt::Display for AppEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clean => f.write_str("stopped in order"),
            Self::NotStarted(error) => {
                write!(f, "did not start: {error}")?;
                causes(error.as_ref()).try_for_each(|cause| write!(f, ": {cause}"))
            }
            Self::Ended { exit, trouble: None } => write!(f, "the root ended: {exit}"),
            Self::Ended { exit, trouble: Some(trouble) } => {
                write!(f, "the root ended: {exit}; the last trouble was {trouble}")
            }
            Self::Forced(paths) => write!(f, "stopped, but had to kill {}", paths.join(", ")),
        }
    }
}

/// Returns what is behind an error, the nearest first.
fn causes(error: &dyn Error) -> impl Iterator<Item = &dyn Error> {
    std::iter::successors(error.source(), |&cause| cause.source())
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
