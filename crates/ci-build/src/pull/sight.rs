//! What can be seen of a pull request's actor from outside.

use ci_domain::may_run::Disk;
use heights::{Inspect, View};

use super::PullActor;
use crate::sight::{Jobs, word};

impl Inspect for PullActor {
    fn inspect(&self, view: View<'_>) {
        let pull = &self.pull;
        let head = pull.facts().map(|facts| facts.head.sha.to_string());
        let merge = pull.planned().map(|(merge, _)| merge.to_string());
        let outcomes = pull.outcomes();
        let outcomes =
            Jobs::new(outcomes.into_iter().map(|(job, outcome)| (job, word(&outcome.result))));
        let owed = Jobs::new(pull.owed().into_keys().map(|job| (job, "owed")));
        view.record(|shown| {
            shown
                .text("repo", &pull.config().repo)
                .field("number", &pull.config().number.0)
                .field("is_open", &pull.is_open())
                .field("head", &head)
                .field("merge", &merge)
                .field("is_approved", &pull.is_approved())
                .field("builds", &pull.builds())
                .field("is_building", &pull.build().is_some())
                .field("outcomes", &outcomes)
                .field("owed", &owed)
                .field("is_quarantined", &pull.quarantine().is_some())
                .field("has_trouble", &pull.trouble().is_some())
                .field("disk_is_low", &(pull.disk() == Disk::Low))
                .field("is_freeing", &self.freeing.is_some())
        });
    }
}
