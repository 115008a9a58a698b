//! A whole program: a tree, the signals that end it, and the code it exits with.
//!
//! ```text
//!   inspector up ─► tree up ─► … ─► SIGTERM, SIGINT ─► tree down in order ─► inspector down ─► exit code
//!                   phase by phase                      within the budget
//! ```

mod bound;
mod builder;
mod end;
mod run;
mod signals;
mod step;
mod trouble;

use std::time::Duration;

use heights_supervisor::SupervisorBuilder;

pub use self::bound::{ShutdownBound, ShutdownBoundError};
pub use self::builder::AppBuilder;
pub use self::end::AppEnd;

/// A program made of one tree.
///
/// `main` returns how it ended: what went wrong is said on stderr, and the exit code says it too.
/// What has to be done before there is a tree may fail as well.
///
/// ```
/// use heights::app::AppEnd;
/// use heights::prelude::*;
///
/// #[tokio::main]
/// async fn main() -> AppEnd {
///     serve().await.unwrap_or_else(AppEnd::not_started)
/// }
///
/// async fn serve() -> Result<AppEnd, Fault> {
///     let patience = std::env::var("PATIENCE").unwrap_or("30".to_owned()).parse()?;
///     let idle = ChildSpec::task("idle", |cx| async move { Ok(cx.shutdown().await) });
///     let idle = idle.shutdown(Shutdown::Timeout(std::time::Duration::from_secs(patience)));
///     let root = Supervisor::builder("hello").child(idle);
///     let soon = tokio::time::sleep(std::time::Duration::from_millis(10));
///     // Without `stop_when` it runs until it is told to stop by a signal.
///     Ok(App::builder("hello").supervisor(root).stop_when(soon).run().await)
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct App;

impl App {
    /// Begins the description of a program.
    pub fn builder(name: impl Into<String>) -> AppBuilder {
        AppBuilder::new(name.into())
    }

    /// Computes how long a tree may take to stop, by its specs alone, and compares it with what the
    /// platform grants: `terminationGracePeriodSeconds` of Kubernetes, `TimeoutStopSec` of systemd.
    ///
    /// ```
    /// use std::time::Duration;
    /// use heights::prelude::*;
    ///
    /// let worker = |id: &str| ChildSpec::task(id, |cx| async move { Ok(cx.shutdown().await) });
    /// let slow = worker("slow").shutdown(Shutdown::Timeout(Duration::from_secs(40)));
    /// let root = Supervisor::builder("shop").child(worker("quick")).child(slow);
    /// assert_eq!(App::shutdown_bound(&root, Duration::from_secs(90))?.total().as_secs(), 50);
    /// let error = App::shutdown_bound(&root, Duration::from_secs(30)).unwrap_err();
    /// assert_eq!(error.to_string(), "stop within 30s: it may take 50s, of which shop/slow takes 40s");
    /// # Ok::<(), heights::app::ShutdownBoundError>(())
    /// ```
    pub fn shutdown_bound(
        root: &SupervisorBuilder,
        limit: Duration,
    ) -> Result<ShutdownBound, ShutdownBoundError> {
        bound::check(root, limit)
    }
}
