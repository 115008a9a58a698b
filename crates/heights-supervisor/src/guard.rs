//! The actor around every actor: it types the exit, counts, and keeps panics from getting away.
//!
//! All code and all data of the process live in its task, and its keeper is what goes last there,
//! so that nothing of a life is left when others hear of its end.

mod behavior;
mod life;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::unconstrained;

pub(crate) use self::behavior::{Behavior, Receipt};
pub(crate) use self::life::{Egg, Nest};
use self::life::{Life, Stage};
use crate::PanicInfo;
use crate::exit::{Exit, Fault};
use crate::keeper::{Keeper, StartFailure};
use crate::panic::{catch, catch_now};
use crate::process::{Batch, Process};
use crate::server::Flow;

/// How long `terminate` may take after a fault: nobody is waiting who could set a limit.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// One life, as ractor sees it.
pub(crate) struct Guarded<B> {
    keeper: Arc<Keeper>,
    behavior: PhantomData<fn() -> B>,
}

/// What ractor is told; the real exit is with the process.
#[derive(Debug, thiserror::Error)]
#[error("the process has ended")]
struct Ended;

/// Starts the task of a process, which brings itself up.
pub(crate) fn start<B: Behavior>(nest: Arc<dyn Nest<B>>, keeper: Keeper) {
    let keeper = Arc::new(keeper);
    let life = Box::new(Life::new(nest, Arc::clone(&keeper)));
    let guarded = Guarded { keeper, behavior: PhantomData };
    #[expect(clippy::disallowed_methods, reason = "the keeper is what gives a process a parent")]
    let spawning = Actor::spawn(None, guarded, life);
    // Done at once, as `pre_start` waits for nothing. If it ever were not, or failed, then the
    // keeper would be dropped here and say that the process did not come up.
    drop(unconstrained(spawning).now_or_never());
}

impl<B: Behavior> Actor for Guarded<B> {
    type Msg = B::Msg;
    type State = Box<Life<B>>;
    type Arguments = Box<Life<B>>;

    /// Runs in the task of the supervisor, so it does next to nothing.
    async fn pre_start(
        &self,
        myself: ActorRef<B::Msg>,
        life: Box<Life<B>>,
    ) -> Result<Box<Life<B>>, ActorProcessingErr> {
        self.keeper.present(myself.get_cell());
        Ok(life)
    }

    async fn post_start(
        &self,
        myself: ActorRef<B::Msg>,
        life: &mut Box<Life<B>>,
    ) -> Result<(), ActorProcessingErr> {
        let outcome = self.come_up(&myself, life).await;
        let failed = outcome.is_err();
        self.keeper.note_start(outcome);
        if failed {
            return Err(Ended.into());
        }
        let Some((behavior, state)) = life.parts() else { return Ok(()) };
        match exit_of(catch(self.process(), behavior.begin(myself.clone(), state)).await) {
            Ok(()) => Ok(()),
            Err(exit) => self.fail(myself, life, exit).await,
        }
    }

    // ractor keeps room for two futures of each of the next two in every task, however idle, so
    // they are on the heap, for as long as they run.

    fn handle(
        &self,
        myself: ActorRef<B::Msg>,
        message: B::Msg,
        life: &mut Box<Life<B>>,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send {
        Box::pin(self.handle_message(myself, message, life))
    }

    fn handle_supervisor_evt(
        &self,
        myself: ActorRef<B::Msg>,
        event: ractor::SupervisionEvent,
        life: &mut Box<Life<B>>,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send {
        Box::pin(self.handle_event(myself, event, life))
    }

    async fn post_stop(
        &self,
        myself: ActorRef<B::Msg>,
        life: &mut Box<Life<B>>,
    ) -> Result<(), ActorProcessingErr> {
        let exit = self.process().farewell();
        let outcome = self.take_leave(myself, life, &exit).await;
        // Only now: a process that is killed on its way out was killed.
        self.process().settle(outcome.err().unwrap_or(exit));
        Ok(())
    }
}

impl<B: Behavior> Guarded<B> {
    fn process(&self) -> &Process {
        self.keeper.process()
    }

    async fn come_up(
        &self,
        myself: &ActorRef<B::Msg>,
        life: &mut Life<B>,
    ) -> Result<(), StartFailure> {
        let before = std::mem::replace(&mut life.stage, Stage::Blank);
        let Stage::Ahead(nest) = before else {
            return Err(StartFailure::Stopped);
        };
        let process = self.process();
        let starting = async {
            let Egg { behavior, args, occupy } = nest.lay();
            drop(nest);
            let state = behavior.start(myself.clone(), args, &self.keeper).await?;
            Ok::<_, Fault>((behavior, state, occupy))
        };
        // Pinned, as a future that is passed on is copied, and this one may be large.
        let starting = pin!(starting);
        let starting = pin!(async { exit_of(catch(process, starting).await) });
        let (behavior, state, occupy) = self.keeper.bring_up(starting).await?;
        life.stage = Stage::Up { state: Some(state), behavior };
        occupy(process, myself.clone());
        Ok(())
    }

    async fn handle_message(
        &self,
        myself: ActorRef<B::Msg>,
        message: B::Msg,
        life: &mut Life<B>,
    ) -> Result<(), ActorProcessingErr> {
        let process = self.process();
        let outcome = {
            let Some((behavior, state)) = life.parts() else { return Ok(()) };
            if !B::NOTES_ITSELF {
                let receipt = behavior.receive(&message, process);
                process.activity().begin(receipt, Batch::default());
            }
            let handling = pin!(behavior.handle(myself.clone(), message, state));
            exit_of(catch(process, handling).await)
        };
        process.activity().finish(outcome.is_ok());
        match outcome {
            Ok(Flow::Continue) => Ok(()),
            Ok(Flow::Stop(exit)) if exit.is_abnormal() => {
                Box::pin(self.fail(myself, life, exit)).await
            }
            Ok(Flow::Stop(exit)) => {
                process.set_farewell(exit);
                myself.stop(None);
                Ok(())
            }
            Err(exit) => Box::pin(self.fail(myself, life, exit)).await,
        }
    }

    async fn handle_event(
        &self,
        myself: ActorRef<B::Msg>,
        event: ractor::SupervisionEvent,
        life: &mut Life<B>,
    ) -> Result<(), ActorProcessingErr> {
        let Some((behavior, state)) = life.parts() else { return Ok(()) };
        let supervising = behavior.supervise(myself.clone(), event, state);
        match exit_of(catch(self.process(), supervising).await) {
            Ok(()) => Ok(()),
            Err(exit) => self.fail(myself, life, exit).await,
        }
    }

    /// Ends the process because of `exit`, with a few last words.
    async fn fail(
        &self,
        myself: ActorRef<B::Msg>,
        life: &mut Life<B>,
        exit: Exit,
    ) -> Result<(), ActorProcessingErr> {
        let exit = self.process().settle(exit);
        let leaving = self.take_leave(myself, life, &exit);
        match tokio::time::timeout(LAST_WORDS, leaving).await {
            Ok(Ok(())) => {}
            Ok(Err(second)) => {
                tracing::error!(path = self.process().path(), exit = %second, "terminate failed");
            }
            Err(_elapsed) => {
                tracing::error!(path = self.process().path(), "terminate took too long");
            }
        }
        Err(Ended.into())
    }

    /// Runs `terminate` and drops the state; a panic in either is caught.
    async fn take_leave(
        &self,
        myself: ActorRef<B::Msg>,
        life: &mut Life<B>,
        exit: &Exit,
    ) -> Result<(), Exit> {
        let Stage::Up { state, behavior } = &mut life.stage else { return Ok(()) };
        let Some(mut state) = state.take() else { return Ok(()) };
        let said = {
            let terminate = pin!(behavior.terminate(myself, &mut state, exit));
            exit_of(catch(self.process(), terminate).await)
        };
        let dropped = catch_now(self.process(), move || drop(state));
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
