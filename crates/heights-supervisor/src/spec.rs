//! Child specifications: how to start a child, any number of times, and how to treat it.

mod incubator;
mod patience;
mod template;
mod treatment;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use heights_core::{AutoShutdown, ChildId, ChildPlan, Restart, SpecError, check_child_plans};
use ractor::Actor;

use self::incubator::{Incubator, UsedUp};
pub(crate) use self::patience::{Limits, Patience};
pub use self::template::ChildTemplate;
use crate::exit::Fault;
use crate::guard::{Behavior, Egg};
use crate::hub::Shape;
use crate::keeper::{Place, Starter};
use crate::plain::{ActorSlot, Plain};
use crate::process::{Process, TypeName};
use crate::queue::{Locker, Queue};
use crate::reference::{ChildRef, Ref};
use crate::server::{Cradle, Server, ServerBehavior};
use crate::slot::Slot;
use crate::task::{MakeTask, TaskBehavior, TaskContext};
use crate::zombie::ZombiePolicy;

/// How to start a child, any number of times, and how to treat it.
///
/// Defaults: permanent, five seconds to stop (supervisors: as long as it takes), thirty seconds
/// to start (supervisors: as long as their children take), five seconds to be gone when killed.
///
/// A clone is the same child: its references point to whichever life was started last.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use heights_supervisor::{Backoff, ChildSpec, GiveUp, Restart, Shutdown, Supervisor};
///
/// let import = ChildSpec::task("import", |cx| async move {
///     println!("life {}", cx.process().incarnation());
///     Ok(())
/// })
/// .restart(Restart::Transient)
/// .shutdown(Shutdown::Timeout(Duration::from_secs(30)))
/// .backoff(Backoff::exponential(Duration::from_millis(100), Duration::from_secs(60)))
/// .restart_limit(5, Duration::from_secs(600), GiveUp::RemoveChild);
/// let root = Supervisor::builder("root").child(import).start().await?;
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ChildSpec {
    pub(crate) plan: Arc<ChildPlan>,
    pub(crate) type_name: TypeName,
    pub(crate) patience: Patience,
    /// For supervisors only.
    pub(crate) shape: Option<Box<Shape>>,
    pub(crate) starter: Arc<dyn Starter>,
    pub(crate) place: Arc<dyn Place>,
    /// What a supervisor begins each life with, where that is known beforehand.
    pub(crate) children: Option<Arc<[ChildSpec]>>,
}

impl ChildSpec {
    /// A [`Server`]; `args` is called for each life.
    pub fn server<S: Server>(
        id: impl Into<ChildId>,
        args: impl Fn() -> S::Args + Send + Sync + 'static,
    ) -> (Self, ChildRef<S::Msg>) {
        let slot = Slot::new();
        let (place, child) = (slot.clone(), ChildRef(slot.clone()));
        let locker = S::MAILBOX.survives.then(Locker::new);
        let lay = move || {
            let queue = Arc::new(Queue::new(const { &S::MAILBOX }));
            let (slot, door) = (slot.clone(), Arc::clone(&queue));
            let cradle = Cradle { args: args(), queue, locker: locker.clone() };
            let occupy = move |process: &Process, _actor| {
                slot.occupy(process.clone(), Ref::new(process.clone(), door));
            };
            Egg { behavior: ServerBehavior::<S>::new(), args: cradle, occupy: Box::new(occupy) }
        };
        (Self::new(ChildPlan::worker(id), lay, place), child)
    }

    /// A plain ractor actor, unchanged; `make` is called for each life.
    pub fn actor<A: Actor>(
        id: impl Into<ChildId>,
        make: impl Fn() -> (A, A::Arguments) + Send + Sync + 'static,
    ) -> (Self, ActorSlot<A::Msg>) {
        let slot = Slot::new();
        let (place, child) = (slot.clone(), ActorSlot(slot.clone()));
        let lay = move || {
            let slot = slot.clone();
            let (actor, args) = make();
            let occupy = move |process: &Process, actor| slot.occupy(process.clone(), actor);
            Egg { behavior: Plain(actor), args, occupy: Box::new(occupy) }
        };
        (Self::new(ChildPlan::worker(id), lay, place), child)
    }

    /// A future; `make` is called for each life. `Ok` is a normal exit.
    ///
    /// The future is told to stop by [`TaskContext::shutdown`] and killed if it does not in time.
    pub fn task<F, Fut>(id: impl Into<ChildId>, make: F) -> Self
    where
        F: Fn(TaskContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let make = Arc::new(make);
        Self::futures(id.into(), move || {
            let make = Arc::clone(&make);
            Box::new(move |context| Box::pin(make(context)))
        })
    }

    /// Returns the id of the child.
    pub fn id(&self) -> &ChildId {
        &self.plan.id
    }

    /// Returns what a supervisor decides by.
    pub fn plan(&self) -> &ChildPlan {
        &self.plan
    }

    /// Returns the children that a supervisor begins each life with; `None` for whoever has none, and
    /// for supervisors that get theirs only when they run.
    pub fn children(&self) -> Option<&[Self]> {
        self.children.as_deref()
    }

    /// Returns how long the child may take to be gone once it has been killed.
    pub fn gone_within(&self) -> Duration {
        self.patience.with(self.plan.kind).kill_grace
    }

    /// Returns how long the child may take to come up; `None` means as long as it takes.
    pub fn starts_within(&self) -> Option<Duration> {
        self.patience.with(self.plan.kind).start_timeout
    }

    /// Returns what happens when the child does not end although it was killed.
    pub fn zombie_policy(&self) -> ZombiePolicy {
        self.patience.with(self.plan.kind).zombie_policy
    }

    /// Returns the name of the type that implements the child.
    pub fn type_name(&self) -> &'static str {
        (self.type_name)()
    }

    pub(crate) fn futures(
        id: ChildId,
        make: impl Fn() -> MakeTask + Send + Sync + 'static,
    ) -> Self {
        let slot = Slot::new();
        let place = slot.clone();
        let lay = move || {
            let slot = slot.clone();
            let occupy = move |process: &Process, _actor| slot.occupy(process.clone(), ());
            Egg { behavior: TaskBehavior, args: make(), occupy: Box::new(occupy) }
        };
        Self::new(ChildPlan::task(id), lay, place)
    }

    /// Makes a spec; `lay` is called for each life, in the task of that life.
    pub(crate) fn new<B: Behavior, R: Send + Sync + 'static>(
        plan: ChildPlan,
        lay: impl Fn() -> Egg<B> + Send + Sync + 'static,
        slot: Slot<R>,
    ) -> Self {
        let starter = Arc::new(Incubator::new(lay));
        Self::started_by(starter, slot.into_place(), plan, B::type_name)
    }

    fn started_by(
        starter: Arc<dyn Starter>,
        place: Arc<dyn Place>,
        plan: ChildPlan,
        type_name: TypeName,
    ) -> Self {
        Self {
            plan: Arc::new(plan),
            type_name,
            patience: Patience::default(),
            shape: None,
            starter,
            place,
            children: None,
        }
    }

    fn plan_mut(&mut self) -> &mut ChildPlan {
        Arc::make_mut(&mut self.plan)
    }

    pub(crate) fn renamed(mut self, id: impl Into<ChildId>) -> Self {
        self.plan_mut().id = id.into();
        self
    }

    /// Lets go of what a temporary child was started with: it has no other life.
    pub(crate) fn forget_start_if_temporary(&mut self) {
        if self.plan.restart == Restart::Temporary {
            self.starter = Arc::new(UsedUp);
            self.children = None;
        }
    }
}

impl std::fmt::Debug for ChildSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChildSpec")
            .field("plan", &self.plan)
            .field("start_timeout", &self.starts_within())
            .field("type_name", &self.type_name())
            .finish_non_exhaustive()
    }
}

/// Checks a list of child specs as a supervisor with this `auto_shutdown` would at start.
///
/// ```
/// use heights_supervisor::{AutoShutdown, ChildSpec, SpecError, check_child_specs};
///
/// let twin = || ChildSpec::task("twin", |_cx| async { Ok(()) });
/// let wrong = check_child_specs(&[twin(), twin()], AutoShutdown::Never);
/// assert_eq!(wrong, Err(SpecError::DuplicateId("twin".into())));
/// ```
pub fn check_child_specs(
    specs: &[ChildSpec],
    auto_shutdown: AutoShutdown,
) -> Result<(), SpecError> {
    let plans: Vec<Arc<ChildPlan>> = specs.iter().map(|spec| Arc::clone(&spec.plan)).collect();
    check_child_plans(&plans, auto_shutdown)
}
