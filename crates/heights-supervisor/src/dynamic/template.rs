//! Dynamic supervisors with one template for all their children: OTP's `simple_one_for_one`.

use std::fmt;

use heights_core::Counts;
use tokio::sync::mpsc;

use super::{DynamicBuilder, DynamicRef};
use crate::admin::{AdminError, ChildInfo, ChildStarted, StartChildError, StartError};
use crate::exit::Exit;
use crate::hub::{Hub, TreeSnapshot};
use crate::keeper::StartFailure;
use crate::panic::catch_now;
use crate::process::{Process, ProcessId};
use crate::report::Report;
use crate::spec::{ChildSpec, ChildTemplate};

/// Describes a dynamic supervisor whose children all follow one template.
#[derive(Debug, Clone)]
#[must_use]
pub struct TemplateBuilder<X, R> {
    builder: DynamicBuilder,
    template: ChildTemplate<X, R>,
}

impl<X, R> TemplateBuilder<X, R> {
    pub(super) const fn new(builder: DynamicBuilder, template: ChildTemplate<X, R>) -> Self {
        Self { builder, template }
    }

    /// Starts the supervisor as a root, without children; refuses a template that is wrong.
    pub async fn start(self) -> Result<TemplateRef<X, R>, StartError> {
        let Self { builder, template } = self;
        Ok(TemplateRef { dynamic: builder.start().await?, template })
    }

    /// Makes the supervisor a child of another, which does not come up if the template is wrong;
    /// the reference survives its restarts.
    pub fn child_spec(self) -> (ChildSpec, TemplateRef<X, R>) {
        let Self { builder, template } = self;
        let (spec, dynamic) = builder.child_spec();
        (spec, TemplateRef { dynamic, template })
    }
}

/// A reference to a dynamic supervisor with a template; it stays valid when that is restarted.
///
/// Requests wait for their answer as those of a [`DynamicRef`] do.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{ChildTemplate, DynamicSupervisor, Restart};
///
/// let countdown = ChildTemplate::task("countdown", |cx, from: &u32| {
///     let from = *from;
///     async move {
///         println!("{from} of life {}", cx.process().incarnation());
///         Ok(cx.shutdown().await)
///     }
/// });
/// let countdown = countdown.each(|spec| spec.restart(Restart::Transient));
/// let countdowns = DynamicSupervisor::builder("countdowns").template(countdown).start().await?;
/// for from in [3, 5] {
///     let (started, ()) = countdowns.start_child(from).await?;
///     let spec = countdowns.get_child_spec(&started.pid).await?;
///     assert_eq!(spec.plan(), countdowns.template().model().plan());
/// }
/// assert_eq!(countdowns.count_children().await.active, 2);
/// countdowns.stop().await;
/// # Ok(())
/// # }
/// ```
pub struct TemplateRef<X, R> {
    dynamic: DynamicRef,
    template: ChildTemplate<X, R>,
}

impl<X, R> TemplateRef<X, R> {
    /// Starts a child, with what this one is given beyond what the template says.
    ///
    /// Returns it and the reference to all its lives once it is up; if it does not come up it is
    /// forgotten.
    pub async fn start_child(&self, extra: X) -> Result<(ChildStarted, R), StartChildError> {
        let (spec, reference) = self.fill(extra)?;
        Ok((self.dynamic.start_child(spec).await?, reference))
    }

    /// Makes the spec of one child, as the supervisor: a panic of the template is no matter of who
    /// asks.
    fn fill(&self, extra: X) -> Result<(ChildSpec, R), StartChildError> {
        let Some(supervisor) = self.process() else {
            return Err(StartChildError::Supervisor(self.dynamic.0.absence()));
        };
        let filled = catch_now(&supervisor, || self.template.fill(extra));
        filled.map_err(|panic| {
            let (id, exit) = (self.template.model().id().clone(), Exit::Panic(panic));
            StartChildError::Failed { id, cause: StartFailure::Exit(exit) }
        })
    }

    /// Stops a child and forgets it; see [`DynamicRef::terminate_child`].
    pub async fn terminate_child(&self, pid: &ProcessId) -> Result<(), AdminError> {
        self.dynamic.terminate_child(pid).await
    }

    /// Returns the whole spec of a child; see [`DynamicRef::get_child_spec`].
    pub async fn get_child_spec(&self, pid: &ProcessId) -> Result<ChildSpec, AdminError> {
        self.dynamic.get_child_spec(pid).await
    }

    /// Returns what all children have in common.
    pub const fn template(&self) -> &ChildTemplate<X, R> {
        &self.template
    }

    /// Lists the children, the oldest first; none if the supervisor does not run.
    pub async fn which_children(&self) -> Vec<ChildInfo> {
        self.dynamic.which_children().await
    }

    /// Counts the children; all zero if the supervisor does not run.
    pub async fn count_children(&self) -> Counts {
        self.dynamic.count_children().await
    }

    /// Stops the supervisor and returns once all children are gone; any number may ask.
    pub async fn stop(&self) -> Exit {
        self.dynamic.stop().await
    }

    /// Returns the reports of this supervisor, from now on and through its restarts.
    pub fn reports(&self) -> mpsc::UnboundedReceiver<Report> {
        self.dynamic.reports()
    }

    /// Takes a picture of the subtree without asking any process; `None` if there is none.
    pub fn tree(&self) -> Option<TreeSnapshot> {
        self.dynamic.tree()
    }

    /// Returns the current life.
    pub fn process(&self) -> Option<Process> {
        self.dynamic.process()
    }

    /// Returns the hub of the tree, while the supervisor runs.
    pub fn hub(&self) -> Option<Hub> {
        self.dynamic.hub()
    }
}

impl<X, R> Clone for TemplateRef<X, R> {
    fn clone(&self) -> Self {
        Self { dynamic: self.dynamic.clone(), template: self.template.clone() }
    }
}

impl<X, R> fmt::Debug for TemplateRef<X, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemplateRef")
            .field("dynamic", &self.dynamic)
            .field("template", &self.template)
            .finish()
    }
}
