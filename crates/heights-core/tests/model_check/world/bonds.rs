//! Who shares the fate of whom.

use heights_core::{ChildId, ChildPlan, SpecError, Strategy};

use super::{Subject, World};

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
