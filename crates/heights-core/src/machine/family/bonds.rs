//! Children that cannot do without certain elder siblings.

use std::collections::HashSet;

use super::{Family, Member};
use crate::ChildId;

impl Family {
    /// Lists those that are bound to a child, directly or through others, in start order.
    pub(in crate::machine) fn dependants(&self, id: &ChildId) -> Vec<ChildId> {
        let mut dependants = Vec::new();
        let Some(seat) = self.seats.get(id).filter(|_| self.bound > 0) else { return dependants };
        // Everyone is bound to elders only, so one way through the younger ones is enough.
        let mut going = HashSet::from([id]);
        for member in self.members.range(seat..).map(|(_, member)| member) {
            if member.plan.binds_to.iter().any(|on| going.contains(on)) {
                going.insert(&member.plan.id);
                dependants.push(member.plan.id.clone());
            }
        }
        dependants
    }

    /// Returns what a child is bound to and has to be there first.
    pub(in crate::machine) fn missing(&self, id: &ChildId) -> Option<&ChildId> {
        let (seat, member) = (self.seats.get(id)?, self.get(id)?);
        // One that came back as a younger sibling would be stopped too early.
        let serves = |on: &ChildId| {
            let runs = self.get(on).is_some_and(Member::is_running);
            runs && self.seats.get(on) < Some(seat)
        };
        member.plan.binds_to.iter().find(|on| !serves(on))
    }
}
