//! Who shares the fate of whom.

use heights_core::{ChildId, ChildPlan, SpecError, Strategy};

use super::{Life, Member, Subject, World};

impl<S: Subject> World<S> {
    /// Lists those that share the fate of a child, itself included, in their order.
    pub fn fellows(&self, id: &ChildId) -> Vec<ChildId> {
        let at = self.position(id).unwrap_or_default();
        let fellows = match self.setup.strategy {
            Strategy::OneForOne => {
                let mut fellows = vec![id.clone()];
                fellows.extend(self.dependants(id));
                return fellows;
            }
            Strategy::OneForAll => &self.members[..],
            Strategy::RestForOne => &self.members[at..],
        };
        fellows.iter().map(|member| member.plan.id.clone()).collect()
    }

    /// Lists the younger ones that are bound to a child, directly or through others.
    pub fn dependants(&self, id: &ChildId) -> Vec<ChildId> {
        let mut going = vec![id.clone()];
        let at = self.position(id).unwrap_or(self.members.len());
        for member in &self.members[at..] {
            if member.plan.binds_to.iter().any(|on| going.contains(on)) {
                going.push(member.plan.id.clone());
            }
        }
        going.split_off(1)
    }

    /// Compares what the supervisor tells of those that share a fate with what is so, where some are
    /// bound to others.
    pub fn compare_fates(&self) -> Result<(), String> {
        if self.members.iter().all(|member| member.plan.binds_to.is_empty()) {
            return Ok(());
        }
        let machine = self.subject.machine();
        let waits = |member: &&Member| matches!(member.life, Life::Waiting(_));
        for Member { plan: ChildPlan { id, .. }, .. } in &self.members {
            let mut waiting = self.members.iter().filter(waits);
            let returns = waiting.any(|other| self.fellows(&other.plan.id).contains(id));
            if !self.ended && machine.comes_back(id) != returns {
                return Err(format!("whether {id} comes back is not {returns}"));
            }
            if machine.dependants_of(id) != self.dependants(id) {
                return Err(format!("those bound to {id} are {:?}", self.dependants(id)));
            }
        }
        Ok(())
    }

    /// Returns the first of those that a child is bound to which is not there, as an elder.
    pub fn missing_to(&self, plan: &ChildPlan) -> Option<ChildId> {
        let at = self.position(&plan.id).unwrap_or(self.members.len());
        let serves = |on: &ChildId| {
            let elder = self.members[..at].iter().find(|member| member.plan.id == *on);
            elder.is_some_and(|member| member.life.running().is_some())
        };
        plan.binds_to.iter().find(|on| !serves(on)).cloned()
    }

    /// Returns what keeps a child from being taken in at all.
    pub fn mistake_of(&self, plan: &ChildPlan) -> Option<SpecError> {
        let on = plan.binds_to.iter().find(|on| self.member(on).is_none())?.clone();
        Some(SpecError::UnknownDependency { id: plan.id.clone(), on })
    }
}
