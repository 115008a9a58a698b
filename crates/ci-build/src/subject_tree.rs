//! The supervisor of one pull request or branch: the actor that decides, and the builds that it starts.

pub(crate) mod faults;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use heights::{
    ChildSpec, DynamicRef, DynamicSupervisor, Recipient, Report, Restart, Strategy, Supervisor,
};

use crate::repo::later;
use crate::subject_tree::faults::faults;

/// How often the actors of one may crash before they are given up.
const INTENSITY: (u32, Duration) = (5, Duration::from_secs(60));

/// Describes the supervisor `name` as a child. `start` describes the actor, given where its builds are
/// started, and says how to speak to it and where the reports about its builds go. `to` is told what goes
/// wrong with the actor itself.
pub(crate) fn describe<Handle>(
    name: String,
    to: Recipient<Report>,
    start: impl FnOnce(DynamicRef) -> (ChildSpec, Handle, Recipient<Report>),
) -> (ChildSpec, Handle) {
    let reports: Arc<OnceLock<Recipient<Report>>> = Arc::default();
    let (builds, builds_ref) = DynamicSupervisor::builder("builds")
        .intensity(INTENSITY.0, INTENSITY.1)
        .on_report(later(&reports))
        .child_spec();
    let (actor, handle, on_report) = start(builds_ref);
    // Filled once: this way was made above.
    let _first = reports.set(on_report);
    let (spec, _) = Supervisor::builder(name)
        // Who decides starts anew with those it started, or it would wait for ever for one that is gone.
        .strategy(Strategy::OneForAll)
        .intensity(INTENSITY.0, INTENSITY.1)
        .on_report(faults(to))
        .child(actor)
        .child(builds)
        .child_spec();
    // Transient: one that was given up stays down, one that was killed comes back.
    (spec.restart(Restart::Transient), handle)
}

#[cfg(test)]
mod tests;
