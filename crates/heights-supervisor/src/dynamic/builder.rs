//! Describing a dynamic supervisor and starting it.

use std::any::type_name;
use std::sync::Arc;
use std::time::Duration;

use heights_core::{
    AutoShutdown, Backoff, ChildId, ChildPlan, Flags, SpecError, check_child_plans,
};

use super::run::DynamicBehavior;
use super::{DynamicRef, Office, TemplateBuilder};
use crate::admin::StartError;
use crate::desk::{self, Profile};
use crate::hub::Hub;
use crate::recipient::Recipient;
use crate::report::Report;
use crate::reporter::Reporter;
use crate::spec::{ChildSpec, ChildTemplate};

/// A process whose children come and go, know nothing of each other, and stop side by side.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{ChildSpec, DynamicSupervisor, Restart, Supervisor};
///
/// let (rooms, dynamic) = DynamicSupervisor::builder("rooms").max_children(100).child_spec();
/// let root = Supervisor::builder("chat").child(rooms).start().await?;
///
/// let room = ChildSpec::task("owls", |cx| async move {
///     cx.shutdown().await;
///     Ok(())
/// });
/// let owls = dynamic.start_child(room.restart(Restart::Transient)).await?;
/// assert_eq!(owls.process.path(), "chat/rooms/owls");
///
/// // Ids may be the same, so a child is known by its process.
/// dynamic.terminate_child(&owls.pid).await?;
/// assert_eq!(dynamic.count_children().await.active, 0);
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct DynamicSupervisor;

impl DynamicSupervisor {
    /// Begins the description of a dynamic supervisor.
    pub fn builder(name: impl Into<ChildId>) -> DynamicBuilder {
        DynamicBuilder { profile: Profile::new(name.into()), max_children: None, template: None }
    }
}

/// What a supervisor is made of; the same for all its lives.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) flags: Flags,
    pub(super) max_children: Option<usize>,
    pub(super) reporter: Reporter,
    template: Option<Arc<ChildPlan>>,
}

impl Config {
    /// Checks what is known of the children before there are any.
    pub(super) fn check(&self) -> Result<(), SpecError> {
        check_child_plans(self.template.as_slice(), self.flags.auto_shutdown)
    }
}

/// Describes a dynamic supervisor: by default three restarts in five seconds, no back-off, no
/// automatic shutdown, and any number of children.
#[derive(Debug, Clone)]
#[must_use]
pub struct DynamicBuilder {
    profile: Profile,
    max_children: Option<usize>,
    template: Option<Arc<ChildPlan>>,
}

impl DynamicBuilder {
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

    /// Allows at most this many children, those in restart or being stopped included.
    pub fn max_children(mut self, most: usize) -> Self {
        self.max_children = Some(most);
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

    /// Makes all children follow one template, as in OTP's `simple_one_for_one`; what else there
    /// is to say of the supervisor is said before.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use heights_supervisor::{ChildTemplate, Context, DynamicSupervisor, Fault, Flow, Reply, Restart, Server};
    /// # struct Room(String);
    /// # enum Msg {
    /// #     Topic(Reply<String>),
    /// # }
    /// # impl Server for Room {
    /// #     type Args = String;
    /// #     type Msg = Msg;
    /// #     async fn init(topic: String, _cx: &mut Context<Msg>) -> Result<Self, Fault> {
    /// #         Ok(Self(topic))
    /// #     }
    /// #     async fn handle(&mut self, Msg::Topic(reply): Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
    /// #         reply.send(self.0.clone());
    /// #         Ok(Flow::Continue)
    /// #     }
    /// # }
    /// let room = ChildTemplate::server::<Room>("room", |animal: &&str| format!("all about {animal}"))
    ///     .named(|animal| *animal)
    ///     .each(|spec| spec.restart(Restart::Transient));
    /// let rooms = DynamicSupervisor::builder("rooms").max_children(100).template(room);
    /// let rooms = rooms.start().await?;
    ///
    /// let (started, owls) = rooms.start_child("owls").await?;
    /// assert_eq!(started.process.path(), "rooms/owls");
    /// // What it was given is given to it in its next life, too.
    /// started.process.kill();
    /// started.process.gone().await;
    /// owls.running().await;
    /// assert_eq!(owls.call(Msg::Topic).await?, "all about owls");
    /// rooms.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// There is exactly one template. A second one is nothing that can be said:
    ///
    /// ```compile_fail,E0599
    /// # use heights_supervisor::{ChildTemplate, DynamicSupervisor};
    /// let [cats, dogs] = ["cat", "dog"].map(|id| ChildTemplate::task(id, |_cx, _: &u32| async { Ok(()) }));
    /// DynamicSupervisor::builder("animals").template(cats).template(dogs);
    /// ```
    ///
    /// And neither is a child that does not follow it:
    ///
    /// ```compile_fail,E0308
    /// # use heights_supervisor::{ChildSpec, ChildTemplate, DynamicSupervisor};
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let cats = ChildTemplate::task("cat", |_cx, _lives: &u32| async { Ok(()) });
    /// let cats = DynamicSupervisor::builder("cats").template(cats).start().await?;
    /// cats.start_child(ChildSpec::task("dog", |_cx| async { Ok(()) })).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn template<X, R>(mut self, template: ChildTemplate<X, R>) -> TemplateBuilder<X, R> {
        self.template = Some(Arc::clone(&template.model().plan));
        TemplateBuilder::new(self, template)
    }

    /// Starts the supervisor as a root, without children.
    pub async fn start(self) -> Result<DynamicRef, StartError> {
        self.profile.flags.intensity.validate()?;
        let hub = self.profile.hub.clone();
        let (spec, reference) = self.child_spec();
        desk::start(&spec, hub).await?;
        Ok(reference)
    }

    /// Makes the supervisor a child of another; the reference survives its restarts.
    pub fn child_spec(self) -> (ChildSpec, DynamicRef) {
        let Self { profile, max_children, template } = self;
        let (flags, reporter) = (profile.flags, profile.reporter.clone());
        let config = Arc::new(Config { flags, max_children, reporter, template });
        let make = move || {
            let office = Office::default();
            (DynamicBehavior, (Arc::clone(&config), office.clone()), |_actor| office)
        };
        let (mut spec, desk) = profile.open(None, make);
        spec.type_name = type_name::<DynamicSupervisor>;
        (spec, DynamicRef(desk))
    }
}
