//! The processes of a flow.
//!
//! Parent: whoever the flow's spec is given to. Children, in order: the sink, the stages, the source;
//! one for all, so that a crash anywhere lays new pipes. They are transient: the source ends first,
//! then the stages, and the sink, being significant, takes the supervisor with it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use heights_supervisor::{
    AutoShutdown, ChildId, ChildSpec, Fault, Restart, Strategy, Supervisor, TaskContext,
};
use tokio::sync::watch;

use super::MakeSource;
use super::pipes::{Cut, Pipes};
use super::stage::MakeStage;

/// All that is known about a flow.
pub(super) struct Plan<T, R> {
    pub(super) source: MakeSource<T>,
    pub(super) demand: usize,
    pub(super) route: Arc<dyn Fn(&T) -> usize + Send + Sync>,
    pub(super) stages: usize,
    pub(super) stage: MakeStage<T, R>,
    pub(super) sink: Arc<dyn Fn(R) -> BoxFuture<'static, Result<(), Fault>> + Send + Sync>,
    pub(super) intensity: Option<(u32, Duration)>,
}

/// What is shared by the processes of a flow.
struct Shared<T, R> {
    plan: Plan<T, R>,
    pipes: Pipes<T, R>,
    finished: watch::Sender<bool>,
}

/// Tells when a flow has come to its end.
#[derive(Debug, Clone)]
pub struct FlowRef(watch::Receiver<bool>);

impl FlowRef {
    /// Waits until the source has ended and the sink has taken all results.
    ///
    /// It waits for ever if the flow is stopped before, or gives up.
    pub async fn finished(&self) {
        let mut finished = self.0.clone();
        if finished.wait_for(|finished| *finished).await.is_err() {
            // Whoever could finish the flow is gone.
            std::future::pending::<()>().await;
        }
    }

    /// Tells whether it has.
    pub fn is_finished(&self) -> bool {
        *self.0.borrow()
    }
}

impl<T: Send + 'static, R: Send + 'static> Plan<T, R> {
    pub(super) fn child_spec(self, id: ChildId) -> (ChildSpec, FlowRef) {
        let stages = self.stages;
        let mut builder = Supervisor::builder(id)
            .strategy(Strategy::OneForAll)
            .auto_shutdown(AutoShutdown::AnySignificant);
        if let Some((restarts, period)) = self.intensity {
            builder = builder.intensity(restarts, period);
        }
        let (finished, seen) = watch::channel(false);
        let shared = Arc::new(Shared { plan: self, pipes: Pipes::new(), finished });
        builder = builder.child(shared.task("sink".into(), Shared::drain).significant());
        for number in 0..stages {
            let work = move |shared: Arc<Shared<T, R>>| shared.work(number);
            builder = builder.child(shared.task(format!("stage-{}", number + 1), work));
        }
        builder = builder.child(shared.task("source".into(), Shared::pour));
        let (spec, _supervisor) = builder.child_spec();
        (spec.restart(Restart::Transient), FlowRef(seen))
    }
}

type Running = BoxFuture<'static, Result<(), Fault>>;

/// Each takes its ends of the pipes before its start returns, so that those that start later find them.
impl<T: Send + 'static, R: Send + 'static> Shared<T, R> {
    fn task(
        self: &Arc<Self>,
        id: String,
        run: impl Fn(Arc<Self>) -> Running + Send + Sync + 'static,
    ) -> ChildSpec {
        let shared = Arc::clone(self);
        let run = move |cx: TaskContext| until_told_to_stop(cx, run(Arc::clone(&shared)));
        ChildSpec::task(id, run).restart(Restart::Transient)
    }

    /// The source: an item is taken from the stream only when one is asked for.
    fn pour(self: Arc<Self>) -> Running {
        let outlet = self.pipes.source();
        Box::pin(async move {
            let outlet = outlet?;
            let mut source = (self.plan.source)();
            loop {
                let demand = outlet.demand().await?;
                let Some(item) = source.next().await else { return Ok(outlet.end()?) };
                outlet.put((self.plan.route)(&item), item, demand)?;
            }
        })
    }

    /// A stage: an item takes up demand until its result, if it has one, is on its way.
    fn work(self: Arc<Self>, number: usize) -> Running {
        let ends = self.pipes.stage(number);
        Box::pin(async move {
            let (mut inlet, outlet) = ends?;
            let mut stage = (self.plan.stage)();
            while let Some(asked) = inlet.next().await? {
                if let Some(result) = stage.take(asked.item).await? {
                    outlet.put(0, result, outlet.demand().await?)?;
                }
                drop(asked.demand);
            }
            for result in stage.end() {
                outlet.put(0, result, outlet.demand().await?)?;
            }
            Ok(outlet.end()?)
        })
    }

    /// The sink, the first to start and the last to end.
    fn drain(self: Arc<Self>) -> Running {
        let mut inlet = self.pipes.lay(self.plan.stages, self.plan.demand);
        Box::pin(async move {
            while let Some(asked) = inlet.next().await? {
                (self.plan.sink)(asked.item).await?;
                drop(asked.demand);
            }
            self.finished.send_replace(true);
            Ok(())
        })
    }
}

async fn until_told_to_stop(cx: TaskContext, running: Running) -> Result<(), Fault> {
    tokio::select! {
        () = cx.shutdown() => Ok(()),
        outcome = running => match outcome {
            // Who is cut off has not failed; the one who has takes all down.
            Err(fault) if fault.is::<Cut>() => {
                cx.shutdown().await;
                Ok(())
            }
            outcome => outcome,
        },
    }
}
