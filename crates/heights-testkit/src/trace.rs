//! Who started and stopped, in order.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use heights::{ChildRef, ChildSpec, Context, Exit, Fault, Flow, Reply, Server};
use tokio::time::Instant;

use crate::FaultPlan;

/// Notes what happens, in the order in which it does, and when.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights::prelude::*;
/// use heights_testkit::{Actor, FaultPlan, Trace};
///
/// let trace = Trace::new();
/// let (elder, _) = trace.child("elder", &FaultPlan::new());
/// let (younger, reference) = trace.child("younger", &FaultPlan::new().fail_at(2));
/// let root = Supervisor::builder("root").child(elder).child(younger).start().await?;
/// reference.call(Actor::Step).await?;
/// assert!(reference.call(Actor::Step).await.is_err());
/// reference.running().await;
/// root.stop().await;
/// assert_eq!(
///     trace.take(),
///     ["+elder", "+younger", "-younger error", "+younger", "-younger shutdown", "-elder shutdown"],
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Trace(Arc<Notes>);

#[derive(Debug)]
struct Notes {
    begin: Instant,
    lines: Mutex<Vec<(Duration, String)>>,
}

/// What a traced child understands.
#[derive(Debug)]
pub enum Actor {
    /// Take a step of the fault plan, and answer if it went well.
    Step(Reply<()>),
}

struct Traced {
    id: Arc<str>,
    trace: Trace,
    faults: FaultPlan,
}

impl Default for Trace {
    fn default() -> Self {
        Self::new()
    }
}

impl Trace {
    /// Makes an empty trace; its clock begins now.
    pub fn new() -> Self {
        Self(Arc::new(Notes { begin: Instant::now(), lines: Mutex::default() }))
    }

    /// Notes something.
    pub fn note(&self, what: impl Into<String>) {
        let line = (self.0.begin.elapsed(), what.into());
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// Takes what was noted since the last time.
    pub fn take(&self) -> Vec<String> {
        self.drain().into_iter().map(|(_, line)| line).collect()
    }

    /// Takes what was noted since the last time, with the second at which it was: one line each,
    /// for a snapshot. With time paused the seconds are exact.
    pub fn take_text(&self) -> String {
        let mut text = String::new();
        for (at, line) in self.drain() {
            writeln!(text, "{:9.3}  {line}", at.as_secs_f64())
                .expect("writing into a string never fails");
        }
        text
    }

    fn drain(&self) -> Vec<(Duration, String)> {
        std::mem::take(&mut *self.0.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a child that notes when it starts (`+id`) and ends (`-id exit`), and fails by plan.
    pub fn child(
        &self,
        id: impl Into<Arc<str>>,
        faults: &FaultPlan,
    ) -> (ChildSpec, ChildRef<Actor>) {
        let (id, trace, faults) = (id.into(), self.clone(), faults.clone());
        let args = { move |id: &Arc<str>| (Arc::clone(id), trace.clone(), faults.clone()) };
        ChildSpec::server::<Traced>(&*Arc::clone(&id), move || args(&id))
    }
}

impl Server for Traced {
    type Args = (Arc<str>, Trace, FaultPlan);
    type Msg = Actor;

    async fn init(
        (id, trace, faults): Self::Args,
        _cx: &mut Context<Actor>,
    ) -> Result<Self, Fault> {
        faults.start().await?;
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
        self.faults.stop().await;
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
