//! Describing a dynamic supervisor and starting it.

use std::any::type_name;
use std::sync::Arc;

use heights_core::{Backoff, ChildId, ChildPlan, Intensity};

use super::DynamicRef;
use super::run::DynamicBehavior;
use crate::admin::StartError;
use crate::hub::{Hub, Shape};
use crate::launch::start_root;
use crate::recipient::Recipient;
use crate::report::Report;
use crate::reporter::Reporter;
use crate::slot::Slot;
use crate::spec::{ChildSpec, Incubator};
use std::time::Duration;

/// A process whose children come and go, know nothing of each other, and stop side by side.
#[derive(Debug, Clone, Copy)]
pub struct DynamicSupervisor;

impl DynamicSupervisor {
    /// Begins the description of a dynamic supervisor.
    pub fn builder(name: impl Into<ChildId>) -> DynamicBuilder {
        DynamicBuilder {
            name: name.into(),
            config: Config {
                intensity: Intensity::default(),
                backoff: None,
                max_children: None,
                reporter: Reporter::default(),
            },
            hub: Hub::new(),
        }
    }
}

/// What a supervisor is made of; the same for all its lives.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) intensity: Intensity,
    pub(super) backoff: Option<Backoff>,
    pub(super) max_children: Option<usize>,
    pub(super) reporter: Reporter,
}

/// Describes a dynamic supervisor: by default three restarts in five seconds, no back-off, and
/// any number of children.
#[derive(Debug, Clone)]
#[must_use]
pub struct DynamicBuilder {
    name: ChildId,
    config: Config,
    hub: Hub,
}

impl DynamicBuilder {
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

    /// Allows at most this many children, those in restart or being stopped included.
    pub fn max_children(mut self, most: usize) -> Self {
        self.config.max_children = Some(most);
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

    /// Starts the supervisor as a root, without children.
    pub async fn start(self) -> Result<DynamicRef, StartError> {
        self.config.intensity.validate()?;
        let hub = self.hub.clone();
        let (spec, reference) = self.child_spec();
        start_root(&spec, hub).await.map_err(StartError::unpack)?;
        Ok(reference)
    }

    /// Makes the supervisor a child of another; the reference survives its restarts.
    pub fn child_spec(self) -> (ChildSpec, DynamicRef) {
        let slot = Slot::new();
        let reference = DynamicRef::new(slot.clone(), self.config.reporter.clone());
        let intensity = self.config.intensity;
        let config = Arc::new(self.config);
        let incubator = Incubator::<DynamicBehavior, _> {
            make: Arc::new(move || (DynamicBehavior, Arc::clone(&config))),
            slot,
            refer: |process, actor| super::handle::Running::new(process.clone(), actor),
        };
        let mut spec = ChildSpec::new(ChildPlan::supervisor(self.name), incubator);
        spec.type_name = type_name::<DynamicSupervisor>();
        spec.shape = Some(Shape { strategy: None, intensity, restarts_used: 0 });
        (spec, reference)
    }
}
