//! What starts the lives of a child.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::exit::Exit;
use crate::guard::{self, Behavior, Egg, Nest};
use crate::keeper::{Keeper, StartFailure, Starter};

/// Makes the lives of one child.
pub(super) struct Incubator<B, F> {
    lay: F,
    behavior: PhantomData<fn() -> B>,
}

impl<B: Behavior, F: Fn() -> Egg<B> + Send + Sync + 'static> Incubator<B, F> {
    pub(super) const fn new(lay: F) -> Self {
        Self { lay, behavior: PhantomData }
    }
}

impl<B: Behavior, F: Fn() -> Egg<B> + Send + Sync + 'static> Nest<B> for Incubator<B, F> {
    fn lay(&self) -> Egg<B> {
        (self.lay)()
    }
}

impl<B: Behavior, F: Fn() -> Egg<B> + Send + Sync + 'static> Starter for Incubator<B, F> {
    fn start(self: Arc<Self>, keeper: Keeper) {
        guard::start(self, keeper);
    }
}

/// What is left of a temporary child's start once it has been started.
#[derive(Debug, thiserror::Error)]
#[error("a temporary child is started only once")]
pub(super) struct UsedUp;

impl Starter for UsedUp {
    fn start(self: Arc<Self>, keeper: Keeper) {
        keeper.note_start(Err(StartFailure::Exit(Exit::Error(self))));
    }
}
