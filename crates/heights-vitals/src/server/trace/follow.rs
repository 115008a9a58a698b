//! Who is traced: those that were meant, and whoever takes their place.

use std::sync::Arc;

use heights_supervisor::{Hub, Process, TracerId};

use super::ear::{Ear, Session};
use crate::condition::Pattern;
use crate::server::refusal::Refusal;
use crate::server::shared::Shared;

/// The most that are traced at once.
const PROCESSES_MAX: usize = 1_000;

/// Those that a trace listens at; they are let alone when it is dropped.
pub(super) struct Following {
    hub: Hub,
    meant: Vec<Meant>,
    session: Arc<Session>,
    traced: Vec<(Process, TracerId)>,
}

/// Who is meant.
enum Meant {
    /// Whoever is at this path.
    Path(String),
    /// Whoever is at a path like this.
    Like(Pattern),
}

impl Meant {
    fn is_at(&self, path: &str) -> bool {
        match self {
            Self::Path(meant) => meant == path,
            Self::Like(pattern) => pattern.matches(path),
        }
    }
}

impl Following {
    pub(super) fn begin(
        shared: &Shared,
        references: &[String],
        session: Arc<Session>,
    ) -> Result<Self, Refusal> {
        if references.is_empty() {
            return Err(Refusal::bad_request("say which actors to trace"));
        }
        let picture = shared.look();
        let meant = references.iter().map(|reference| {
            if reference.contains('*') {
                return Ok(Meant::Like(Pattern::new(reference)));
            }
            shared.find(reference, &picture).map(|actor| Meant::Path(actor.path))
        });
        let meant = meant.collect::<Result<_, _>>()?;
        let hub = shared.hub().clone();
        let mut following = Self { hub, meant, session, traced: Vec::new() };
        if following.look_around() {
            Ok(following)
        } else {
            Err(Refusal::not_found("no actor is called like that"))
        }
    }

    /// Looks for those who have taken a place; `false` if nobody is left, nor will come.
    pub(super) fn look_around(&mut self) -> bool {
        self.traced.retain(|(process, _)| process.is_alive());
        for process in self.hub.processes() {
            let known = self.traced.iter().any(|(traced, _)| *traced == process);
            if !known && self.traced.len() < PROCESSES_MAX && self.means(process.path()) {
                let (session, hub) = (Arc::clone(&self.session), self.hub.clone());
                let (pid, path) = (process.pid(), process.path().to_owned());
                let is_server = process.figures().queued.is_some();
                let id = process.trace(Arc::new(Ear { session, hub, pid, path, is_server }));
                self.traced.push((process, id));
            }
        }
        let comes = || self.hub.waiting().iter().any(|waiting| self.means(&waiting.path));
        !self.traced.is_empty() || comes()
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.traced.iter().map(|(process, _)| process.path().to_owned()).collect()
    }

    pub(super) fn leave_all(&mut self) {
        for (process, id) in self.traced.drain(..) {
            process.untrace(id);
        }
    }

    fn means(&self, path: &str) -> bool {
        self.meant.iter().any(|meant| meant.is_at(path))
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.leave_all();
    }
}
