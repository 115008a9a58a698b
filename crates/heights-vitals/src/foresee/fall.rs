//! Follows an end through a tree.

use std::collections::BTreeSet;

use super::{End, is_restarted, is_within};
use crate::wire::{Actor, ControlOutcome, Restart};

/// Follows an end through the tree by the rules of the supervisors that it meets.
pub(super) struct Fall<'a> {
    pub(super) actors: &'a [Actor],
    pub(super) outcome: &'a mut ControlOutcome,
}

/// What a supervisor makes of the end of a child.
enum Sequel<'a> {
    /// These stay down with it, and all else goes on.
    StaysDown(Vec<&'a Actor>),
    /// These are stopped as far as they run, and started again with it.
    Again(Vec<&'a Actor>),
    /// It ends itself, in good order: it has no restart left.
    GivesUp,
    /// It ends itself, in good order: it was to last as long as its significant children.
    IsOver,
}

impl<'a> Fall<'a> {
    pub(super) fn of(self, target: &'a Actor, end: End) {
        self.outcome.ends = paths(self.within(target));
        let supervisor = self.parent(target);
        self.outcome.restarts_left =
            supervisor.and_then(|actor| actor.supervision.as_ref()?.restarts_left);
        let mut down: BTreeSet<&str> = self.within(target).map(|actor| &*actor.path).collect();
        let (mut fallen, mut end) = (target, end);
        let again = loop {
            let Some(supervisor) = self.parent(fallen) else {
                self.outcome.ends_all = true;
                break Vec::new();
            };
            let sequel = self.sequel(fallen, end, supervisor);
            match sequel {
                Sequel::StaysDown(along) => {
                    let along: Vec<_> =
                        along.into_iter().flat_map(|actor| self.within(actor)).collect();
                    down.extend(along.iter().map(|actor| &*actor.path));
                    self.outcome.ends.extend(paths(along.into_iter()));
                    break Vec::new();
                }
                Sequel::Again(group) => {
                    let running = group.iter().flat_map(|actor| self.within(actor));
                    down.extend(running.map(|actor| &*actor.path));
                    break group;
                }
                Sequel::GivesUp | Sequel::IsOver => {
                    let why = match sequel {
                        Sequel::IsOver => "it lasts as long as its significant children",
                        _ => "it has no restart left",
                    };
                    self.outcome.cautions.push(format!("{} ends too: {why}", supervisor.path));
                    self.outcome.escalates.push(supervisor.path.clone());
                    // All its children end, and its own supervisor has to deal with that.
                    down.extend(self.within(supervisor).map(|actor| &*actor.path));
                    (fallen, end) = (supervisor, End::Orderly);
                }
            }
        };
        self.tell(fallen, &again, &down);
    }

    /// Tells who comes back and what is lost.
    fn tell(self, fallen: &Actor, group: &[&'a Actor], down: &BTreeSet<&str>) {
        let again = self.back(group);
        // The rest of them has been stopped for nothing.
        let left = group.iter().filter(|actor| !again.contains(&&*actor.path));
        let left: Vec<String> = left.flat_map(|actor| paths(self.within(actor))).collect();
        for path in left {
            if !self.outcome.ends.contains(&path) {
                self.outcome.ends.push(path);
            }
        }
        let ends: BTreeSet<&str> = self.outcome.ends.iter().map(String::as_str).collect();
        let siblings = again.iter().filter(|path| !ends.contains(*path) && **path != fallen.path);
        let siblings: Vec<String> = siblings.map(|path| (*path).to_owned()).collect();
        let lost = self.actors.iter().filter(|actor| down.contains(&*actor.path));
        let queues: Vec<u64> = lost.filter_map(|actor| actor.mailbox).collect();
        self.outcome.along = down.iter().filter(|path| !ends.contains(*path)).count();
        self.outcome.restarts = again.into_iter().map(str::to_owned).collect();
        self.outcome.siblings = siblings;
        self.outcome.messages_lost = (!queues.is_empty()).then(|| queues.iter().sum());
    }

    /// Finds those of a group that are started again: not the temporary ones, and not those that
    /// cannot do without somebody who is not there.
    fn back<'b>(&self, group: &[&'b Actor]) -> Vec<&'b str> {
        let mut back: Vec<&Actor> = Vec::new();
        for actor in group.iter().filter(|actor| actor.restart != Some(Restart::Temporary)) {
            let serves = |on: &String| {
                let is_it = |other: &&Actor| other.id == *on && other.parent == actor.parent;
                let stopped = group.iter().copied().any(|other| is_it(&other));
                let runs = self.actors.iter().any(|other| is_it(&other) && other.pid.is_some());
                back.iter().any(is_it) || (runs && !stopped)
            };
            if actor.binds_to.iter().all(serves) {
                back.push(actor);
            }
        }
        back.into_iter().map(|actor| &*actor.path).collect()
    }

    fn sequel(&self, fallen: &'a Actor, end: End, supervisor: &'a Actor) -> Sequel<'a> {
        let shape = supervisor.supervision.as_ref();
        if is_restarted(fallen, end) {
            return match shape.and_then(|shape| shape.restarts_left) {
                Some(0) => Sequel::GivesUp,
                _ => Sequel::Again(self.fellows(fallen, supervisor)),
            };
        }
        let along = self.dependants(fallen);
        let goes = |actor: &Actor| {
            actor.path == fallen.path || along.iter().any(|one| one.path == actor.path)
        };
        let is_over = match shape.and_then(|shape| shape.auto_shutdown.as_deref()) {
            Some("any_significant") => fallen.significant,
            Some("all_significant") => {
                let remains = |actor: &Actor| actor.significant && !goes(actor);
                fallen.significant && !self.siblings(fallen).any(remains)
            }
            _ => false,
        };
        if is_over { Sequel::IsOver } else { Sequel::StaysDown(along) }
    }

    /// Finds the children that share the fate of one that is started again, it included.
    fn fellows(&self, fallen: &'a Actor, supervisor: &'a Actor) -> Vec<&'a Actor> {
        let strategy = supervisor.supervision.as_ref().and_then(|shape| shape.strategy.as_deref());
        match strategy {
            Some("one_for_all") => self.siblings(fallen).collect(),
            Some("rest_for_one") => {
                self.siblings(fallen).skip_while(|actor| actor.path != fallen.path).collect()
            }
            _ => std::iter::once(fallen).chain(self.dependants(fallen)).collect(),
        }
    }

    /// Finds those that are bound to a child, directly or through others, in the order of their
    /// start.
    fn dependants(&self, fallen: &'a Actor) -> Vec<&'a Actor> {
        let mut found: Vec<&Actor> = Vec::new();
        // Children are bound to earlier ones only, so one round is enough.
        for actor in self.siblings(fallen) {
            let mut to = found.iter().copied().chain([fallen]);
            if to.any(|other| actor.binds_to.contains(&other.id)) {
                found.push(actor);
            }
        }
        found
    }

    /// Lists the children of the supervisor of an actor, it included, in the order of their start.
    fn siblings(&self, actor: &'a Actor) -> impl Iterator<Item = &'a Actor> + use<'a> {
        self.actors.iter().filter(|other| other.parent == actor.parent)
    }

    fn parent(&self, actor: &Actor) -> Option<&'a Actor> {
        let parent = actor.parent.as_deref()?;
        self.actors.iter().find(|other| other.pid.as_deref() == Some(parent))
    }

    fn within(&self, root: &'a Actor) -> impl Iterator<Item = &'a Actor> + use<'a> {
        self.actors.iter().filter(|actor| actor.pid.is_some() && is_within(actor, root))
    }
}

fn paths<'a>(actors: impl Iterator<Item = &'a Actor>) -> Vec<String> {
    actors.map(|actor| actor.path.clone()).collect()
}
