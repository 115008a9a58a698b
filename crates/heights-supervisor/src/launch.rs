//! Launching a process together with its keeper, as a child or as a root.

use std::sync::Arc;

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
    news: Arc<dyn News>,
) -> Process {
    let birth = Birth {
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
    let birth = Birth { incarnation: 1, hub, parent: None, spec: spec.into() };
    let process = Process::new(birth, spec.shape.as_deref().copied());
    let process = launch(process, spec, Arc::new(Nobody));
    let unwanted = StopOnDrop(Some(process.clone()));
    let outcome = process.up().await;
    unwanted.disarm();
    outcome.map(|()| process)
}

fn launch(process: Process, spec: &ChildSpec, news: Arc<dyn News>) -> Process {
    let keeper = Keeper::new(process.clone(), spec, news);
    Arc::clone(&spec.starter).start(keeper);
    process
}

/// Whoever started a root waits for it, and needs no news.
struct Nobody;

impl News for Nobody {
    fn gone(&self, _process: &Process, _exit: Exit) {}
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
