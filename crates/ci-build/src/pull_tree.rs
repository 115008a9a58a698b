//! How the supervisor of a pull request is called and made.

use std::sync::Arc;

use ci_domain::ids::PullNumber;
use heights::{ChildSpec, Recipient, Report};

use crate::elders::Elders;
use crate::pull::{self, PullArgs, PullFact, PullHandle};
use crate::subject_tree;

/// The name of a pull request's supervisor.
pub(crate) fn name(number: PullNumber) -> String {
    format!("pull-{number}")
}

/// The pull request that a supervisor is named after.
pub(crate) fn number(name: &str) -> Option<PullNumber> {
    name.strip_prefix("pull-")?.parse().ok().map(PullNumber)
}

/// Describes a pull request's supervisor as a child.
pub(crate) fn describe(
    elders: &Arc<Elders>,
    number: PullNumber,
    (watcher, reports): (Recipient<PullFact>, Recipient<Report>),
) -> (ChildSpec, PullHandle) {
    subject_tree::describe(name(number), reports, |builds| {
        let (spec, handle) =
            pull::start(PullArgs { elders: elders.clone(), number, builds, watcher });
        let reports = handle.reports();
        (spec, handle, reports)
    })
}
