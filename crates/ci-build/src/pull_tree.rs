//! The supervisor of one pull request: the actor that decides, and the builds that it starts.

use ci_domain::ids::PullNumber;
use heights::{ChildSpec, DynamicSupervisor, Recipient, Restart, Strategy, Supervisor};
use std::time::Duration;

use crate::elders::Elders;
use crate::pull::{self, PullArgs, PullFact, PullHandle};

/// How often a pull request's actors may crash before it is put into quarantine.
const INTENSITY: (u32, Duration) = (5, Duration::from_secs(60));

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
    elders: &Elders,
    number: PullNumber,
    watcher: Recipient<PullFact>,
) -> (ChildSpec, PullHandle) {
    let (builds, builds_ref) =
        DynamicSupervisor::builder("builds").intensity(INTENSITY.0, INTENSITY.1).child_spec();
    let (actor, handle) =
        pull::start(PullArgs { elders: elders.clone(), number, builds: builds_ref, watcher });
    let (spec, _) = Supervisor::builder(name(number))
        .strategy(Strategy::RestForOne)
        .intensity(INTENSITY.0, INTENSITY.1)
        .child(actor)
        .child(builds)
        .child_spec();
    // Transient: one that was given up stays down, one that was killed comes back.
    (spec.restart(Restart::Transient), handle)
}
