//! The actor around every actor: it types the exit, counts, and keeps panics from getting away.
//!
//! The state of the process lives in here and is dropped in here, before the task ends, so that
//! a finished join means that nothing of the old life is left.

use std::any::type_name;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::time::Instant;

use crate::PanicInfo;
use crate::exit::{Exit, Fault, Ignore};
use crate::panic::catch;
use crate::process::{Batch, Process, ProcessId};
use crate::server::Flow;

/// How long `terminate` may take after a fault: nobody is waiting who could set a limit.
const LAST_WORDS: Duration = Duration::from_secs(5);

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
        process: &Process,
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

pub(crate) struct Guarded<B> {
    pub(crate) behavior: B,
    pub(crate) process: Process,
}

/// What ractor is told; the real exit is with the process.
#[derive(Debug, thiserror::Error)]
#[error("the process has ended")]
struct Ended;

impl<B: Behavior> Actor for Guarded<B> {
    type Msg = B::Msg;
    type State = Option<B::State>;
    type Arguments = B::Args;

    async fn pre_start(
        &self,
        myself: ActorRef<B::Msg>,
        args: B::Args,
    ) -> Result<Self::State, ActorProcessingErr> {
        self.process.attach(myself.get_cell());
        let start = self.behavior.start(myself, args, &self.process);
        match exit_of(catch(&self.process, start).await) {
            Ok(state) => Ok(Some(state)),
            Err(exit) => {
                // A start without a process that ends normally is one with nothing to do.
                let ignore = matches!(&exit, Exit::Error(error) if error.is::<Ignore>());
                self.process.settle(if ignore { Exit::Normal } else { exit });
                Err(Ended.into())
            }
        }
    }

    async fn post_start(
        &self,
        myself: ActorRef<B::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let Some(inner) = state else { return Ok(()) };
        let begin = self.behavior.begin(myself.clone(), inner);
        match exit_of(catch(&self.process, begin).await) {
            Ok(()) => Ok(()),
            Err(exit) => self.fail(myself, state, exit).await,
        }
    }

    // ractor keeps room for two futures of each of the next two in every task, however idle, so
    // they are on the heap, for as long as they run.

    fn handle(
        &self,
        myself: ActorRef<B::Msg>,
        message: B::Msg,
        state: &mut Self::State,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send {
        Box::pin(self.handle_message(myself, message, state))
    }

    fn handle_supervisor_evt(
        &self,
        myself: ActorRef<B::Msg>,
        event: ractor::SupervisionEvent,
        state: &mut Self::State,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send {
        Box::pin(self.handle_event(myself, event, state))
    }

    async fn post_stop(
        &self,
        myself: ActorRef<B::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let exit = self.process.farewell();
        let outcome = self.take_leave(myself, state, &exit).await;
        // Only now: a process that is killed on its way out was killed.
        self.process.settle(outcome.err().unwrap_or(exit));
        Ok(())
    }
}

impl<B: Behavior> Guarded<B> {
    async fn handle_message(
        &self,
        myself: ActorRef<B::Msg>,
        message: B::Msg,
        state: &mut Option<B::State>,
    ) -> Result<(), ActorProcessingErr> {
        let Some(inner) = state else { return Ok(()) };
        let activity = self.process.activity();
        if !B::NOTES_ITSELF {
            activity.begin(self.behavior.receive(&message, &self.process), Batch::default());
        }
        let outcome = {
            let handling = pin!(self.behavior.handle(myself.clone(), message, inner));
            exit_of(catch(&self.process, handling).await)
        };
        activity.finish(outcome.is_ok());
        match outcome {
            Ok(Flow::Continue) => Ok(()),
            Ok(Flow::Stop(exit)) if exit.is_abnormal() => {
                Box::pin(self.fail(myself, state, exit)).await
            }
            Ok(Flow::Stop(exit)) => {
                self.process.set_farewell(exit);
                myself.stop(None);
                Ok(())
            }
            Err(exit) => Box::pin(self.fail(myself, state, exit)).await,
        }
    }

    async fn handle_event(
        &self,
        myself: ActorRef<B::Msg>,
        event: ractor::SupervisionEvent,
        state: &mut Option<B::State>,
    ) -> Result<(), ActorProcessingErr> {
        let Some(inner) = state else { return Ok(()) };
        let supervising = self.behavior.supervise(myself.clone(), event, inner);
        match exit_of(catch(&self.process, supervising).await) {
            Ok(()) => Ok(()),
            Err(exit) => self.fail(myself, state, exit).await,
        }
    }

    /// Ends the process because of `exit`, with a few last words.
    async fn fail(
        &self,
        myself: ActorRef<B::Msg>,
        state: &mut Option<B::State>,
        exit: Exit,
    ) -> Result<(), ActorProcessingErr> {
        let exit = self.process.settle(exit);
        let leaving = self.take_leave(myself, state, &exit);
        match tokio::time::timeout(LAST_WORDS, leaving).await {
            Ok(Ok(())) => {}
            Ok(Err(second)) => {
                tracing::error!(path = self.process.path(), exit = %second, "terminate failed");
            }
            Err(_elapsed) => {
                tracing::error!(path = self.process.path(), "terminate took too long");
            }
        }
        Err(Ended.into())
    }

    /// Runs `terminate` and drops the state; a panic in either is caught.
    async fn take_leave(
        &self,
        myself: ActorRef<B::Msg>,
        state: &mut Option<B::State>,
        exit: &Exit,
    ) -> Result<(), Exit> {
        let Some(mut inner) = state.take() else { return Ok(()) };
        let terminate = self.behavior.terminate(myself, &mut inner, exit);
        let said = exit_of(catch(&self.process, terminate).await);
        let dropped = catch(&self.process, async move { drop(inner) }).await;
        said.and(dropped.map_err(Exit::Panic))
    }
}

fn exit_of<T>(outcome: Result<Result<T, Fault>, Arc<PanicInfo>>) -> Result<T, Exit> {
    match outcome {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(fault)) => Err(Exit::from(fault)),
        Err(panic) => Err(Exit::Panic(panic)),
    }
}

#[cfg(test)]
mod tests {
    use ractor::SupervisionEvent;

    use super::*;

    /// Keeps a lot while it waits.
    struct Bulky;

    async fn waste() {
        let bulk = [0_u8; 1 << 16];
        std::future::pending::<()>().await;
        std::hint::black_box(&bulk);
    }

    impl Behavior for Bulky {
        type Msg = ();
        type State = ();
        type Args = ();

        async fn start(&self, _: ActorRef<()>, (): (), _: &Process) -> Result<(), Fault> {
            Ok(())
        }

        async fn handle(&self, _: ActorRef<()>, (): (), (): &mut ()) -> Result<Flow, Fault> {
            waste().await;
            Ok(Flow::Continue)
        }

        async fn supervise(
            &self,
            _: ActorRef<()>,
            _: SupervisionEvent,
            (): &mut (),
        ) -> Result<(), Fault> {
            waste().await;
            Ok(())
        }

        async fn terminate(&self, _: ActorRef<()>, (): &mut (), _: &Exit) -> Result<(), Fault> {
            waste().await;
            Ok(())
        }
    }

    fn room_for<'a, Input, Output>(
        _handler: impl FnOnce(&'a Guarded<Bulky>, ActorRef<()>, Input, &'a mut Option<()>) -> Output,
    ) -> usize {
        size_of::<Output>()
    }

    #[test]
    fn an_idle_process_keeps_no_room_for_its_handlers() {
        assert!(size_of_val(&waste()) > 1 << 16);
        assert_eq!(room_for(Guarded::<Bulky>::handle), size_of::<usize>());
        assert_eq!(room_for(Guarded::<Bulky>::handle_supervisor_evt), size_of::<usize>());
    }
}
