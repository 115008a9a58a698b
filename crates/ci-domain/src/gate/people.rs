//! What people have still to do before a pull request can be merged.

use crate::code_owners::{Owned, Owner};
use crate::forge::StatusState;
use crate::gate::{Finding, Unmet};
use crate::pull::Pull;
use crate::wording;

impl Pull {
    /// One finding for each decision of people that is missing.
    pub(super) fn people_findings(&self) -> Vec<Finding> {
        let draft = self.facts().filter(|facts| facts.draft).map(|_| {
            let met_by = "marking it as ready for review".to_owned();
            Finding::new(StatusState::Pending, "draft", met_by)
        });
        let owners = self.awaited_owners().into_iter().map(unapproved);
        let people = [draft, self.objection(), self.too_few_approvals()];
        people.into_iter().flatten().chain(owners).collect()
    }

    fn objection(&self) -> Option<Finding> {
        let objectors: Vec<String> = self.objectors().iter().map(ToString::to_string).collect();
        if objectors.is_empty() || !self.policy().mergeable.block_on_changes_requested {
            return None;
        }
        let met_by = format!("approval or dismissal of {}", objectors.join(", "));
        Some(Finding::new(StatusState::Pending, "changes requested", met_by))
    }

    fn too_few_approvals(&self) -> Option<Finding> {
        let wanted = usize::try_from(self.policy().mergeable.approvals).unwrap_or(usize::MAX);
        let approvals = self.approvers().len();
        let missing = wanted.checked_sub(approvals).filter(|missing| *missing > 0)?;
        let met_by =
            format!("approval by {missing} more with write access (has {approvals} of {wanted})");
        Some(Finding::new(StatusState::Pending, wording::AWAITING_APPROVAL, met_by))
    }
}

fn unapproved(owned: &Owned) -> Finding {
    let owners: Vec<String> = owned.owners.iter().map(Owner::to_string).collect();
    Finding {
        state: StatusState::Pending,
        description: wording::AWAITING_APPROVAL.to_owned(),
        unmet: Unmet {
            condition: wording::awaiting_owners(&owned.path, owned.more),
            met_by: wording::approval_by_owner(&owners),
        },
    }
}
