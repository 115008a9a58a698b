//! What runs inside a guard, and what is known of the messages that it handles.

use std::any::type_name;
use std::future::Future;
use std::sync::Arc;

use ractor::ActorRef;
use tokio::time::Instant;

use crate::exit::{Exit, Fault};
use crate::keeper::Keeper;
use crate::process::{Process, ProcessId};
use crate::server::Flow;

/// What runs inside a guard: a server, a plain actor, a task or a supervisor.
pub(crate) trait Behavior: Sized + Send + Sync + 'static {
    type Msg: Send + 'static;
    type State: Send + 'static;
    type Args: Send + 'static;

    /// Whether `handle` notes by itself which message it is at, because it takes more than one.
    const NOTES_ITSELF: bool = false;

    fn start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Args,
        keeper: &Arc<Keeper>,
    ) -> impl Future<Output = Result<Self::State, Fault>> + Send;

    /// Runs first in the task of the process.
    fn begin(
        &self,
        _myself: ActorRef<Self::Msg>,
        _state: &mut Self::State,
    ) -> impl Future<Output = Result<(), Fault>> + Send {
        async { Ok(()) }
    }

    fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> impl Future<Output = Result<Flow, Fault>> + Send;

    fn supervise(
        &self,
        _myself: ActorRef<Self::Msg>,
        _event: ractor::SupervisionEvent,
        _state: &mut Self::State,
    ) -> impl Future<Output = Result<(), Fault>> + Send {
        async { Ok(()) }
    }

    fn terminate(
        &self,
        myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
        exit: &Exit,
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Takes a message off the queue: what it is, who sent it and when.
    fn receive(&self, _message: &Self::Msg, _process: &Process) -> Receipt {
        Receipt::of("message")
    }

    fn type_name() -> &'static str {
        type_name::<Self>()
    }
}

/// What is known about a message that is about to be handled.
pub(crate) struct Receipt {
    pub(crate) label: &'static str,
    pub(crate) from: Option<ProcessId>,
    /// When it was sent, where that is known.
    pub(crate) sent: Option<Instant>,
}

impl Receipt {
    pub(crate) const fn of(label: &'static str) -> Self {
        Self { label, from: None, sent: None }
    }
}
