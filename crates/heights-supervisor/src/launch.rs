//! Launching a process together with its keeper, as a child or as a root.

use std::sync::Arc;

use heights_core::ChildId;
use heights_registry::{Owner, OwnerEnd};
use tokio::sync::oneshot;

use crate::exit::Exit;
use crate::hub::Hub;
use crate::keeper::{Keeper, StartFailure};
use crate::process::{Birth, Process};
use crate::spec::ChildSpec;

/// Whom to tell when a process is up, or did not come up, and when it is gone.
pub(crate) struct News {
    pub(crate) on_started: Box<dyn FnOnce(Result<(), StartFailure>) + Send>,
    /// Not called for a process that did not come up.
    pub(crate) on_gone: OnGone,
}

pub(crate) type OnGone = Box<dyn FnOnce(Process, Exit) + Send>;

/// Starts a life of a child of `parent`.
pub(crate) fn launch_child(spec: &ChildSpec, parent: &Process, life: u32, news: News) -> Process {
    let path = child_path(parent, spec.id());
    let (owner, end) = Owner::new();
    let process = Process::new(Birth {
        path,
        incarnation: life,
        hub: parent.hub().clone(),
        parent: Some(parent.clone()),
        owner,
        spec: spec.into(),
    });
    parent.adopt(process.clone());
    launch(process, spec, news, end)
}

/// Starts a root and returns once it is up.
pub(crate) async fn start_root(spec: &ChildSpec, hub: Hub) -> Result<Process, StartFailure> {
    let (owner, end) = Owner::new();
    let path = Arc::from(spec.id().as_str());
    let process =
        Process::new(Birth { path, incarnation: 1, hub, parent: None, owner, spec: spec.into() });
    let (on_started, started) = oneshot::channel();
    let news = News {
        on_started: Box::new(move |outcome| {
            // Whoever started the root may have given up on it.
            let _nobody = on_started.send(outcome);
        }),
        on_gone: Box::new(|_process, _exit| {}),
    };
    let process = launch(process, spec, news, end);
    let unwanted = StopOnDrop(Some(process.clone()));
    // A keeper that says nothing was cancelled together with its runtime.
    let outcome = started.await.unwrap_or(Err(StartFailure::Stopped));
    unwanted.disarm();
    outcome.map(|()| process)
}

/// Returns the path of a child.
pub(crate) fn child_path(parent: &Process, id: &ChildId) -> Arc<str> {
    Arc::from(format!("{}/{id}", parent.path()))
}

fn launch(process: Process, spec: &ChildSpec, news: News, end: OwnerEnd) -> Process {
    process.hub().enter(&process);
    let keeper = Keeper::new(process.clone(), Arc::clone(&spec.place), end);
    let life = keeper.keep(spec.starter.start(process.clone()), spec.start_timeout, news);
    #[expect(clippy::disallowed_methods, reason = "the keeper is what gives a process a parent")]
    drop(tokio::spawn(life));
    process
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
