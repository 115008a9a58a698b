//! Answers questions about a tree from a picture of it: those of the living process, and those of
//! one that is long gone.

use crate::client::ClientError;
use crate::foresee::{Action, Impossible, foresee};
use crate::metrics;
use crate::target::{self, Miss, Shown};
use crate::why::why;
use crate::wire::{Actor, ActorDetail, ControlOutcome, Kind, Picture, Sort, Tree, Why};

impl Picture {
    /// Returns the first actors in some order, those whose path contains `filter` where one is given.
    pub fn top(&self, sort: Sort, limit: usize, filter: Option<&str>) -> Tree {
        self.tree.first(sort, limit, filter)
    }

    /// Describes one actor; fails as the process itself would.
    pub fn detail(&self, reference: &str) -> Result<ActorDetail, ClientError> {
        self.find(reference).map(|actor| self.describe(actor))
    }

    /// Tells why an actor does what it does; fails as the process itself would.
    pub fn why(&self, reference: &str) -> Result<Why, ClientError> {
        self.find(reference).map(|actor| why(self, actor))
    }

    /// Writes all figures in the OpenMetrics text format.
    pub fn metrics(&self) -> String {
        metrics::expose(self)
    }

    pub(crate) fn describe(&self, actor: &Actor) -> ActorDetail {
        let children = self.tree.actors.iter();
        let children = children.filter(|child| child.parent.is_some() && child.parent == actor.pid);
        let crashes = self.crashes.iter().filter(|crash| crash.path == actor.path);
        ActorDetail {
            actor: actor.clone(),
            children: children.map(|child| child.path.clone()).collect(),
            crashes: crashes.cloned().collect(),
        }
    }

    pub(crate) fn foresee(
        &self,
        action: Action,
        target: &Actor,
        dry_run: bool,
    ) -> Result<ControlOutcome, Impossible> {
        foresee(action, target, &self.tree.actors, dry_run)
    }

    /// Remembers whom the picture shows, and whose lives it knows to have ended.
    pub(crate) fn note(&self, shown: &mut Shown) {
        for crash in &self.crashes {
            shown.remember(&crash.pid, &crash.path);
        }
        for actor in &self.tree.actors {
            if let Some(pid) = &actor.pid {
                shown.remember(pid, &actor.path);
            }
        }
    }

    fn find(&self, reference: &str) -> Result<&Actor, ClientError> {
        let mut shown = Shown::default();
        self.note(&mut shown);
        target::find(reference, &self.tree.actors, &shown).map_err(|miss| refused(reference, miss))
    }
}

impl Tree {
    /// Keeps the first actors in some order, those whose path contains `filter` where one is given.
    pub(crate) fn first(&self, sort: Sort, limit: usize, filter: Option<&str>) -> Self {
        let meant = |actor: &&Actor| filter.is_none_or(|filter| actor.path.contains(filter));
        let mut actors: Vec<&Actor> = self.actors.iter().filter(meant).collect();
        order(&mut actors, sort);
        actors.truncate(limit);
        let actors = actors.into_iter().cloned().collect();
        Self { taken_ms: self.taken_ms, actors, total: self.total }
    }
}

fn refused(reference: &str, miss: Miss) -> ClientError {
    let (status, body) = miss.explain(reference);
    ClientError::Refused { status, body: Box::new(body) }
}

fn order(actors: &mut [&Actor], sort: Sort) {
    use std::cmp::Reverse;
    match sort {
        Sort::Tree => {}
        Sort::Mailbox => actors.sort_by_key(|actor| Reverse(actor.mailbox)),
        Sort::Wait => actors.sort_by_key(|actor| Reverse(actor.oldest_ms)),
        Sort::Busy => {
            let message = |actor: &Actor| {
                let working = actor.working.as_ref().filter(|_| actor.kind != Some(Kind::Task));
                working.map(|working| working.since_ms)
            };
            actors.sort_by_key(|actor| Reverse(message(actor)));
        }
        Sort::Restarts => actors.sort_by_key(|actor| Reverse(actor.restarts)),
        Sort::Age => actors.sort_by_key(|actor| actor.age_ms.unwrap_or(u64::MAX)),
    }
}
