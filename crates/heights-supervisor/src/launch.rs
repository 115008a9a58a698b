//! Launching a process together with its keeper, as a child or as a root.

use std::sync::{Arc, Mutex, PoisonError};

use heights_core::ChildId;
use tokio::sync::oneshot;

use crate::exit::Exit;
use crate::hub::Hub;
use crate::keeper::{Keeper, News, StartFailure};
use crate::process::{Birth, Process};
use crate::spec::ChildSpec;

/// Starts a life of a child of `parent`.
pub(crate) fn launch_child(
    spec: &ChildSpec,
    parent: &Process,
    life: u32,
    news: Box<dyn News>,
) -> Process {
    let path = child_path(parent, spec.id());
    let birth = Birth {
        path,
        incarnation: life,
        hub: parent.hub().clone(),
        parent: Some(parent.clone()),
        spec: spec.into(),
    };
    let process = Process::new(birth, spec.shape.as_deref().copied());
    launch(process, spec, news)
}

/// Starts a root and returns once it is up.
pub(crate) async fn start_root(spec: &ChildSpec, hub: Hub) -> Result<Process, StartFailure> {
    let path = Arc::from(spec.id().as_str());
    let birth = Birth { path, incarnation: 1, hub, parent: None, spec: spec.into() };
    let process = Process::new(birth, spec.shape.as_deref().copied());
    let (on_started, started) = oneshot::channel();
    let news = RootNews(Mutex::new(Some(on_started)));
    let process = launch(process, spec, Box::new(news));
    let unwanted = StopOnDrop(Some(process.clone()));
    // A process that says nothing was cancelled together with its runtime.
    let outcome = started.await.unwrap_or(Err(StartFailure::Stopped));
    unwanted.disarm();
    outcome.map(|()| process)
}

/// Returns the path of a child.
pub(crate) fn child_path(parent: &Process, id: &ChildId) -> Arc<str> {
    Arc::from([parent.path(), id.as_str()].join("/"))
}

fn launch(process: Process, spec: &ChildSpec, news: Box<dyn News>) -> Process {
    let keeper = Keeper::new(process.clone(), spec, news);
    Arc::clone(&spec.starter).start(keeper);
    process
}

/// Tells whoever started a root.
struct RootNews(Mutex<Option<oneshot::Sender<Result<(), StartFailure>>>>);

impl News for RootNews {
    fn started(&self, outcome: Result<(), StartFailure>) {
        if let Some(starter) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Whoever started the root may have given up on it.
            let _nobody = starter.send(outcome);
        }
    }

    fn gone(&self, _process: Process, _exit: Exit) {}
}

/// Stops a root whose starter gave up on it: nobody else could.
struct StopOnDrop(Option<Process>);

impl StopOnDrop {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(process) = &self.0 {
            process.stop();
        }
    }
}
