//! A whole program: a tree, the signals that end it, and the code it exits with.
//!
//! ```text
//!   inspector up ─► tree up ─► … ─► SIGTERM, SIGINT ─► tree down in order ─► inspector down ─► exit code
//!                                                       within the budget
//! ```

mod end;
mod signals;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use heights_supervisor::{Exit, Hub, Process, Supervisor, SupervisorBuilder};
use heights_vitals::{Inspector, InspectorBuilder};
use tokio::time::{sleep, timeout};

pub use self::end::AppEnd;
use self::end::Forced;
use self::signals::Signals;

/// How long the tree may take to stop: what systemd and Kubernetes grant, less some to spare.
const SHUTDOWN_BUDGET: Duration = Duration::from_secs(60);

/// How long killed processes may take to be gone before the program ends without them.
const KILL_GRACE: Duration = Duration::from_secs(2);

type Configure = Box<dyn FnOnce(InspectorBuilder) -> InspectorBuilder + Send>;
type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A program made of one tree.
///
/// ```no_run
/// use heights::app::AppEnd;
/// use heights::prelude::*;
///
/// #[tokio::main]
/// async fn main() -> AppEnd {
///     let idle = ChildSpec::task("idle", |cx| async move { Ok(cx.shutdown().await) });
///     App::builder("hello").supervisor(Supervisor::builder("hello").child(idle)).run().await
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct App;

/// Describes a program.
#[must_use]
pub struct AppBuilder {
    name: String,
    version: String,
    root: SupervisorBuilder,
    budget: Duration,
    vitals: Option<Configure>,
    stop: Stop,
    hangup: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl App {
    /// Begins the description of a program.
    pub fn builder(name: impl Into<String>) -> AppBuilder {
        let name = name.into();
        AppBuilder {
            root: Supervisor::builder(name.clone()),
            name,
            version: String::new(),
            budget: SHUTDOWN_BUDGET,
            vitals: Some(Box::new(|inspector| inspector)),
            stop: Box::pin(std::future::pending()),
            hangup: None,
        }
    }
}

impl AppBuilder {
    /// Names the version, as `vitals ls` shows it.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Sets the root of the tree.
    pub fn supervisor(mut self, root: SupervisorBuilder) -> Self {
        self.root = root;
        self
    }

    /// Limits how long the whole tree may take to stop; what still runs then is killed.
    pub fn shutdown_budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// Configures the inspector: its tier, its directory. By default it lets its user look.
    pub fn vitals(
        mut self,
        configure: impl FnOnce(InspectorBuilder) -> InspectorBuilder + Send + 'static,
    ) -> Self {
        self.vitals = Some(Box::new(configure));
        self
    }

    /// Does without the inspector.
    pub fn without_vitals(mut self) -> Self {
        self.vitals = None;
        self
    }

    /// Stops the program when a future ends, as SIGTERM would.
    pub fn stop_when(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Box::pin(stop);
        self
    }

    /// Calls `hook` at each SIGHUP; without a hook SIGHUP ends the program, as it always does.
    pub fn on_hangup(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.hangup = Some(Arc::new(hook));
        self
    }

    /// Runs the program to its end.
    ///
    /// The first SIGTERM or SIGINT stops the tree in order, a second one kills it.
    pub async fn run(self) -> AppEnd {
        let end = self.start_and_stop().await;
        end.trace();
        end
    }

    async fn start_and_stop(self) -> AppEnd {
        let hub = Hub::new();
        let mut signals = match Signals::listen(self.hangup) {
            Ok(signals) => signals,
            Err(error) => return AppEnd::NotStarted(Arc::new(error)),
        };
        // It is dropped last: one can look inside until nothing is left to see.
        let _inspector = self.vitals.and_then(|configure| {
            start_inspector(configure(Inspector::builder(self.name, &hub).version(self.version)))
        });
        let started = tokio::select! {
            started = self.root.hub(hub.clone()).start_root() => started,
            () = signals.stop() => return give_up_start(&hub, self.budget).await,
        };
        match started {
            Err(error) => AppEnd::NotStarted(Arc::new(error)),
            Ok((_root, process)) => {
                let run = Run { root: process, hub, budget: self.budget };
                run.until_the_end(signals, self.stop).await
            }
        }
    }
}

/// A program that is up.
struct Run {
    root: Process,
    hub: Hub,
    budget: Duration,
}

impl Run {
    async fn until_the_end(self, mut signals: Signals, stop: Stop) -> AppEnd {
        tokio::select! {
            exit = self.root.gone() => AppEnd::of_itself(exit),
            () = stop => self.stop(signals).await,
            () = signals.stop() => self.stop(signals).await,
        }
    }

    /// Stops the tree in order; kills what is left when the budget is spent or someone insists.
    async fn stop(&self, mut signals: Signals) -> AppEnd {
        let forced = Forced::watch(&self.hub);
        self.root.stop();
        tokio::select! {
            exit = self.root.gone() => return AppEnd::of_stop(exit, forced.paths()),
            () = sleep(self.budget) => tracing::error!(budget = ?self.budget, "the tree did not stop in time"),
            () = signals.stop() => tracing::warn!("told twice to stop: the tree is killed"),
        }
        forced.add_all(&self.hub);
        self.root.kill();
        if timeout(KILL_GRACE, self.root.gone()).await.is_err() {
            tracing::error!("killed processes do not end: the program ends without them");
        }
        AppEnd::Forced(forced.paths())
    }
}

/// Ends a program that was told to stop while it came up.
async fn give_up_start(hub: &Hub, budget: Duration) -> AppEnd {
    // Whoever gives up on a start has thereby told the root to stop.
    let root = hub.snapshot().processes.first().and_then(|root| hub.process(root.pid));
    let Some(root) = root else { return AppEnd::Clean };
    let forced = Forced::watch(hub);
    if timeout(budget, root.gone()).await.is_err() {
        forced.add_all(hub);
    }
    AppEnd::of_stop(Exit::Normal, forced.paths())
}

/// A program that cannot be looked into still works, so this is no reason not to start.
fn start_inspector(inspector: InspectorBuilder) -> Option<Inspector> {
    match inspector.start() {
        Ok(inspector) => Some(inspector),
        Err(heights_vitals::StartError::TurnedOff) => None,
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "there will be no looking inside"
            );
            None
        }
    }
}
