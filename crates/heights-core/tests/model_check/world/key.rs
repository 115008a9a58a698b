//! What two states have in common that are the same for all that can follow.

use std::collections::BTreeSet;

use heights_core::ChildId;

use super::{Life, Member, Subject, World};
use crate::setups::PERIOD;

/// All that decides what can still happen, numbers of lives and tickets left out.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Key {
    members: Vec<MemberKey>,
    ages: Vec<u64>,
    ended: bool,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct MemberKey {
    id: ChildId,
    life: u8,
    list: usize,
    ages: Vec<u64>,
    excused: bool,
    /// With whom it comes back.
    promised: BTreeSet<ChildId>,
}

impl Key {
    /// Tells whether the future depends on how long ago something was.
    pub fn is_ageing(&self) -> bool {
        !self.ages.is_empty() || self.members.iter().any(|member| !member.ages.is_empty())
    }
}

impl<S: Subject> World<S> {
    pub fn key(&self) -> Key {
        let kind = |life| match life {
            Life::Down => 0,
            Life::Up(_) => 1,
            Life::Dead(_) => 2,
            Life::Waiting(_) => 3,
        };
        let ages = |failures: &[u64]| {
            let ages = failures.iter().map(|then| self.now - then);
            ages.filter(|age| *age <= PERIOD).collect()
        };
        let waits = |ticket| {
            let waiting = self.members.iter().find(|m| m.life == Life::Waiting(ticket));
            waiting.map(|member| member.plan.id.clone())
        };
        let promised = |id: &ChildId| {
            let to = self.promises.iter().filter(|(_, to)| to == id);
            to.filter_map(|(ticket, _)| waits(*ticket)).collect()
        };
        let key = |member: &Member| MemberKey {
            id: member.plan.id.clone(),
            life: kind(member.life),
            list: member.list,
            ages: ages(&member.failures),
            excused: member.excused,
            promised: promised(&member.plan.id),
        };
        let members = self.members.iter().map(key).collect();
        Key { members, ages: ages(&self.failures), ended: self.ended }
    }
}
