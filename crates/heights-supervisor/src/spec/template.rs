//! Templates: specs that lack what each child is given when it is started.

use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use heights_core::{ChildId, ChildPlan};
use ractor::Actor;

use super::ChildSpec;
use crate::exit::{Exit, Fault};
use crate::keeper::{Keeper, StartFailure, Starter};
use crate::plain::ActorSlot;
use crate::reference::ChildRef;
use crate::server::Server;
use crate::slot::Slot;
use crate::supervisor::{SupervisorBuilder, SupervisorRef};
use crate::task::TaskContext;

type Name<X> = Arc<dyn Fn(&X) -> ChildId + Send + Sync>;
type Make<X, R> = Arc<dyn Fn(X) -> (ChildSpec, R) + Send + Sync>;

/// A spec for any number of children, which differ by an `X` that each is started with.
///
/// The `X` of a child is kept for as long as the child may be started again, and is looked at in
/// each of its lives. `R` is the kind of reference that each child gets.
///
/// It is what a [`DynamicSupervisor`](crate::DynamicSupervisor) may be
/// [limited to](crate::DynamicBuilder::template).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{ChildTemplate, DynamicSupervisor, Restart};
/// # use heights_supervisor::{Context, Fault, Flow, Reply, Server};
/// # struct Room(String);
/// # impl Server for Room {
/// #     type Args = String;
/// #     type Msg = Reply<String>;
/// #     async fn init(name: String, _cx: &mut Context<Self::Msg>) -> Result<Self, Fault> {
/// #         Ok(Self(name))
/// #     }
/// #     async fn handle(&mut self, msg: Self::Msg, _cx: &mut Context<Self::Msg>) -> Result<Flow, Fault> {
/// #         msg.send(format!("this is {}", self.0));
/// #         Ok(Flow::Continue)
/// #     }
/// # }
///
/// // A room is started, and started again, with the name that it was given.
/// let room = ChildTemplate::server::<Room>("room", |name: &String| name.clone())
///     .named(|name| name.clone())
///     .each(|spec| spec.restart(Restart::Transient));
/// let rooms = DynamicSupervisor::builder("rooms").template(room).start().await?;
/// let (started, owls) = rooms.start_child("owls".to_owned()).await?;
/// assert_eq!(started.process.path(), "rooms/owls");
/// assert_eq!(owls.call(|reply| reply).await?, "this is owls");
///
/// started.process.kill();
/// started.process.gone().await;
/// assert_eq!(owls.running().await.call(|reply| reply).await?, "this is owls");
/// rooms.stop().await;
/// # Ok(())
/// # }
/// ```
pub struct ChildTemplate<X, R> {
    model: ChildSpec,
    name: Option<Name<X>>,
    make: Make<X, R>,
}

impl<X: Send + Sync + 'static, M: Send + 'static> ChildTemplate<X, ChildRef<M>> {
    /// Many of a [`Server`]; `args` is called for each life.
    pub fn server<S: Server<Msg = M>>(
        id: impl Into<ChildId>,
        args: impl Fn(&X) -> S::Args + Send + Sync + 'static,
    ) -> Self {
        let args = Arc::new(args);
        Self::new::<S>(ChildPlan::worker(id), move |extra| {
            let args = Arc::clone(&args);
            ChildSpec::server::<S>("", move || args(&extra))
        })
    }
}

impl<X: Send + Sync + 'static, M: Send + 'static> ChildTemplate<X, ActorSlot<M>> {
    /// Many of a plain ractor actor; `make` is called for each life.
    pub fn actor<A: Actor<Msg = M>>(
        id: impl Into<ChildId>,
        make: impl Fn(&X) -> (A, A::Arguments) + Send + Sync + 'static,
    ) -> Self {
        let make = Arc::new(make);
        Self::new::<A>(ChildPlan::worker(id), move |extra| {
            let make = Arc::clone(&make);
            ChildSpec::actor("", move || make(&extra))
        })
    }
}

impl<X: Send + Sync + 'static> ChildTemplate<X, ()> {
    /// Many of a future; `make` is called for each life.
    pub fn task<F, Fut>(id: impl Into<ChildId>, make: F) -> Self
    where
        F: Fn(TaskContext, &X) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let make = Arc::new(make);
        Self::new::<Fut>(ChildPlan::task(id), move |extra| {
            let make = Arc::clone(&make);
            (ChildSpec::task("", move |cx| make(cx, &extra)), ())
        })
    }
}

impl<X: Send + Sync + 'static> ChildTemplate<X, SupervisorRef> {
    /// Many of a [`Supervisor`](crate::Supervisor); `describe` is called once for each child, and
    /// the name that it gives does not matter.
    pub fn supervisor(
        id: impl Into<ChildId>,
        describe: impl Fn(X) -> SupervisorBuilder + Send + Sync + 'static,
    ) -> Self {
        let plan = ChildPlan::supervisor(id);
        Self::new::<crate::Supervisor>(plan, move |extra| describe(extra).child_spec())
    }
}

impl<X, R> ChildTemplate<X, R> {
    fn new<B>(plan: ChildPlan, make: impl Fn(X) -> (ChildSpec, R) + Send + Sync + 'static) -> Self {
        let place = Slot::<()>::new().into_place();
        let model = ChildSpec::started_by(Arc::new(Unfilled), place, plan, type_name::<B>);
        Self { model, name: None, make: Arc::new(make) }
    }

    /// Says how the children are treated: what is said of this spec holds for each of them.
    #[must_use]
    pub fn each(mut self, change: impl FnOnce(ChildSpec) -> ChildSpec) -> Self {
        self.model = change(self.model);
        self
    }

    /// Gives the children ids of their own; by default all have that of the template.
    #[must_use]
    pub fn named<I: Into<ChildId>>(
        mut self,
        name: impl Fn(&X) -> I + Send + Sync + 'static,
    ) -> Self {
        self.name = Some(Arc::new(move |extra| name(extra).into()));
        self
    }

    /// Returns the spec of a child as far as the template says it; it cannot be started.
    pub const fn model(&self) -> &ChildSpec {
        &self.model
    }

    /// Makes the spec of one child, and its reference.
    pub(crate) fn fill(&self, extra: X) -> (ChildSpec, R) {
        let id = self.name.as_ref().map(|name| name(&extra));
        let (made, reference) = (self.make)(extra);
        let model = self.model.clone();
        let ChildSpec { starter, place, type_name, shape, children, .. } = made;
        let spec = ChildSpec { starter, place, type_name, shape, children, ..model };
        (id.into_iter().fold(spec, ChildSpec::renamed), reference)
    }
}

impl<X, R> Clone for ChildTemplate<X, R> {
    fn clone(&self) -> Self {
        let Self { model, name, make } = self;
        Self { model: model.clone(), name: name.clone(), make: Arc::clone(make) }
    }
}

impl<X, R> fmt::Debug for ChildTemplate<X, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.name.is_some();
        f.debug_struct("ChildTemplate")
            .field("model", &self.model)
            .field("named", &named)
            .finish_non_exhaustive()
    }
}

/// What a template has in place of a start.
#[derive(Debug, thiserror::Error)]
#[error("a template is started by what each child is given")]
struct Unfilled;

impl Starter for Unfilled {
    fn start(self: Arc<Self>, keeper: Keeper) {
        keeper.note_start(Err(StartFailure::Exit(Exit::Error(self))));
    }
}
