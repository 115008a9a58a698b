//! Servers: processes that own a state and handle one message at a time.

use std::any::{Any, type_name};
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use ractor::ActorRef;
use tokio::time::Instant;

use crate::exit::{Exit, Fault};
use crate::guard::{Behavior, Receipt};
use crate::hub::Hub;
use crate::process::{Down, MonitorId, Process, ProcessId};
use crate::reference::{Envelope, Ref};
use crate::timer::{TimerId, Timers};

/// What a server does after a message.
#[derive(Debug, Clone)]
pub enum Flow {
    /// Takes the next message.
    Continue,
    /// Ends with this exit, after `terminate`; messages that still wait are dropped.
    Stop(Exit),
}

/// A process that owns a state and handles one message at a time.
///
/// The value of the type is the state: `init` makes it, `handle` changes it, and it is dropped
/// before the next life begins.
pub trait Server: Sized + Send + 'static {
    /// What a life is started with; made anew for each by the child spec.
    type Args: Send + 'static;
    /// What it understands.
    type Msg: Send + 'static;

    /// A call is refused as overloaded when this many messages wait; casts are never refused.
    const MAX_QUEUE: u64 = u64::MAX;

    /// Starts a life. The supervisor waits for it, and siblings start after it.
    ///
    /// Messages sent from here to oneself are the first ones handled.
    fn init(
        args: Self::Args,
        cx: &mut Context<Self::Msg>,
    ) -> impl Future<Output = Result<Self, Fault>> + Send;

    /// Handles one message.
    fn handle(
        &mut self,
        msg: Self::Msg,
        cx: &mut Context<Self::Msg>,
    ) -> impl Future<Output = Result<Flow, Fault>> + Send;

    /// Says goodbye: on a normal exit, a shutdown, a fault and a panic, but never when killed.
    fn terminate(&mut self, _exit: &Exit) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Names the kind of a message, for counters and for whoever looks in.
    fn label(_msg: &Self::Msg) -> &'static str {
        "message"
    }
}

/// What a server has of its own process.
#[derive(Debug)]
pub struct Context<M> {
    myself: Ref<M>,
    timers: Timers,
}

impl<M: Send + 'static> Context<M> {
    /// Returns a reference to this life.
    pub fn myself(&self) -> Ref<M> {
        self.myself.clone()
    }

    /// Sends a message to oneself after a while; nothing is sent once this life is over.
    pub fn send_after(&mut self, after: Duration, message: M) -> TimerId {
        let myself = self.myself.clone();
        self.timers.arm(after, move |timer| {
            let from = Some(myself.pid());
            let envelope = Envelope { message, sent: Instant::now(), from, timer: Some(timer) };
            // A timer whose process is gone has nothing left to do.
            let _gone = myself.post(envelope);
        })
    }

    /// Cancels a timer: its message is not handled any more, even if it waits in the mailbox.
    pub fn cancel(&mut self, timer: TimerId) {
        self.timers.cancel(timer);
    }

    /// Tells whoever started this life something, once and from `init` on: the extra info of
    /// OTP's `{ok, Pid, Info}`, read by [`ChildStarted::info`](crate::ChildStarted::info).
    pub fn inform_starter(&self, info: impl Any + Send + Sync) {
        self.process().inform_starter(Arc::new(info));
    }

    /// Turns the end of another process into a message to oneself, exactly one.
    pub fn monitor(
        &self,
        process: &Process,
        wrap: impl FnOnce(Down) -> M + Send + 'static,
    ) -> MonitorId {
        let myself = self.myself.clone();
        process.monitor(move |down| {
            // Who is gone itself needs no news.
            let _gone = myself.cast(wrap(down));
        })
    }
}

impl<M> Context<M> {
    /// Returns the path of this process in the tree.
    pub fn name(&self) -> &str {
        self.process().path()
    }

    /// Returns the id of this life.
    pub fn pid(&self) -> ProcessId {
        self.process().pid()
    }

    /// Returns this process.
    pub fn process(&self) -> &Process {
        self.myself.process()
    }

    /// Returns the token that ends when the task of this process has ended.
    pub fn owner(&self) -> &heights_registry::Owner {
        self.process().owner()
    }

    /// Returns the hub of the tree.
    pub fn hub(&self) -> &Hub {
        self.process().hub()
    }
}

/// Runs a [`Server`] inside the guard.
pub(crate) struct ServerBehavior<S>(PhantomData<fn() -> S>);

impl<S> ServerBehavior<S> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

pub(crate) struct ServerState<S: Server> {
    server: S,
    context: Context<S::Msg>,
}

impl<S: Server> Behavior for ServerBehavior<S> {
    type Msg = Envelope<S::Msg>;
    type State = ServerState<S>;
    type Args = S::Args;

    async fn start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: S::Args,
        process: &Process,
    ) -> Result<Self::State, Fault> {
        let myself = Ref::new(process.clone(), myself, S::MAX_QUEUE);
        let mut context = Context { myself, timers: Timers::default() };
        let server = S::init(args, &mut context).await?;
        Ok(ServerState { server, context })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Self::Msg>,
        envelope: Self::Msg,
        state: &mut Self::State,
    ) -> Result<Flow, Fault> {
        let cancelled = envelope.timer.is_some_and(|timer| !state.context.timers.take(timer));
        if cancelled {
            return Ok(Flow::Continue);
        }
        state.server.handle(envelope.message, &mut state.context).await
    }

    async fn terminate(
        &self,
        _myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
        exit: &Exit,
    ) -> Result<(), Fault> {
        state.server.terminate(exit).await;
        Ok(())
    }

    fn receive(&self, envelope: &Self::Msg, process: &Process) -> Receipt {
        process.activity().dequeued();
        Receipt {
            label: S::label(&envelope.message),
            from: envelope.from,
            sent: Some(envelope.sent),
        }
    }

    fn type_name() -> &'static str {
        type_name::<S>()
    }
}
