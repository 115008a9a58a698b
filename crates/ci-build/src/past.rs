//! Builds that there were, as their streams tell: what became of each job, for histories and usual times.
//!
//! A build is forgotten with its stream, after as long as the configuration says.

use std::collections::BTreeMap;
use std::time::Duration;

use ci_domain::build::{AttemptEnd, BuildEvent};
use ci_domain::ids::{AttemptId, BuildNumber, CommitSha, JobId, RepoName};
use ci_domain::outcome::JobResult;
use ci_domain::subject::Subject;
use heights::Fault;

use crate::ledger::{LedgerHandle, build_stream};
use crate::record::build_event;

/// A build that was begun once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastBuild {
    /// Its number.
    pub number: BuildNumber,
    /// The head that its outcomes belong to.
    pub head: CommitSha,
    /// The attempts that came to an end, each job's latest alone.
    pub jobs: BTreeMap<JobId, PastJob>,
    /// Whether it was given up for a newer one.
    pub superseded: bool,
}

/// The end of a job of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastJob {
    /// The attempt.
    pub attempt: AttemptId,
    /// How it ended.
    pub result: JobResult,
    /// How long it ran.
    pub duration: Duration,
}

/// The builds of `subject` up to number `last`, the newest first and no more than `most`.
pub(crate) async fn builds(
    ledger: &LedgerHandle,
    (repo, subject): (&RepoName, &Subject),
    last: BuildNumber,
    most: u64,
) -> Result<Vec<PastBuild>, Fault> {
    let first = last.0.saturating_sub(most.saturating_sub(1)).max(1);
    let mut builds = Vec::new();
    for number in (first..=last.0).rev() {
        let stream = build_stream(repo, subject, BuildNumber(number));
        let events = ledger.read(&stream).await?.records;
        let events: Result<Vec<BuildEvent>, _> =
            events.iter().map(|(_, record)| build_event(record)).collect();
        builds.extend(PastBuild::told(events?));
    }
    Ok(builds)
}

impl PastBuild {
    /// Folds what is on record of a build; `None` where nothing is, any more or yet.
    fn told(events: Vec<BuildEvent>) -> Option<Self> {
        let mut events = events.into_iter();
        let Some(BuildEvent::Began(spec)) = events.next() else { return None };
        let (number, head) = (spec.number, spec.head);
        let mut build = Self { number, head, jobs: BTreeMap::new(), superseded: false };
        let mut decided: BTreeMap<AttemptId, JobId> = BTreeMap::new();
        for event in events {
            match event {
                BuildEvent::AttemptDecided { job, attempt } => {
                    decided.insert(attempt, job);
                }
                BuildEvent::AttemptEnded {
                    attempt,
                    end: AttemptEnd::Finished { result, duration },
                } => {
                    if let Some(job) = decided.remove(&attempt) {
                        build.jobs.insert(job, PastJob { attempt, result, duration });
                    }
                }
                BuildEvent::Superseded => build.superseded = true,
                _ => {}
            }
        }
        Some(build)
    }
}

#[cfg(test)]
mod tests {
    use ci_domain::build::BuildSpec;

    use super::*;

    fn ended(attempt: &str, result: JobResult) -> BuildEvent {
        let end = AttemptEnd::Finished { result, duration: Duration::from_secs(3) };
        BuildEvent::AttemptEnded { attempt: attempt.parse().unwrap(), end }
    }

    #[test]
    fn the_latest_attempt_at_each_job_counts() {
        let decided = |job: &str, attempt: &str| BuildEvent::AttemptDecided {
            job: job.parse().unwrap(),
            attempt: attempt.parse().unwrap(),
        };
        let spec = BuildSpec {
            number: BuildNumber(7),
            head: CommitSha::new("a".repeat(40)).unwrap(),
            merge: CommitSha::new("b".repeat(40)).unwrap(),
            prefix: "x-p1-b7".to_owned(),
            reseed: false,
            jobs: BTreeMap::new(),
        };
        let build = PastBuild::told(vec![
            BuildEvent::Began(spec),
            decided("a:test", "x-1"),
            decided("a:lint", "x-2"),
            ended("x-1", JobResult::Failed),
            decided("a:test", "x-3"),
            ended("x-3", JobResult::Passed),
            ended("x-9", JobResult::Passed),
            BuildEvent::Superseded,
        ])
        .unwrap();
        assert_eq!((build.number, build.superseded), (BuildNumber(7), true));
        let jobs: Vec<_> =
            build.jobs.values().map(|job| (job.attempt.as_str(), &job.result)).collect();
        assert_eq!(jobs, [("x-3", &JobResult::Passed)]);
        assert_eq!(PastBuild::told(Vec::new()), None);
    }
}
