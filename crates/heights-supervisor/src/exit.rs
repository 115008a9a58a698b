//! How processes end.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use heights_core::{ExitClass, Verdict};

use crate::PanicInfo;

/// A server's own judgment that it is broken: it ends, and its supervisor decides about a restart.
pub type Fault = Box<dyn Error + Send + Sync>;

/// Found nothing to do: a fault to return from `init` that is not taken as a failure.
///
/// The spec is kept without a process, unless the child is temporary or dynamic.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{Context, Fault, Flow, Ignore, Server};
///
/// struct Mailer;
///
/// impl Server for Mailer {
///     type Args = Option<String>;
///     type Msg = ();
///
///     async fn init(host: Option<String>, _cx: &mut Context<()>) -> Result<Self, Fault> {
///         let _host = host.ok_or(Ignore)?;
///         Ok(Self)
///     }
///
///     async fn handle(&mut self, (): (), _cx: &mut Context<()>) -> Result<Flow, Fault> {
///         Ok(Flow::Continue)
///     }
/// }
///
/// use heights_supervisor::{ChildSpec, Supervisor};
///
/// // Nobody has said where mails go, so there is no mailer; the rest starts all the same.
/// let (mailer, _) = ChildSpec::server::<Mailer>("mailer", || None);
/// let root = Supervisor::builder("root").child(mailer).start().await?;
/// assert_eq!(root.count_children().await.active, 0);
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing to do")]
pub struct Ignore;

/// How a process ended.
///
/// | | class | transient child |
/// |---|---|---|
/// | `Normal` | normal | stays down |
/// | `Shutdown` | shutdown | stays down |
/// | `Killed`, `Error`, `Panic`, `NoProc` | abnormal | restarted |
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{ChildSpec, Exit, Restart, Supervisor};
///
/// let root = Supervisor::builder("root").start().await?;
/// let lost = ChildSpec::task("lost", |_cx| async { Err("no map".into()) });
/// let lost = root.start_child(lost.restart(Restart::Temporary)).await?;
/// let exit = lost.process.gone().await;
/// assert!(matches!(&exit, Exit::Error(why) if why.to_string() == "no map"));
/// assert!(exit.is_abnormal());
///
/// let end = root.stop().await;
/// assert_eq!(end.to_string(), "shutdown: requested");
/// assert!(!end.is_abnormal());
/// assert!(matches!(root.stop().await, Exit::NoProc));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Exit {
    /// It had nothing left to do.
    Normal,
    /// It left in good order.
    Shutdown(ShutdownReason),
    /// It was killed, so its `terminate` did not run (or not to its end).
    Killed,
    /// It said that it is broken.
    Error(Arc<dyn Error + Send + Sync>),
    /// It panicked.
    Panic(Arc<PanicInfo>),
    /// It was gone before anyone looked.
    NoProc,
}

/// Why a process left in good order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShutdownReason {
    /// Its supervisor or an operator asked it to.
    Requested,
    /// It is a supervisor whose children failed more often than its intensity allows.
    ReachedMaxIntensity,
    /// It is a supervisor whose significant children have ended.
    AutoShutdown,
    /// It had a reason of its own.
    Custom(Arc<str>),
}

impl Exit {
    /// Leaves in good order, with a reason of one's own.
    pub fn shutdown(reason: impl Into<Arc<str>>) -> Self {
        Self::Shutdown(ShutdownReason::Custom(reason.into()))
    }

    /// Returns what restarting cares about.
    pub const fn class(&self) -> ExitClass {
        match self {
            Self::Normal => ExitClass::Normal,
            Self::Shutdown(_) => ExitClass::Shutdown,
            Self::Killed | Self::Error(_) | Self::Panic(_) | Self::NoProc => ExitClass::Abnormal,
        }
    }

    /// Tells whether the process failed, panicked or was killed.
    pub const fn is_abnormal(&self) -> bool {
        matches!(self.class(), ExitClass::Abnormal)
    }

    /// Tells whether the process panicked or said that it is broken.
    pub const fn is_crash(&self) -> bool {
        matches!(self, Self::Error(_) | Self::Panic(_))
    }
}

impl From<Verdict> for Exit {
    /// Puts into an exit why a supervisor ends.
    fn from(verdict: Verdict) -> Self {
        Self::Shutdown(match verdict {
            Verdict::ReachedMaxIntensity => ShutdownReason::ReachedMaxIntensity,
            Verdict::AutoShutdown => ShutdownReason::AutoShutdown,
            Verdict::Stopped | Verdict::StartFailed(_) => ShutdownReason::Requested,
        })
    }
}

impl From<Fault> for Exit {
    fn from(fault: Fault) -> Self {
        Self::Error(Arc::from(fault))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("normal"),
            Self::Shutdown(reason) => write!(f, "shutdown: {reason}"),
            Self::Killed => f.write_str("killed"),
            Self::Error(error) => write_chain(f, error.as_ref()),
            Self::Panic(panic) => panic.fmt(f),
            Self::NoProc => f.write_str("no such process"),
        }
    }
}

impl fmt::Display for ShutdownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requested => f.write_str("requested"),
            Self::ReachedMaxIntensity => f.write_str("reached max intensity"),
            Self::AutoShutdown => f.write_str("auto shutdown"),
            Self::Custom(reason) => f.write_str(reason),
        }
    }
}

/// Writes an error and its causes. What they say is code of others, and it is asked for where
/// processes are buried and supervisors report, so a panic in it is only a text.
fn write_chain(f: &mut fmt::Formatter<'_>, error: &dyn Error) -> fmt::Result {
    match catch_unwind(AssertUnwindSafe(|| chain(error))) {
        Ok(text) => write!(f, "error: {text}"),
        Err(_panic) => f.write_str("error: one that panics when it is asked what it is"),
    }
}

fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
