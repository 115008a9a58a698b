//! What starts the lives of a child.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::exit::Exit;
use crate::guard::{self, Behavior, Egg, Nest};
use crate::keeper::{Keeper, StartFailure, Starter};
use crate::panic::shielded;

/// Makes the lives of one child.
pub(super) struct Incubator<B, F> {
    /// Taken only when this is dropped.
    lay: Option<F>,
    behavior: PhantomData<fn() -> B>,
}

impl<B: Behavior, F: Fn() -> Egg<B> + Send + Sync + 'static> Incubator<B, F> {
    pub(super) const fn new(lay: F) -> Self {
        Self { lay: Some(lay), behavior: PhantomData }
    }
}

impl<B: Behavior, F: Fn() -> Egg<B> + Send + Sync + 'static> Nest<B> for Incubator<B, F> {
    fn lay(&self) -> Egg<B> {
        let lay = self.lay.as_ref().expect("taken only when this is dropped");
        lay()
    }
}

impl<B: Behavior, F: Fn() -> Egg<B> + Send + Sync + 'static> Starter for Incubator<B, F> {
    fn start(self: Arc<Self>, keeper: Keeper) {
        guard::start(self, keeper);
    }
}

impl<B, F> Drop for Incubator<B, F> {
    /// Lets go of what the user gave, messages that survived among it, often on a supervisor's time.
    fn drop(&mut self) {
        let lay = self.lay.take();
        shielded("dropping a child spec", move || drop(lay));
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
