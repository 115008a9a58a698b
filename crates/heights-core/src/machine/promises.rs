//! Who comes back with whom, although new specs have parted them.
//!
//! Whoever went down with a child that waits for its restart comes back when the wait is over, for
//! then the strategy names it once more. New specs may change what the strategy names, and start and
//! stop nobody: so what was to come back is written down before they hold.

use super::{ChildState, Machine};
use crate::ChildId;

impl Machine {
    /// Promises those who are down together with a child that waits for its restart to come back
    /// with it: new specs may take them out of its reach, and start and stop nobody.
    pub(super) fn promise_returns(&mut self) {
        let waiting: Vec<(ChildId, u64)> =
            self.family.restarting().map(|(id, ticket)| (id.clone(), ticket)).collect();
        self.promised.retain(|ticket, _| waiting.iter().any(|(_, current)| current == ticket));
        for (id, ticket) in waiting {
            let mut fellows = self.fellows(&id);
            fellows.retain(|fellow| self.family.state(fellow) == Some(ChildState::Stopped));
            self.promised.entry(ticket).or_default().append(&mut fellows);
        }
    }

    /// Takes the promises that depend on the restarts of these.
    pub(super) fn redeem_promises(&mut self, fellows: &[ChildId]) -> Vec<ChildId> {
        if self.promised.is_empty() {
            return Vec::new();
        }
        let tickets = fellows.iter().filter_map(|fellow| match self.family.state(fellow) {
            Some(ChildState::Restarting(ticket)) => Some(ticket),
            _ => None,
        });
        let tickets: Vec<u64> = tickets.collect();
        let promised = tickets.iter().filter_map(|ticket| self.promised.remove(ticket));
        let mut promised: Vec<ChildId> = promised.flatten().collect();
        promised.retain(|id| self.family.state(id) == Some(ChildState::Stopped));
        promised
    }

    /// Takes back what a child was promised: somebody has said what is to become of it.
    pub(super) fn break_promises_to(&mut self, id: &ChildId) {
        for promised in self.promised.values_mut() {
            promised.retain(|other| other != id);
        }
    }
}
