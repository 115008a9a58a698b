//! Plain ractor actors as children, unchanged.

use std::any::type_name;
use std::fmt;
use std::sync::Arc;

use ractor::{Actor, ActorRef, SupervisionEvent};

use crate::exit::{Exit, Fault};
use crate::guard::Behavior;
use crate::keeper::Keeper;
use crate::process::Process;
use crate::server::Flow;
use crate::slot::Slot;

/// A reference to a plain ractor actor that stays valid when it is restarted.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights_supervisor::{ChildSpec, Supervisor};
/// use ractor::{Actor, ActorProcessingErr, ActorRef};
///
/// struct Doorman;
///
/// impl Actor for Doorman {
///     type Msg = tokio::sync::oneshot::Sender<&'static str>;
///     type State = ();
///     type Arguments = ();
///
///     async fn pre_start(&self, _: ActorRef<Self::Msg>, (): ()) -> Result<(), ActorProcessingErr> {
///         Ok(())
///     }
///
///     async fn handle(
///         &self,
///         _: ActorRef<Self::Msg>,
///         guest: Self::Msg,
///         (): &mut (),
///     ) -> Result<(), ActorProcessingErr> {
///         guest.send("come in").map_err(|_| "the guest has left".into())
///     }
/// }
///
/// let (spec, doorman) = ChildSpec::actor("doorman", || (Doorman, ()));
/// let root = Supervisor::builder("house").child(spec).start().await?;
/// let (knock, answer) = tokio::sync::oneshot::channel();
/// doorman.running().await.cast(knock)?;
/// assert_eq!(answer.await?, "come in");
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
pub struct ActorSlot<M>(pub(crate) Slot<ActorRef<M>>);

impl<M: Send + 'static> ActorSlot<M> {
    /// Returns ractor's reference to the current life.
    pub fn current(&self) -> Option<ActorRef<M>> {
        self.0.current()
    }

    /// Waits until there is a life and returns ractor's reference to it.
    pub async fn running(&self) -> ActorRef<M> {
        self.0.occupied().await
    }

    /// Returns the current life as a process.
    pub fn process(&self) -> Option<Process> {
        self.0.process()
    }
}

impl<M> Clone for ActorSlot<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M> fmt::Debug for ActorSlot<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActorSlot({:?})", self.0)
    }
}

/// Runs any ractor actor inside the guard. As in ractor, `post_stop` is for orderly exits only.
pub(crate) struct Plain<A>(pub(crate) A);

impl<A: Actor> Behavior for Plain<A> {
    type Msg = A::Msg;
    type State = A::State;
    type Args = A::Arguments;

    async fn start(
        &self,
        myself: ActorRef<A::Msg>,
        args: A::Arguments,
        _keeper: &Arc<Keeper>,
    ) -> Result<A::State, Fault> {
        self.0.pre_start(myself, args).await
    }

    async fn begin(&self, myself: ActorRef<A::Msg>, state: &mut A::State) -> Result<(), Fault> {
        self.0.post_start(myself, state).await
    }

    async fn handle(
        &self,
        myself: ActorRef<A::Msg>,
        message: A::Msg,
        state: &mut A::State,
    ) -> Result<Flow, Fault> {
        self.0.handle(myself, message, state).await.map(|()| Flow::Continue)
    }

    async fn supervise(
        &self,
        myself: ActorRef<A::Msg>,
        event: SupervisionEvent,
        state: &mut A::State,
    ) -> Result<(), Fault> {
        self.0.handle_supervisor_evt(myself, event, state).await
    }

    async fn terminate(
        &self,
        myself: ActorRef<A::Msg>,
        state: &mut A::State,
        exit: &Exit,
    ) -> Result<(), Fault> {
        if exit.is_abnormal() {
            return Ok(());
        }
        self.0.post_stop(myself, state).await
    }

    fn type_name() -> &'static str {
        type_name::<A>()
    }
}
