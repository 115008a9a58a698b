//! The supervisor of one pull request: the actor that decides, and the builds that it starts.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ci_domain::ids::PullNumber;
use heights::{ChildSpec, DynamicSupervisor, Recipient, Report, Restart, Strategy, Supervisor};

use crate::elders::Elders;
use crate::pull::{self, PullArgs, PullFact, PullHandle};
use crate::repo::later;

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
    let reports: Arc<OnceLock<Recipient<Report>>> = Arc::default();
    let (builds, builds_ref) = DynamicSupervisor::builder("builds")
        .intensity(INTENSITY.0, INTENSITY.1)
        .on_report(later(&reports))
        .child_spec();
    let (actor, handle) =
        pull::start(PullArgs { elders: elders.clone(), number, builds: builds_ref, watcher });
    // Filled once: a pull request's tree is described once in its life.
    let _first = reports.set(handle.reports());
    let (spec, _) = Supervisor::builder(name(number))
        // Who decides starts anew with those it started, or it would wait for ever for one that is gone.
        .strategy(Strategy::OneForAll)
        .intensity(INTENSITY.0, INTENSITY.1)
        .child(actor)
        .child(builds)
        .child_spec();
    // Transient: one that was given up stays down, one that was killed comes back.
    (spec.restart(Restart::Transient), handle)
}
