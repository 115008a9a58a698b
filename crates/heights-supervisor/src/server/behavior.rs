//! A server inside the guard: its start, its turns, its end.

use std::any::type_name;
use std::marker::PhantomData;
use std::sync::Arc;

use ractor::ActorRef;

use super::{Context, Flow, Server};
use crate::exit::{Exit, Fault, ShutdownReason};
use crate::guard::{Behavior, Receipt};
use crate::inspect::Exhibit;
use crate::keeper::Keeper;
use crate::queue::{Envelope, Locker, Queue, Seat, Wake};
use crate::reference::Ref;

/// Runs a [`Server`] inside the guard.
pub(crate) struct ServerBehavior<S>(PhantomData<fn() -> S>);

impl<S> ServerBehavior<S> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

/// What a life of a server is started with.
pub(crate) struct Cradle<S: Server> {
    pub(crate) args: S::Args,
    pub(crate) queue: Arc<Queue<S::Msg>>,
    pub(crate) locker: Option<Locker<S::Msg>>,
}

/// What goes first is dropped first: the queue is closed when nothing of the server is left.
pub(crate) struct ServerState<S: Server> {
    server: S,
    context: Context<S::Msg>,
    seat: Seat<S::Msg>,
    /// Where the state is shown, if it is.
    exhibit: Option<Arc<Exhibit>>,
}

impl<S: Server> Behavior for ServerBehavior<S> {
    type Msg = Wake;
    type State = ServerState<S>;
    type Args = Cradle<S>;

    const NOTES_ITSELF: bool = true;

    async fn start(
        &self,
        actor: ActorRef<Wake>,
        cradle: Cradle<S>,
        keeper: &Arc<Keeper>,
    ) -> Result<Self::State, Fault> {
        let Cradle { args, queue, locker } = cradle;
        let process = keeper.process();
        queue.open(actor);
        process.serve(queue.clone());
        let seat = Seat::new(Arc::clone(&queue), locker);
        let myself = Ref::new(process.clone(), queue);
        let mut context = Context { myself, timers: None };
        let server = S::init(args, &mut context).await?;
        seat.inherit();
        let exhibit = S::STATE.shows().map(|_| Arc::new(Exhibit::new()));
        if let Some(exhibit) = &exhibit {
            context.process().activity().exhibit(Arc::clone(exhibit));
        }
        Ok(ServerState { server, context, seat, exhibit })
    }

    /// Handles what waits, one message after the other, until nothing does.
    async fn handle(
        &self,
        _actor: ActorRef<Wake>,
        Wake: Wake,
        state: &mut Self::State,
    ) -> Result<Flow, Fault> {
        while !state.context.process().is_held_back() {
            state.show_if_asked();
            let Some(envelope) = state.seat.next() else {
                // Asleep, as far as the queue knows: who asks from now on wakes us.
                state.show_if_asked();
                return Ok(state.after_the_last());
            };
            let ServerState { server, context, seat, .. } = &mut *state;
            if context.has_cancelled(envelope.origin) {
                continue;
            }
            let activity = context.process().activity();
            activity.begin(receipt::<S>(&envelope), seat.batch());
            if let Some(writes) = S::LAST_MESSAGE.writes() {
                activity.write_down(|page| page.write(writes, &envelope.message));
            }
            match server.handle(envelope.message, context).await? {
                Flow::Continue => {}
                stop => return Ok(stop),
            }
            // Others want to run, too.
            tokio::task::consume_budget().await;
        }
        state.seat.pause(state.context.process());
        state.show_if_asked();
        Ok(Flow::Continue)
    }

    async fn terminate(
        &self,
        _actor: ActorRef<Wake>,
        state: &mut Self::State,
        exit: &Exit,
    ) -> Result<(), Fault> {
        state.seat.leave();
        state.server.terminate(exit).await;
        Ok(())
    }

    fn type_name() -> &'static str {
        type_name::<S>()
    }
}

impl<S: Server> ServerState<S> {
    fn show_if_asked(&self) {
        if let (Some(exhibit), Some(shows)) = (&self.exhibit, S::STATE.shows()) {
            exhibit.show_if_asked(&self.server, shows);
        }
    }

    /// Goes to sleep, unless this was the last message that was taken.
    fn after_the_last(&self) -> Flow {
        if self.seat.is_drained() {
            Flow::Stop(Exit::Shutdown(ShutdownReason::Requested))
        } else {
            Flow::Continue
        }
    }
}

fn receipt<S: Server>(envelope: &Envelope<S::Msg>) -> Receipt {
    Receipt { label: S::label(&envelope.message), from: envelope.from, sent: Some(envelope.sent) }
}
