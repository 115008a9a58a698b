//! How the supervisor of a branch is called and made.

use std::sync::Arc;

use ci_domain::ids::BranchName;
use ci_domain::subject::Subject;
use heights::{ChildSpec, Recipient, Report};

use crate::branch::{self, BranchArgs, BranchFact, BranchHandle};
use crate::elders::Elders;
use crate::subject_tree;

/// The name of a branch's supervisor.
pub(crate) fn name(branch: &BranchName) -> String {
    Subject::Branch(branch.clone()).slug()
}

/// Describes a branch's supervisor as a child.
pub(crate) fn describe(
    elders: &Arc<Elders>,
    branch: &BranchName,
    (watcher, reports): (Recipient<BranchFact>, Recipient<Report>),
) -> (ChildSpec, BranchHandle) {
    subject_tree::describe(name(branch), reports, |builds| {
        let (spec, handle) = branch::start(BranchArgs {
            elders: elders.clone(),
            name: branch.clone(),
            builds,
            watcher,
        });
        let reports = handle.reports();
        (spec, handle, reports)
    })
}
