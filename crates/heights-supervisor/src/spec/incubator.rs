//! Making the lives of a child from what its spec was given.

use std::sync::Arc;

use ractor::{Actor, ActorRef};

use crate::exit::{Exit, Fault};
use crate::guard::{Behavior, Guarded};
use crate::keeper::{Starter, Starting};
use crate::process::Process;
use crate::slot::Slot;

/// Makes the lives of one child.
pub(crate) struct Incubator<B: Behavior, R> {
    pub(crate) make: Arc<dyn Fn() -> Egg<B, R> + Send + Sync>,
    pub(crate) slot: Slot<R>,
}

/// What one life is made of, and how others refer to it.
pub(crate) struct Egg<B: Behavior, R> {
    behavior: B,
    args: B::Args,
    refer: Refer<B::Msg, R>,
}

type Refer<M, R> = Box<dyn FnOnce(&Process, ActorRef<M>) -> R + Send>;

impl<B: Behavior, R> Egg<B, R> {
    pub(crate) fn new(
        behavior: B,
        args: B::Args,
        refer: impl FnOnce(&Process, ActorRef<B::Msg>) -> R + Send + 'static,
    ) -> Self {
        Self { behavior, args, refer: Box::new(refer) }
    }
}

impl<B: Behavior, R: Clone + Send + Sync + 'static> Starter for Incubator<B, R> {
    fn start(&self, process: Process) -> Starting {
        let (make, slot) = (Arc::clone(&self.make), self.slot.clone());
        Box::pin(async move {
            let Egg { behavior, args, refer } = make();
            let guarded = Guarded { behavior, process: process.clone() };
            #[expect(
                clippy::disallowed_methods,
                reason = "the keeper of the process holds the task"
            )]
            let spawned = Actor::spawn(None, guarded, args).await;
            match spawned {
                Ok((actor, task)) => {
                    let reference = refer(&process, actor);
                    slot.occupy(process, reference);
                    Some(task)
                }
                Err(error) => {
                    // The guard has settled the exit unless it did not get that far.
                    process.settle(Exit::from(Fault::from(error)));
                    None
                }
            }
        })
    }
}

/// What is left of a temporary child's start once it has been started.
#[derive(Debug, thiserror::Error)]
#[error("a temporary child is started only once")]
pub(super) struct UsedUp;

impl Starter for UsedUp {
    fn start(&self, process: Process) -> Starting {
        Box::pin(async move {
            process.settle(Exit::from(Fault::from(Self)));
            None
        })
    }
}
