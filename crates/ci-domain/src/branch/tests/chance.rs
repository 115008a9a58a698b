//! Whatever happens, in any order, a replay finds the same, one build runs at a time, and in the end
//! every job of the tip has ended or is blocked. No nightly job runs twice a day or on a tip by itself.

use proptest::prelude::*;

use super::Story;
use crate::ids::JobId;

const WORDS: [&str; 20] = [
    "push a",
    "push b",
    "push c",
    "push ab",
    "old c",
    "gone",
    "plan",
    "invalid",
    "unplanned",
    "retry",
    "restart",
    "force all",
    "force air:bench",
    "given-up",
    "disk low",
    "disk ok",
    "night 23",
    "night 24",
    "night 24 shut",
    "tonight all",
];

/// More steps than any settling takes.
const CEILING: usize = 100;

impl Story {
    /// One job of the running build ends, or the build does.
    fn work(&mut self, verb: &str) {
        let Some(build) = self.branch.build() else { return };
        let (outcomes, nights) = (self.branch.outcomes(), self.branch.nights());
        let has_ended = |id: &JobId| match build.night {
            None => outcomes.contains_key(id),
            Some(_) => nights.last(id).is_some_and(|run| run.outcome.build == build.spec.number),
        };
        let open: Vec<_> = build.spec.jobs.keys().filter(|id| !has_ended(id)).collect();
        let word = match open.first() {
            Some(job) if !build.superseded => format!("{verb} {job}"),
            _ => format!("finished {}", build.spec.number),
        };
        self.meet(&word);
    }

    fn meet(&mut self, word: &str) {
        let answers = ["plan", "invalid", "unplanned"].contains(&word);
        if answers && self.asked.is_none() {
            return;
        }
        let before = self.branch.build().map(|build| build.spec.number);
        let followed = self.tell(word);
        if answers && !followed.starts_with("prepare") {
            self.asked = None;
        }
        let starts = followed.split(", ").any(|effect| effect.starts_with("build"));
        let ends = followed.split(", ").any(|effect| effect.starts_with("end"));
        assert!(before.is_none() || ends || !starts || word == "restart", "two builds at once");
    }

    fn settle(&mut self) {
        for word in ["restart", "disk ok", "push d"] {
            self.meet(word);
        }
        for _ in 0..CEILING {
            self.meet("plan");
            self.work("passed");
            if self.branch.is_at_rest() {
                return;
            }
        }
        panic!("it never comes to rest: {:#?}", self.branch);
    }
}

proptest! {
    #[test]
    fn ends_with_all_jobs_of_the_tip_whatever_came_before(
        choices in prop::collection::vec(0..WORDS.len() + 4, 0..40),
    ) {
        let mut story = Story::new();
        for choice in choices {
            match WORDS.get(choice) {
                Some(word) => story.meet(word),
                None => story.work(["passed", "failed", "crashed", "passed"][choice - WORDS.len()]),
            }
        }
        story.settle();
        let jobs: Vec<String> = story.branch.outcomes().keys().map(ToString::to_string).collect();
        prop_assert_eq!(jobs.join(" "), "air:bench air:compile");
        let tip = story.branch.tip().map(|tip| tip.commit.clone());
        prop_assert_eq!(&story.branch.memory().built, &tip);
        for runs in story.branch.nights().runs.values() {
            for pair in runs.windows(2).filter(|pair| pair[1].night.by.is_none()) {
                prop_assert_ne!(pair[0].night.day, pair[1].night.day, "twice a day");
                prop_assert_ne!(&pair[0].commit, &pair[1].commit, "twice on a tip");
            }
        }
    }
}
