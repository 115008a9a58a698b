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

    /// Whoever is down with one that waits comes back with it, also when new specs part them.
    pub fn promise_returns(&mut self) {
        let mut promises = std::mem::take(&mut self.promises);
        for Member { plan, life, .. } in &self.members {
            let Life::Waiting(ticket) = life else { continue };
            let fellows = self.fellows(&plan.id).into_iter();
            let down = fellows.filter(|id| self.member(id).is_some_and(|m| m.life == Life::Down));
            promises.extend(down.map(|id| (*ticket, id)));
        }
        self.promises = promises;
    }

    /// Takes what was promised of the restarts of these, and lists those who are still down.
    pub fn redeem_promises(&mut self, fellows: &[ChildId]) -> Vec<ChildId> {
        let waits = |ticket: u64| {
            let waiting = self.members.iter().filter(|m| m.life == Life::Waiting(ticket));
            waiting.map(|member| &member.plan.id).any(|id| fellows.contains(id))
        };
        let (due, kept) = self.promises.iter().cloned().partition(|(ticket, _)| waits(*ticket));
        self.promises = kept;
        let due: Vec<(u64, ChildId)> = due;
        let is_due = |id: &ChildId| due.iter().any(|(_, due)| due == id);
        let down = |m: &&Member| m.life == Life::Down && !fellows.contains(&m.plan.id);
        let due = self.members.iter().filter(down).map(|member| &member.plan.id);
        due.filter(|id| is_due(id)).cloned().collect()
    }

    /// Somebody has said what is to become of a child.
    pub fn unpromise(&mut self, id: &ChildId) {
        self.promises.retain(|(_, promised)| promised != id);
    }

    /// Compares what the supervisor tells of those that share a fate with what is so, where some are
    /// bound to others or specs change.
    pub fn compare_fates(&self) -> Result<(), String> {
        let bound = self.members.iter().any(|member| !member.plan.binds_to.is_empty());
        if !bound && self.setup.lists.is_empty() {
            return Ok(());
        }
        let machine = self.subject.machine();
        let waits = |member: &&Member| matches!(member.life, Life::Waiting(_));
        for Member { plan: ChildPlan { id, .. }, .. } in &self.members {
            let mut waiting = self.members.iter().filter(waits);
            let returns = waiting.any(|other| {
                let promised = |(ticket, to): &(u64, ChildId)| {
                    other.life == Life::Waiting(*ticket) && to == id
                };
                self.fellows(&other.plan.id).contains(id) || self.promises.iter().any(promised)
            });
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
