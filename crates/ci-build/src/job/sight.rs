//! What can be seen of an attempt from outside.

use std::sync::{Mutex, PoisonError};

use heights::View;

use super::{JobArgs, JobPhase};

/// Shows which attempt it is and how far it has come.
pub(super) fn show(args: &JobArgs, phase: &Mutex<Option<JobPhase>>, view: View<'_>) {
    let phase = phase.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (phase, queue) = match &phase {
        None => ("starting", None),
        Some(JobPhase::Waiting { queue, .. }) => ("waiting", Some(queue.as_str())),
        Some(JobPhase::Running { .. }) => ("running", None),
        Some(JobPhase::Cancelling) => ("cancelling", None),
    };
    view.record(|shown| {
        shown
            .text("job", &args.job)
            .text("attempt", &args.attempt)
            .text("head", &args.head)
            .text("merge", &args.merge)
            .field("phase", phase)
            .field("queue", &queue)
    });
}
