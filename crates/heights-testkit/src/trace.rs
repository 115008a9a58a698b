//! Who started and stopped, in order.

use std::sync::{Arc, Mutex, PoisonError};

use heights::{ChildRef, ChildSpec, Context, Exit, Fault, Flow, Reply, Server};

use crate::FaultPlan;

/// Notes what happens, in the order in which it does.
#[derive(Debug, Clone, Default)]
pub struct Trace(Arc<Mutex<Vec<String>>>);

/// What a traced child understands.
#[derive(Debug)]
pub enum Actor {
    /// Take a step of the fault plan, and answer if it went well.
    Step(Reply<()>),
}

struct Traced {
    id: &'static str,
    trace: Trace,
    faults: FaultPlan,
}

impl Trace {
    /// Makes an empty trace.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes something.
    pub fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what.into());
    }

    /// Takes what was noted since the last time.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a child that notes when it starts (`+id`) and ends (`-id exit`), and fails by plan.
    pub fn child(&self, id: &'static str, faults: &FaultPlan) -> (ChildSpec, ChildRef<Actor>) {
        let (trace, faults) = (self.clone(), faults.clone());
        ChildSpec::server::<Traced>(id, move || (id, trace.clone(), faults.clone()))
    }
}

impl Server for Traced {
    type Args = (&'static str, Trace, FaultPlan);
    type Msg = Actor;

    async fn init(
        (id, trace, faults): Self::Args,
        _cx: &mut Context<Actor>,
    ) -> Result<Self, Fault> {
        trace.note(format!("+{id}"));
        Ok(Self { id, trace, faults })
    }

    async fn handle(
        &mut self,
        Actor::Step(reply): Actor,
        _cx: &mut Context<Actor>,
    ) -> Result<Flow, Fault> {
        self.faults.step()?;
        reply.send(());
        Ok(Flow::Continue)
    }

    async fn terminate(&mut self, exit: &Exit) {
        let how = match exit {
            Exit::Normal => "normal",
            Exit::Shutdown(_) => "shutdown",
            Exit::Error(_) => "error",
            Exit::Panic(_) => "panic",
            _ => "other",
        };
        self.trace.note(format!("-{} {how}", self.id));
    }
}
