//! What connects the stages of one life of a flow: queues that only take what there is demand for.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The ends that the stages of the current life take, each once.
pub(super) struct Pipes<T, R>(Mutex<Ends<T, R>>);

struct Ends<T, R> {
    outlet: Option<Outlet<T>>,
    stages: Vec<Option<(Inlet<T>, Outlet<R>)>>,
}

/// Where items go; each takes up demand until it has been dealt with.
pub(super) struct Outlet<T> {
    demand: Arc<Semaphore>,
    queues: Vec<UnboundedSender<Piece<T>>>,
}

/// Where items come from.
pub(super) struct Inlet<T> {
    queue: UnboundedReceiver<Piece<T>>,
    /// How many outlets have not come to their end.
    open: usize,
}

/// An item that somebody asked for, and the demand that it takes up until this is dropped.
pub(super) struct Asked<T> {
    pub(super) item: T,
    pub(super) demand: OwnedSemaphorePermit,
}

enum Piece<T> {
    Item(Asked<T>),
    /// There is nothing more. That the other side is gone does not say so: it may have failed.
    End,
}

/// The other side failed or was stopped: so will this one be.
#[derive(Debug, thiserror::Error)]
#[error("the rest of the flow is gone")]
pub(super) struct Cut;

impl<T, R> Pipes<T, R> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Ends { outlet: None, stages: Vec::new() }))
    }

    /// Lays new pipes and returns the end for the sink; ends of the life before are dropped.
    pub(super) fn lay(&self, stages: usize, demand: usize) -> Inlet<R> {
        let (results, sink) = unbounded_channel();
        let after = Arc::new(Semaphore::new(demand));
        let (queues, inlets): (Vec<_>, Vec<_>) = (0..stages).map(|_| unbounded_channel()).unzip();
        let ends = inlets.into_iter().map(|queue| {
            let outlet = Outlet { demand: Arc::clone(&after), queues: vec![results.clone()] };
            Some((Inlet { queue, open: 1 }, outlet))
        });
        let ends = Ends {
            stages: ends.collect(),
            outlet: Some(Outlet { demand: Arc::new(Semaphore::new(demand)), queues }),
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = ends;
        Inlet { queue: sink, open: stages }
    }

    /// Takes the end for the source.
    pub(super) fn source(&self) -> Result<Outlet<T>, Cut> {
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ends.outlet.take().ok_or(Cut)
    }

    /// Takes the ends for a stage.
    pub(super) fn stage(&self, number: usize) -> Result<(Inlet<T>, Outlet<R>), Cut> {
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ends.stages.get_mut(number).and_then(Option::take).ok_or(Cut)
    }
}

impl<T> Outlet<T> {
    /// Waits until an item is asked for.
    pub(super) async fn demand(&self) -> Result<OwnedSemaphorePermit, Cut> {
        // Nobody closes the semaphore.
        Arc::clone(&self.demand).acquire_owned().await.map_err(|_closed| Cut)
    }

    /// Hands an item over to a queue.
    pub(super) fn put(
        &self,
        queue: usize,
        item: T,
        demand: OwnedSemaphorePermit,
    ) -> Result<(), Cut> {
        let queue = self.queues.get(queue).ok_or(Cut)?;
        queue.send(Piece::Item(Asked { item, demand })).map_err(|_gone| Cut)
    }

    /// Says that there is nothing more.
    pub(super) fn end(self) -> Result<(), Cut> {
        self.queues.iter().try_for_each(|queue| queue.send(Piece::End).map_err(|_gone| Cut))
    }
}

impl<T> Inlet<T> {
    /// Waits for the next item; `None` when all outlets have come to their end.
    pub(super) async fn next(&mut self) -> Result<Option<Asked<T>>, Cut> {
        while self.open > 0 {
            match self.queue.recv().await.ok_or(Cut)? {
                Piece::Item(asked) => return Ok(Some(asked)),
                Piece::End => self.open -= 1,
            }
        }
        Ok(None)
    }
}

/// Tells which of the stages a key belongs to; the same in each life and each program.
pub(super) fn stage_of(key: &impl Hash, stages: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    // Less than the number of stages, so it fits.
    (hasher.finish() % stages as u64) as usize
}
