//! Describing a supervisor and starting it.

use std::any::type_name;
use std::sync::Arc;
use std::time::Duration;

use heights_core::{AutoShutdown, Backoff, ChildId, Flags, Strategy};

use super::SupervisorRef;
use super::run::SupervisorBehavior;
use crate::admin::StartError;
use crate::desk::{self, Profile};
use crate::hub::Hub;
use crate::process::Process;
use crate::recipient::Recipient;
use crate::report::Report;
use crate::reporter::Reporter;
use crate::spec::{ChildSpec, check_child_specs};

/// A process that starts its children in order, stops them in reverse, and restarts by rules.
#[derive(Debug, Clone, Copy)]
pub struct Supervisor;

impl Supervisor {
    /// Begins the description of a supervisor.
    pub fn builder(name: impl Into<ChildId>) -> SupervisorBuilder {
        let (strategy, children) = (Strategy::default(), Vec::new());
        SupervisorBuilder { profile: Profile::new(name.into()), strategy, children }
    }
}

/// What a supervisor is made of; the same for all its lives.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) strategy: Strategy,
    pub(super) flags: Flags,
    pub(super) children: Vec<ChildSpec>,
    pub(super) reporter: Reporter,
}

/// Describes a supervisor: by default one for one, three restarts in five seconds, no back-off,
/// and no automatic shutdown.
#[derive(Debug, Clone)]
#[must_use]
pub struct SupervisorBuilder {
    profile: Profile,
    strategy: Strategy,
    children: Vec<ChildSpec>,
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
        let Self { profile, strategy, children } = self;
        let (flags, reporter) = (profile.flags, profile.reporter.clone());
        let config = Arc::new(Config { strategy, flags, children, reporter });
        let make = move || (SupervisorBehavior, Arc::clone(&config));
        let (mut spec, desk) = profile.open(Some(strategy), make);
        spec.type_name = type_name::<Supervisor>();
        (spec, SupervisorRef(desk))
    }
}
