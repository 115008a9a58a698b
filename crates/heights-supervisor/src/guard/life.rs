//! What a life begins with, and what it consists of.

use std::sync::Arc;

use ractor::ActorRef;

use super::Behavior;
use crate::keeper::Keeper;
use crate::panic::shielded;
use crate::process::Process;

/// Makes what a life begins with.
pub(crate) trait Nest<B: Behavior>: Send + Sync + 'static {
    fn lay(&self) -> Egg<B>;
}

/// What a life begins with.
pub(crate) struct Egg<B: Behavior> {
    pub(crate) behavior: B,
    pub(crate) args: B::Args,
    /// Makes the references to the child point to this life, once it is up.
    pub(crate) occupy: Occupy<B::Msg>,
}

type Occupy<M> = Box<dyn FnOnce(&Process, ActorRef<M>) + Send>;

/// What is the user's of a life.
///
/// ractor drops it and the guard around it in an order that is none of our business: the keeper
/// goes with whichever goes last.
pub(crate) struct Life<B: Behavior> {
    /// Left when the life has begun.
    pub(super) nest: Option<Arc<dyn Nest<B>>>,
    pub(super) behavior: Option<B>,
    /// Lost before the rest when the process ends by itself.
    pub(super) state: Option<B::State>,
    _keeper: Arc<Keeper>,
}

impl<B: Behavior> Life<B> {
    pub(super) fn new(nest: Arc<dyn Nest<B>>, keeper: Arc<Keeper>) -> Self {
        Self { nest: Some(nest), behavior: None, state: None, _keeper: keeper }
    }

    /// Returns what runs; nothing before it is up and when it has ended.
    pub(super) fn parts(&mut self) -> Option<(&B, &mut B::State)> {
        Some((self.behavior.as_ref()?, self.state.as_mut()?))
    }
}

impl<B: Behavior> Drop for Life<B> {
    fn drop(&mut self) {
        let (state, behavior, nest) = (self.state.take(), self.behavior.take(), self.nest.take());
        shielded("dropping a process", move || drop((state, behavior, nest)));
    }
}
