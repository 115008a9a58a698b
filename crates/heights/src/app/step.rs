//! Something that is done once while a program starts.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use heights_supervisor::{ChildId, ChildSpec, Context, Fault, Flow, Ignore, Restart, Server};

type Doing = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

/// A child that only starts: it does its step, and then there is nothing left of it.
pub(super) struct Step;

impl Step {
    pub(super) fn child_spec(id: ChildId, step: Doing) -> ChildSpec {
        let step = Mutex::new(Some(step));
        let take = move || step.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (spec, _step) = ChildSpec::server::<Self>(id, take);
        spec.restart(Restart::Temporary).start_timeout(Duration::MAX)
    }
}

impl Server for Step {
    type Args = Option<Doing>;
    type Msg = ();

    async fn init(step: Option<Doing>, _cx: &mut Context<()>) -> Result<Self, Fault> {
        if let Some(step) = step {
            step.await?;
        }
        Err(Ignore.into())
    }

    async fn handle(&mut self, (): (), _cx: &mut Context<()>) -> Result<Flow, Fault> {
        Ok(Flow::Continue)
    }
}
