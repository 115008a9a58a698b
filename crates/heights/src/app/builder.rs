//! Describing a program.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use heights_supervisor::{ChildId, Fault, Strategy, Supervisor, SupervisorBuilder, shielded};
use heights_vitals::InspectorBuilder;

use super::AppEnd;
use super::step::Step;

/// How long the tree may take to stop: what systemd and Kubernetes grant, less some to spare.
const SHUTDOWN_BUDGET: Duration = Duration::from_secs(60);

pub(super) type Configure = Box<dyn FnOnce(InspectorBuilder) -> InspectorBuilder + Send>;
pub(super) type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Describes a program.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use heights::app::AppEnd;
/// use heights::prelude::*;
///
/// let worker = |id: &'static str| ChildSpec::task(id, |cx| async move { Ok(cx.shutdown().await) });
/// let end = App::builder("shop")
///     .version("1.2.0")
///     .without_vitals()
///     .phase("data", |phase| phase.child(worker("ledger")))
///     .step("migrations", async { Ok(()) })
///     .phase("front", |phase| phase.strategy(Strategy::OneForAll).child(worker("web")))
///     .before_stop(async { println!("no more guests") })
///     .shutdown_budget(Duration::from_secs(30))
///     .stop_when(async { println!("all is up") })
///     .run()
///     .await;
/// assert!(matches!(end, AppEnd::Clean));
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct AppBuilder {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) root: SupervisorBuilder,
    pub(super) budget: Duration,
    /// What the platform grants for a stop.
    pub(super) limit: Option<Duration>,
    pub(super) vitals: Option<Configure>,
    pub(super) stop: Stop,
    pub(super) before_stop: Stop,
    pub(super) hangup: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl AppBuilder {
    pub(super) fn new(name: String) -> Self {
        Self {
            root: Supervisor::builder(name.clone()).strategy(Strategy::RestForOne),
            name,
            version: String::new(),
            budget: SHUTDOWN_BUDGET,
            limit: None,
            vitals: Some(Box::new(|inspector| inspector)),
            stop: Box::pin(std::future::pending()),
            before_stop: Box::pin(std::future::ready(())),
            hangup: None,
        }
    }

    /// Names the version, as `vitals ls` shows it.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Sets the root of the tree, instead of what has been added so far.
    pub fn supervisor(mut self, root: SupervisorBuilder) -> Self {
        self.root = root;
        self
    }

    /// Adds a phase: a supervisor under the root, which starts when all before it is up, and stops
    /// before it. Where a phase gives up, it and those after it are started anew, unless the root was
    /// given another strategy.
    pub fn phase(
        mut self,
        name: impl Into<ChildId>,
        configure: impl FnOnce(SupervisorBuilder) -> SupervisorBuilder,
    ) -> Self {
        let (phase, _reference) = configure(Supervisor::builder(name)).child_spec();
        self.root = self.root.child(phase);
        self
    }

    /// Adds a step between phases: it is done once, when all before it is up, and what comes after
    /// waits for it however long it takes. If it fails, the program does not start.
    pub fn step(
        mut self,
        name: impl Into<ChildId>,
        step: impl Future<Output = Result<(), Fault>> + Send + 'static,
    ) -> Self {
        self.root = self.root.child(Step::child_spec(name.into(), Box::pin(step)));
        self
    }

    /// Does something when the program is told to stop, before the tree is: saying goodbye to a load
    /// balancer, for example. It is part of the budget; if it panics, the tree is stopped all the same.
    pub fn before_stop(mut self, prepare: impl Future<Output = ()> + Send + 'static) -> Self {
        self.before_stop = Box::pin(prepare);
        self
    }

    /// Says what the platform grants for a stop before it kills the program.
    ///
    /// A tree that may take longer, by [`App::shutdown_bound`](super::App::shutdown_bound), does not
    /// start, and the budget is no longer than this.
    pub fn platform_limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
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

    /// Stops the program when a future ends, by a panic too, as SIGTERM would.
    pub fn stop_when(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Box::pin(stop);
        self
    }

    /// Calls `hook` at each SIGHUP; without a hook SIGHUP ends the program, as it always does. A panic
    /// of the hook is logged.
    pub fn on_hangup(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.hangup = Some(Arc::new(hook));
        self
    }

    /// Runs the program to its end.
    ///
    /// The first SIGTERM or SIGINT stops the tree in order, a second one kills it.
    pub async fn run(self) -> AppEnd {
        let end = self.start_and_stop().await;
        shielded("the log", || end.trace());
        end
    }
}
