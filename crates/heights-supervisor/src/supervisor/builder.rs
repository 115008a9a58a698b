//! Describing a supervisor and starting it.

use std::any::type_name;
use std::sync::Arc;

use heights_core::{Backoff, ChildId, ChildPlan, Intensity, Strategy};

use super::SupervisorRef;
use super::run::SupervisorBehavior;
use crate::admin::StartError;
use crate::hub::{Hub, Shape};
use crate::launch::start_root;
use crate::process::Process;
use crate::recipient::Recipient;
use crate::report::Report;
use crate::reporter::Reporter;
use crate::slot::Slot;
use crate::spec::{ChildSpec, Incubator, check_child_specs};
use std::time::Duration;

/// A process that starts its children in order, stops them in reverse, and restarts by rules.
#[derive(Debug, Clone, Copy)]
pub struct Supervisor;

impl Supervisor {
    /// Begins the description of a supervisor.
    pub fn builder(name: impl Into<ChildId>) -> SupervisorBuilder {
        SupervisorBuilder {
            name: name.into(),
            config: Config {
                strategy: Strategy::default(),
                intensity: Intensity::default(),
                backoff: None,
                children: Vec::new(),
                reporter: Reporter::default(),
            },
            hub: Hub::new(),
        }
    }
}

/// What a supervisor is made of; the same for all its lives.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) strategy: Strategy,
    pub(super) intensity: Intensity,
    pub(super) backoff: Option<Backoff>,
    pub(super) children: Vec<ChildSpec>,
    pub(super) reporter: Reporter,
}

/// Describes a supervisor: by default one for one, three restarts in five seconds, no back-off.
#[derive(Debug, Clone)]
#[must_use]
pub struct SupervisorBuilder {
    name: ChildId,
    config: Config,
    hub: Hub,
}

impl SupervisorBuilder {
    /// Sets which siblings share the fate of a failed child.
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.config.strategy = strategy;
        self
    }

    /// Allows at most `restarts` in any `period`; one more and the supervisor gives up.
    pub fn intensity(mut self, restarts: u32, period: Duration) -> Self {
        self.config.intensity = Intensity::new(restarts, period);
        self
    }

    /// Delays restarts of children that have no back-off of their own.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.config.backoff = Some(backoff);
        self
    }

    /// Adds a child, younger than those before.
    pub fn child(mut self, spec: ChildSpec) -> Self {
        self.config.children.push(spec);
        self
    }

    /// Tells the reports of this supervisor to `recipient`.
    pub fn on_report(mut self, recipient: Recipient<Report>) -> Self {
        self.config.reporter.add(recipient);
        self
    }

    /// Uses this hub if the supervisor is a root; below a root, the root's hub is used.
    pub fn hub(mut self, hub: Hub) -> Self {
        self.hub = hub;
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
        check_child_specs(&self.config.children)?;
        self.config.intensity.validate()?;
        let hub = self.hub.clone();
        let (spec, reference) = self.child_spec();
        let process = start_root(&spec, hub).await.map_err(StartError::unpack)?;
        Ok((reference, process))
    }

    /// Makes the supervisor a child of another; the reference survives its restarts.
    pub fn child_spec(self) -> (ChildSpec, SupervisorRef) {
        let slot = Slot::new();
        let reference = SupervisorRef::new(slot.clone(), self.config.reporter.clone());
        let (strategy, intensity) = (self.config.strategy, self.config.intensity);
        let config = Arc::new(self.config);
        let incubator = Incubator::<SupervisorBehavior, _> {
            make: Arc::new(move || (SupervisorBehavior, Arc::clone(&config))),
            slot,
            refer: |process, actor| super::handle::Running::new(process.clone(), actor),
        };
        let mut spec = ChildSpec::new(ChildPlan::supervisor(self.name), incubator);
        spec.type_name = type_name::<Supervisor>();
        spec.shape = Some(Shape { strategy: Some(strategy), intensity, restarts_used: 0 });
        (spec, reference)
    }
}
