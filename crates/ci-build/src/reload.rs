//! What a running node takes of a configuration that has changed: repositories, their grants, queues.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use heights::{StartChildError, SupervisorRef};
use tokio::sync::watch;

use crate::node::NodeHandle;
use crate::queues::QueueLimits;
use crate::repo::RepoArgs;
use crate::repos::{ServeError, Server};

/// How the configuration was taken anew the last time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    /// When that was.
    pub at: SystemTime,
    /// What holds since, in words.
    pub taken: Vec<String>,
    /// What does not, by its key and with the reason: all else that had changed, or all of a bad file.
    pub refused: Vec<String>,
}

/// The parts of a node that change with its configuration.
pub(crate) struct Reloading {
    repos: Server,
    regulators: SupervisorRef,
    hidden: watch::Sender<Vec<PathBuf>>,
    last: watch::Sender<Option<Reload>>,
}

impl Reloading {
    pub(crate) fn new(
        repos: Server,
        regulators: SupervisorRef,
        hidden: watch::Sender<Vec<PathBuf>>,
    ) -> Self {
        Self { repos, regulators, hidden, last: watch::channel(None).0 }
    }
}

/// One caller at a time: these are for whoever takes the configuration anew.
impl NodeHandle {
    /// Serves a repository from now on, or goes on serving it with what it is granted now. Other
    /// repositories are not touched, and jobs that run go on.
    ///
    /// # Errors
    /// Its actors do not start. One that was not served before is not served then; one that was is
    /// started again with all others, as after a crash.
    pub async fn serve(&self, args: RepoArgs) -> Result<(), ServeError> {
        self.inner.reloading.repos.serve(args).await
    }

    /// Takes new limits for the queues, and makes those that are new.
    ///
    /// # Errors
    /// The clock of a new queue does not start.
    pub async fn reconfigure_queues(
        &self,
        limits: &BTreeMap<String, QueueLimits>,
    ) -> Result<(), StartChildError> {
        for queue in self.queues().reconfigure(limits) {
            match self.inner.reloading.regulators.start_child(queue.child_spec()).await {
                // A restart of the regulators came in between, and found the new queue.
                Ok(_) | Err(StartChildError::AlreadyStarted(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What jobs that start from now on may not see either, wherever it lies.
    pub fn hide(&self, files: impl Iterator<Item = PathBuf>) {
        self.inner.reloading.hidden.send_modify(|hidden| {
            for file in files {
                if !hidden.contains(&file) {
                    hidden.push(file);
                }
            }
        });
    }

    /// Takes note of how the configuration was taken anew.
    pub fn note_reload(&self, reload: Reload) {
        self.inner.reloading.last.send_replace(Some(reload));
    }

    /// How the configuration was taken anew the last time.
    #[must_use]
    pub fn last_reload(&self) -> Option<Reload> {
        self.inner.reloading.last.borrow().clone()
    }
}
