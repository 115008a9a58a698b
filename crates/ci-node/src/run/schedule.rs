//! Which job starts when: pure, by what each needs and by how many may run at once.

use std::collections::{BTreeMap, BTreeSet};

use ci_domain::ids::JobId;

/// The jobs that have not started, and how many run.
#[derive(Debug)]
pub(super) struct Schedule {
    /// In the order in which they start where nothing holds them up.
    waiting: Vec<Waiting>,
    running: usize,
    limit: usize,
}

#[derive(Debug)]
struct Waiting {
    id: JobId,
    needs: BTreeSet<JobId>,
}

impl Schedule {
    /// Jobs with what they need, each after all that it needs.
    pub(super) fn new(
        jobs: impl IntoIterator<Item = (JobId, BTreeSet<JobId>)>,
        limit: usize,
    ) -> Self {
        let waiting = jobs.into_iter().map(|(id, needs)| Waiting { id, needs }).collect();
        Self { waiting, running: 0, limit }
    }

    /// Takes the jobs that start now.
    pub(super) fn start(&mut self) -> Vec<JobId> {
        let mut started = Vec::new();
        while self.running < self.limit {
            let ready = self.waiting.iter().position(|job| job.needs.is_empty());
            let Some(index) = ready else { break };
            started.push(self.waiting.remove(index).id);
            self.running += 1;
        }
        started
    }

    /// A job that was started has passed.
    pub(super) fn passed(&mut self, id: &JobId) {
        self.running -= 1;
        for job in &mut self.waiting {
            job.needs.remove(id);
        }
    }

    /// A job that was started has not passed: takes the jobs that can never start now, each with
    /// those of its needs that are to blame.
    pub(super) fn failed(&mut self, id: &JobId) -> BTreeMap<JobId, BTreeSet<JobId>> {
        self.running -= 1;
        let mut dead = BTreeSet::from([id.clone()]);
        let mut blocked = BTreeMap::new();
        // What a job needs stands before it, so one pass finds all.
        self.waiting.retain(|job| {
            let guilty: BTreeSet<JobId> = job.needs.intersection(&dead).cloned().collect();
            let stays = guilty.is_empty();
            if !stays {
                dead.insert(job.id.clone());
                blocked.insert(job.id.clone(), guilty);
            }
            stays
        });
        blocked
    }

    /// Takes all jobs that have not started.
    pub(super) fn give_up(&mut self) -> Vec<JobId> {
        std::mem::take(&mut self.waiting).into_iter().map(|job| job.id).collect()
    }

    /// Whether nothing runs and nothing can start.
    pub(super) fn is_over(&self) -> bool {
        self.running == 0 && self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> JobId {
        format!("c:{text}").parse().unwrap()
    }

    fn schedule(jobs: &[(&str, &[&str])], limit: usize) -> Schedule {
        let job = |(name, needs): &(&str, &[&str])| {
            (id(name), needs.iter().map(|need| id(need)).collect())
        };
        Schedule::new(jobs.iter().map(job), limit)
    }

    fn names<'a>(ids: impl IntoIterator<Item = &'a JobId>) -> String {
        ids.into_iter().map(|id| id.job.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn jobs_start_when_their_needs_have_passed_and_there_is_room() {
        let mut schedule = schedule(&[("a", &[]), ("b", &[]), ("c", &[]), ("d", &["a", "b"])], 2);
        assert_eq!(names(&schedule.start()), "a b");
        assert_eq!(names(&schedule.start()), "");
        schedule.passed(&id("a"));
        assert_eq!(names(&schedule.start()), "c");
        schedule.passed(&id("b"));
        assert_eq!(names(&schedule.start()), "d");
        schedule.passed(&id("c"));
        assert!(!schedule.is_over());
        schedule.passed(&id("d"));
        assert!(schedule.is_over());
    }

    #[test]
    fn a_failure_blocks_all_that_waits_for_it() {
        let mut schedule = schedule(
            &[("a", &[]), ("b", &["a"]), ("c", &["b"]), ("d", &["a", "b"]), ("e", &[])],
            1,
        );
        assert_eq!(names(&schedule.start()), "a");
        let blocked = schedule.failed(&id("a"));
        assert_eq!(names(blocked.keys()), "b c d");
        assert_eq!(
            (names(&blocked[&id("c")]), names(&blocked[&id("d")])),
            ("b".into(), "a b".into())
        );
        assert_eq!(names(&schedule.start()), "e");
    }

    #[test]
    fn what_has_not_started_can_be_given_up() {
        let mut schedule = schedule(&[("a", &[]), ("b", &["a"])], 1);
        schedule.start();
        assert_eq!(names(&schedule.give_up()), "b");
        schedule.failed(&id("a"));
        assert!(schedule.is_over());
    }
}
