//! Actors that no supervisor of ours has started, and ractor's process groups.
//!
//! ractor has no list of all actors: those with a name, in a group, or linked below an actor of
//! ours are found. How many messages wait for them, and what they do, ractor does not say.

use std::collections::{BTreeMap, HashMap, HashSet};

use ractor::{ActorCell, ActorId, ActorStatus};

use super::{Hub, ProcessState};
use crate::process::{Process, ProcessId};

/// An actor that no supervisor of ours has started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignInfo {
    /// The id that ractor gave it.
    pub id: String,
    /// The name that it has with ractor, if it has one.
    pub name: Option<String>,
    /// What it is doing, as far as ractor tells.
    pub state: ProcessState,
    /// The process that it is linked to, if it is one of ours.
    pub parent: Option<ProcessId>,
}

/// A process group of ractor's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupInfo {
    /// Its scope.
    pub scope: String,
    /// Its name.
    pub name: String,
    /// Its members, in the order of their ids.
    pub members: Vec<MemberInfo>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberInfo {
    /// The id that ractor gave it.
    pub id: String,
    /// The name that it has with ractor, if it has one.
    pub name: Option<String>,
    /// The process that it is, if it is one of ours.
    pub pid: Option<ProcessId>,
}

impl Hub {
    /// Returns the actors that can be found and that no supervisor of ours has started, in the
    /// order of their ids.
    pub fn foreign(&self) -> Vec<ForeignInfo> {
        let mut ahead = named();
        ahead.extend(groups().into_values().flatten());
        ahead.extend(self.below_plain_actors());
        // Mostly there is none, and then nobody has to be told apart.
        let ours = if ahead.is_empty() { HashMap::new() } else { self.cells() };
        let mut found: BTreeMap<ActorId, ActorCell> = BTreeMap::new();
        while let Some(cell) = ahead.pop() {
            if !ours.contains_key(&cell.get_id()) && !found.contains_key(&cell.get_id()) {
                ahead.extend(cell.get_children());
                found.insert(cell.get_id(), cell);
            }
        }
        found.values().filter_map(|cell| describe(cell, &ours)).collect()
    }

    /// Returns the ids that ractor gave the actors of this tree, to tell them from all others.
    pub fn actor_ids(&self) -> HashSet<String> {
        self.cells().keys().map(ActorId::to_string).collect()
    }

    /// Returns ractor's process groups, by scope and name.
    pub fn groups(&self) -> Vec<GroupInfo> {
        let ours = self.cells();
        let told = groups().into_iter().map(|((scope, name), mut members)| {
            members.sort_by_key(ActorCell::get_id);
            let members = members.iter().map(|cell| MemberInfo {
                id: cell.get_id().to_string(),
                name: cell.get_name(),
                pid: ours.get(&cell.get_id()).copied(),
            });
            GroupInfo { scope, name, members: members.collect() }
        });
        told.collect()
    }

    /// Returns who is linked below one of our plain actors. A server hands out no reference to its
    /// actor, so nobody is linked below one.
    fn below_plain_actors(&self) -> Vec<ActorCell> {
        let table = self.table();
        let plain = table.processes.values().filter(|process| process.runs_a_plain_actor());
        plain.filter_map(Process::cell).flat_map(ActorCell::get_children).collect()
    }

    /// Returns our own processes by the ids of their actors.
    fn cells(&self) -> HashMap<ActorId, ProcessId> {
        let table = self.table();
        let cells = table.processes.values().filter_map(|it| Some((it.cell()?.get_id(), it.pid())));
        cells.collect()
    }
}

fn describe(cell: &ActorCell, ours: &HashMap<ActorId, ProcessId>) -> Option<ForeignInfo> {
    let state = match cell.get_status() {
        ActorStatus::Unstarted | ActorStatus::Starting => ProcessState::Starting,
        ActorStatus::Running | ActorStatus::Upgrading => ProcessState::Running,
        ActorStatus::Draining | ActorStatus::Stopping => ProcessState::Stopping,
        ActorStatus::Stopped => return None,
    };
    let parent = cell.try_get_supervisor();
    let parent = parent.and_then(|parent| ours.get(&parent.get_id()).copied());
    Some(ForeignInfo { id: cell.get_id().to_string(), name: cell.get_name(), state, parent })
}

#[expect(clippy::disallowed_methods, reason = "the names of ractor are what is looked at here")]
fn named() -> Vec<ActorCell> {
    ractor::registry::registered().into_iter().filter_map(ractor::registry::where_is).collect()
}

fn groups() -> BTreeMap<(String, String), Vec<ActorCell>> {
    let keys = ractor::pg::which_scopes_and_groups().into_iter();
    let groups = keys.map(|key| {
        let (scope, group) = (key.get_scope(), key.get_group());
        let members = ractor::pg::get_scoped_members(&scope, &group);
        ((scope, group), members)
    });
    groups.collect()
}
