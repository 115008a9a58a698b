//! Describing a supervisor and starting it.

use std::any::type_name;
use std::sync::Arc;
use std::time::Duration;

use heights_core::{AutoShutdown, Backoff, ChildId, Flags, Strategy};

use super::SupervisorRef;
use super::run::SupervisorBehavior;
use crate::admin::StartError;
use crate::desk::{self, Profile};
use crate::exit::Fault;
use crate::hub::Hub;
use crate::process::Process;
use crate::recipient::Recipient;
use crate::report::Report;
use crate::reporter::Reporter;
use crate::spec::{ChildSpec, check_child_specs};

/// A process that starts its children in order, stops them in reverse, and restarts by rules.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use heights_supervisor::{Backoff, ChildSpec, Restart, Strategy, Supervisor, TaskContext};
///
/// async fn work(cx: TaskContext) -> Result<(), heights_supervisor::Fault> {
///     cx.shutdown().await;
///     Ok(())
/// }
///
/// let (inner, inner_ref) = Supervisor::builder("inner")
///     .child(ChildSpec::task("worker", work))
///     .backoff(Backoff::exponential(Duration::from_millis(100), Duration::from_secs(10)))
///     .child_spec();
/// let root = Supervisor::builder("root")
///     .strategy(Strategy::RestForOne)
///     .intensity(20, Duration::from_secs(60))
///     .child(ChildSpec::task("database", work))
///     .child(inner)
///     .start()
///     .await?;
///
/// // Children come and go by request too; they are the youngest.
/// inner_ref.start_child(ChildSpec::task("guest", work).restart(Restart::Temporary)).await?;
/// inner_ref.terminate_child("guest").await?;
/// assert_eq!(inner_ref.count_children().await.specs, 1);
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Supervisor;

impl Supervisor {
    /// Begins the description of a supervisor.
    pub fn builder(name: impl Into<ChildId>) -> SupervisorBuilder {
        let (profile, strategy) = (Profile::new(name.into()), Strategy::default());
        SupervisorBuilder { profile, strategy, children: Vec::new(), init: None }
    }
}

type Init = Arc<dyn Fn() -> Result<Vec<ChildSpec>, Fault> + Send + Sync>;

/// What a supervisor is made of; the same for all its lives.
pub(super) struct Config {
    pub(super) strategy: Strategy,
    pub(super) flags: Flags,
    pub(super) reporter: Reporter,
    children: Arc<[ChildSpec]>,
    init: Option<Init>,
}

impl Config {
    /// Returns the children to begin a life with.
    pub(super) fn children(&self) -> Result<Vec<ChildSpec>, Fault> {
        let mut children = self.children.to_vec();
        if let Some(init) = &self.init {
            children.extend(init()?);
        }
        Ok(children)
    }
}

/// Describes a supervisor: by default one for one, three restarts in five seconds, no back-off,
/// and no automatic shutdown.
#[derive(Clone)]
#[must_use]
pub struct SupervisorBuilder {
    profile: Profile,
    strategy: Strategy,
    children: Vec<ChildSpec>,
    init: Option<Init>,
}

impl SupervisorBuilder {
    /// Sets which siblings share the fate of a failed child.
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// Allows at most `restarts` in any `period`; one more and the supervisor gives up.
    pub fn intensity(mut self, restarts: u32, period: Duration) -> Self {
        self.profile.set_intensity(restarts, period);
        self
    }

    /// Sets whether the supervisor ends when significant children have ended.
    pub fn auto_shutdown(mut self, auto_shutdown: AutoShutdown) -> Self {
        self.profile.set_auto_shutdown(auto_shutdown);
        self
    }

    /// Delays restarts of children that have no back-off of their own.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.profile.set_backoff(backoff);
        self
    }

    /// Adds a child, younger than those before.
    pub fn child(mut self, spec: ChildSpec) -> Self {
        self.children.push(spec);
        self
    }

    /// Asks `init` for more children, younger than those that were added, whenever a life begins:
    /// at the first start and when the supervisor is restarted.
    ///
    /// If it returns [`Ignore`](crate::Ignore), there is nothing to supervise: the supervisor does
    /// not start, which is not a failure. Any other error, or a panic, is one.
    pub fn init(
        mut self,
        init: impl Fn() -> Result<Vec<ChildSpec>, Fault> + Send + Sync + 'static,
    ) -> Self {
        self.init = Some(Arc::new(init));
        self
    }

    /// Tells the reports of this supervisor to `recipient`.
    pub fn on_report(mut self, recipient: Recipient<Report>) -> Self {
        self.profile.tell(recipient);
        self
    }

    /// Uses this hub if the supervisor is a root; below a root, the root's hub is used.
    pub fn hub(mut self, hub: Hub) -> Self {
        self.profile.hub = hub;
        self
    }

    /// Starts the supervisor as a root: returns once all children are up.
    ///
    /// If one does not come up, those before it are stopped in reverse order first.
    pub async fn start(self) -> Result<SupervisorRef, StartError> {
        let (reference, _process) = self.start_root().await?;
        Ok(reference)
    }

    /// Starts the supervisor as a root and returns its process too, which tells how it ended even
    /// if that was before anyone could look.
    pub async fn start_root(self) -> Result<(SupervisorRef, Process), StartError> {
        check_child_specs(&self.children, self.profile.flags.auto_shutdown)?;
        self.profile.flags.intensity.validate()?;
        let hub = self.profile.hub.clone();
        let (spec, reference) = self.child_spec();
        let process = desk::start(&spec, hub).await?;
        Ok((reference, process))
    }

    /// Makes the supervisor a child of another; the reference survives its restarts.
    pub fn child_spec(self) -> (ChildSpec, SupervisorRef) {
        let Self { profile, strategy, children, init } = self;
        let (flags, reporter) = (profile.flags, profile.reporter.clone());
        let children: Arc<[ChildSpec]> = children.into();
        let known = init.is_none().then(|| Arc::clone(&children));
        let config = Arc::new(Config { strategy, flags, reporter, children, init });
        let make = move || (SupervisorBehavior, Arc::clone(&config), |actor| actor);
        let (mut spec, desk) = profile.open(Some(strategy), make);
        spec.type_name = type_name::<Supervisor>;
        spec.children = known;
        (spec, SupervisorRef(desk))
    }
}

impl std::fmt::Debug for SupervisorBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SupervisorBuilder")
            .field("profile", &self.profile)
            .field("strategy", &self.strategy)
            .field("children", &self.children)
            .field("init", &self.init.is_some())
            .finish()
    }
}
