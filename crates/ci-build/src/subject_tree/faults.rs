//! What went wrong with actors: the reason that is told when they are given up.

use heights::{Recipient, Report, SupervisorReport};

/// Passes on what went wrong with a supervisor's children, and nothing else that it reports.
pub(crate) fn faults(to: Recipient<Report>) -> Recipient<Report> {
    Recipient::from_fn(move |report| {
        if let Report::Supervisor(_) = report {
            to.tell(report);
        }
    })
}

/// How a child crashed: what it said, and where in the program, if that is known. One that is stopped, or
/// gives up because of its own children, has no words of its own.
pub(crate) fn crash(report: &SupervisorReport) -> Option<String> {
    report.exit.is_abnormal().then(|| report.exit.to_string())
}
