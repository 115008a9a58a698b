//! The supervisor of one branch: the actor that decides, and the builds that it starts.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ci_domain::ids::BranchName;
use ci_domain::subject::Subject;
use heights::{ChildSpec, DynamicSupervisor, Recipient, Report, Restart, Strategy, Supervisor};

use crate::branch::{self, BranchArgs, BranchFact, BranchHandle};
use crate::elders::Elders;
use crate::repo::later;

/// How often a branch's actors may crash before they are given up until its next push.
const INTENSITY: (u32, Duration) = (5, Duration::from_secs(60));

/// The name of a branch's supervisor.
pub(crate) fn name(branch: &BranchName) -> String {
    Subject::Branch(branch.clone()).slug()
}

/// Describes a branch's supervisor as a child.
pub(crate) fn describe(
    elders: &Elders,
    branch: &BranchName,
    watcher: Recipient<BranchFact>,
) -> (ChildSpec, BranchHandle) {
    let reports: Arc<OnceLock<Recipient<Report>>> = Arc::default();
    let (builds, builds_ref) = DynamicSupervisor::builder("builds")
        .intensity(INTENSITY.0, INTENSITY.1)
        .on_report(later(&reports))
        .child_spec();
    let (actor, handle) = branch::start(BranchArgs {
        elders: elders.clone(),
        name: branch.clone(),
        builds: builds_ref,
        watcher,
    });
    // Filled once: a branch's tree is described once in its life.
    let _first = reports.set(handle.reports());
    let (spec, _) = Supervisor::builder(name(branch))
        // Who decides starts anew with those it started, or it would wait for ever for one that is gone.
        .strategy(Strategy::OneForAll)
        .intensity(INTENSITY.0, INTENSITY.1)
        .child(actor)
        .child(builds)
        .child_spec();
    // Transient: one that was given up stays down, one that was killed comes back.
    (spec.restart(Restart::Transient), handle)
}
