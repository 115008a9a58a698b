//! What can be seen of a build's actor from outside.

use ci_domain::build::Progress;
use heights::{Inspect, View};

use super::BuildActor;
use crate::sight::{Jobs, word};

impl Inspect for BuildActor {
    fn inspect(&self, view: View<'_>) {
        let jobs = self.build.jobs().iter().map(|(job, state)| {
            let word = match &state.progress {
                Progress::Waiting => "waiting",
                Progress::Running(_) => "running",
                Progress::Cancelling(_) => "cancelling",
                Progress::Ended(outcome) => word(&outcome.result),
            };
            (job.clone(), word)
        });
        let jobs = Jobs::new(jobs);
        view.record(|shown| {
            shown
                .text("subject", &self.args.origin.subject)
                .text("build", self.args.spec.number)
                .text("merge", &self.args.spec.merge)
                .field("jobs", &jobs)
                .field("running", &self.running.len())
                .field("is_preparing", &self.is_preparing)
                .field("is_finished", &self.build.is_finished())
        });
    }
}
