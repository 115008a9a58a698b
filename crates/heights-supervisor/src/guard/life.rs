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
    pub(super) stage: Stage<B>,
    _keeper: Arc<Keeper>,
}

/// How far a life has come.
pub(super) enum Stage<B: Behavior> {
    /// It has not begun.
    Ahead(Arc<dyn Nest<B>>),
    /// It is up; the state is lost before the rest when the process ends by itself.
    Up { state: Option<B::State>, behavior: B },
    /// It is coming up, or did not.
    Blank,
}

impl<B: Behavior> Life<B> {
    pub(super) const fn new(nest: Arc<dyn Nest<B>>, keeper: Arc<Keeper>) -> Self {
        Self { stage: Stage::Ahead(nest), _keeper: keeper }
    }

    /// Returns what runs; nothing before it is up and when it has ended.
    pub(super) const fn parts(&mut self) -> Option<(&B, &mut B::State)> {
        match &mut self.stage {
            Stage::Up { state: Some(state), behavior } => Some((behavior, state)),
            Stage::Ahead(_) | Stage::Up { state: None, .. } | Stage::Blank => None,
        }
    }
}

impl<B: Behavior> Drop for Life<B> {
    fn drop(&mut self) {
        let stage = std::mem::replace(&mut self.stage, Stage::Blank);
        shielded("dropping a process", move || drop(stage));
    }
}
