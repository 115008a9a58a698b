//! How the tests of jobs went, beside how they went before.
//!
//! Nothing of it is on record but what is there anyway: which attempts there were, on which inputs, is in the
//! streams of builds, and how tests went is in run directories, as commands and logs are. So it is known for
//! as long as both are.

use std::collections::BTreeMap;

use ci_domain::build::{AttemptEnd, BuildEvent, Order};
use ci_domain::ids::{AttemptId, BranchName, BuildNumber, JobId, RepoName};
use ci_domain::subject::Subject;
use ci_domain::test_report::{Judged, Run, TestReport, judge};
use heights::Fault;

use crate::kept::AttemptTests;
use crate::ledger::{LedgerHandle, build_stream};
use crate::node::{AskError, NodeHandle};
use crate::record::build_event;
use crate::runs::Runs;

/// Builds that are looked through for earlier attempts.
const BUILDS: u64 = 10;

/// Whose tests are asked for.
#[derive(Clone, Debug)]
pub struct TestsOf {
    /// The pull request or branch.
    pub subject: Subject,
    /// The number of its last build.
    pub last: BuildNumber,
    /// The attempts that count.
    pub attempts: BTreeMap<JobId, AttemptId>,
    /// The branch that it goes to, with the number of its last build.
    pub base: Option<(BranchName, BuildNumber)>,
}

/// How the tests of one job went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobTests {
    /// The job.
    pub job: JobId,
    /// The attempt.
    pub attempt: AttemptId,
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// How many were not run.
    pub skipped: usize,
    /// Those that there is something to say of: new failures first, then known ones, then what is flaky.
    pub judged: Vec<Judged>,
}

/// An attempt that came to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PastAttempt {
    job: JobId,
    attempt: AttemptId,
    inputs: String,
}

impl NodeHandle {
    /// How the tests of these attempts went; those that told of none are left out.
    ///
    /// # Errors
    /// There is no such repository, or something on record cannot be read.
    pub async fn tests(&self, repo: &RepoName, of: TestsOf) -> Result<Vec<JobTests>, AskError> {
        let ledger = &self.repo(repo)?.elders.ledger;
        let runs = self.runs().clone();
        // Most say nothing of tests, and then nothing else need be looked at.
        let telling = move || -> BTreeMap<JobId, AttemptId> {
            let attempts = of.attempts.into_iter();
            attempts.filter(|(_, attempt)| runs.has_tests(attempt)).collect()
        };
        let telling = tokio::task::spawn_blocking(telling).await;
        let telling = telling.map_err(|error| AskError::Ledger(error.into()))?;
        if telling.is_empty() {
            return Ok(Vec::new());
        }
        let read = async |subject: &Subject, last: BuildNumber| {
            attempts(ledger, (repo, subject), last).await.map_err(AskError::Ledger)
        };
        let own = read(&of.subject, of.last).await?;
        let base = match &of.base {
            Some((name, last)) => read(&Subject::Branch(name.clone()), *last).await?,
            None => Vec::new(),
        };
        let runs = self.runs().clone();
        let judged = tokio::task::spawn_blocking(move || {
            let jobs = telling.into_iter();
            let judged = jobs.map(|(job, attempt)| judged(&runs, (job, attempt), &own, &base));
            judged.filter_map(Result::transpose).collect::<Result<Vec<_>, Fault>>()
        });
        judged.await.map_err(Fault::from).and_then(|judged| judged).map_err(AskError::Ledger)
    }
}

/// The attempts of the last builds of something that ended, the newest first.
async fn attempts(
    ledger: &LedgerHandle,
    (repo, subject): (&RepoName, &Subject),
    last: BuildNumber,
) -> Result<Vec<PastAttempt>, Fault> {
    let mut all = Vec::new();
    for number in (last.0.saturating_sub(BUILDS - 1).max(1)..=last.0).rev() {
        let stream = build_stream(repo, subject, BuildNumber(number));
        let events = ledger.read(&stream).await?.records;
        let events: Result<Vec<_>, _> =
            events.iter().map(|(_, record)| build_event(record)).collect();
        all.extend(told(events?).into_iter().rev());
    }
    Ok(all)
}

/// The attempts of one build that ended, in the order in which they were decided on.
fn told(events: Vec<BuildEvent>) -> Vec<PastAttempt> {
    let mut inputs: BTreeMap<JobId, String> = BTreeMap::new();
    let (mut decided, mut ended) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            BuildEvent::Began(spec) => {
                inputs.extend(spec.jobs.into_iter().map(|(job, request)| (job, request.digest)));
            }
            BuildEvent::Ordered { order: Order::Run(jobs), .. } => {
                inputs.extend(jobs.into_iter().map(|(job, request)| (job, request.digest)));
            }
            BuildEvent::AttemptDecided { job, attempt } => {
                let inputs = inputs.get(&job).cloned().unwrap_or_default();
                decided.push(PastAttempt { job, attempt, inputs });
            }
            BuildEvent::AttemptEnded { attempt, end: AttemptEnd::Finished { .. } } => {
                ended.push(attempt);
            }
            _ => {}
        }
    }
    decided.retain(|past| ended.contains(&past.attempt));
    decided
}

fn judged(
    runs: &Runs,
    (job, attempt): (JobId, AttemptId),
    own: &[PastAttempt],
    base: &[PastAttempt],
) -> Result<Option<JobTests>, Fault> {
    let AttemptTests { last: Some(now), earlier } = runs.tests(&attempt)? else { return Ok(None) };
    let of_job = |all: &[PastAttempt]| -> Vec<PastAttempt> {
        all.iter().filter(|past| past.job == job).cloned().collect()
    };
    let own = of_job(own);
    let inputs = own.iter().find(|past| past.attempt == attempt);
    let inputs = inputs.map_or(String::new(), |past| past.inputs.clone());
    let is_alike = |past: &&PastAttempt| past.inputs == inputs && !inputs.is_empty();
    let mut alike = earlier;
    for past in own.iter().filter(is_alike).filter(|past| past.attempt != attempt) {
        let tests = runs.tests(&past.attempt)?;
        alike.extend(tests.last);
        alike.extend(tests.earlier);
    }
    let before = if now.failed.is_empty() {
        None
    } else {
        let older = own.into_iter().skip_while(|past| past.attempt != attempt);
        let older: Vec<_> = older.filter(|past| past.inputs != inputs).collect();
        match first_told(runs, &of_job(base))? {
            Some(report) => Some(report),
            None => first_told(runs, &older)?,
        }
    };
    let others: Vec<_> = alike.iter().map(|report| Run { inputs: &inputs, report }).collect();
    let judged = judge(&Run { inputs: &inputs, report: &now }, &others, before.as_ref());
    let (passed, failed, skipped) = (now.passed.len(), now.failed.len(), now.skipped.len());
    Ok(Some(JobTests { job, attempt, passed, failed, skipped, judged }))
}

/// What the first of these told that told anything.
fn first_told(runs: &Runs, all: &[PastAttempt]) -> Result<Option<TestReport>, Fault> {
    for past in all {
        if let Some(report) = runs.tests(&past.attempt)?.last {
            return Ok(Some(report));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ci_domain::build::{BuildSpec, JobRequest};
    use ci_domain::ids::CommitSha;
    use ci_domain::outcome::JobResult;

    use super::*;

    fn requests(digest: &str) -> BTreeMap<JobId, JobRequest> {
        let digest = digest.to_owned();
        BTreeMap::from([("a:test".parse().unwrap(), JobRequest { needs: [].into(), digest })])
    }

    fn decided(attempt: &str) -> BuildEvent {
        let job = "a:test".parse().unwrap();
        BuildEvent::AttemptDecided { job, attempt: attempt.parse().unwrap() }
    }

    fn ended(attempt: &str) -> BuildEvent {
        let duration = Duration::from_secs(1);
        let end = AttemptEnd::Finished { result: JobResult::Passed, duration };
        BuildEvent::AttemptEnded { attempt: attempt.parse().unwrap(), end }
    }

    #[test]
    fn an_attempt_has_the_inputs_that_it_was_asked_for() {
        let spec = BuildSpec {
            number: BuildNumber(1),
            head: CommitSha::new("a".repeat(40)).unwrap(),
            merge: CommitSha::new("b".repeat(40)).unwrap(),
            prefix: "x-p1-b1".to_owned(),
            reseed: false,
            jobs: requests("one"),
        };
        let again = BuildEvent::Ordered { index: 1, order: Order::Run(requests("two")) };
        let attempt = "x-2".parse().unwrap();
        let lost = BuildEvent::AttemptEnded { attempt, end: AttemptEnd::Lost };
        let events = vec![
            BuildEvent::Began(spec),
            decided("x-1"),
            ended("x-1"),
            again,
            decided("x-2"),
            lost,
            decided("x-3"),
            ended("x-3"),
            decided("x-4"),
        ];
        let told: Vec<_> = told(events)
            .into_iter()
            .map(|past| format!("{} {} {}", past.job, past.attempt, past.inputs))
            .collect();
        assert_eq!(told, ["a:test x-1 one", "a:test x-3 two"]);
    }
}
