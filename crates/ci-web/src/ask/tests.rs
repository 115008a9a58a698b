//! How tests went.

use ci_build::TestsOf;
use ci_domain::ids::{BranchName, BuildNumber, PullNumber, RepoName};
use ci_domain::subject::Subject;
use ci_domain::test_report;

use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{JobTests, JudgedTest, Judgement, PullDetail};

/// How the tests of the jobs of a pull request went, those that failed first.
pub(crate) async fn tests(
    site: &Site,
    repo: &RepoName,
    detail: &PullDetail,
) -> Result<Vec<JobTests>, Problem> {
    let attempts = detail
        .jobs
        .iter()
        .filter_map(|job| Some((job.job.parse().ok()?, job.attempt.as_deref()?.parse().ok()?)));
    let of = TestsOf {
        subject: Subject::Pull(PullNumber(detail.pull.number)),
        last: BuildNumber(detail.last_build),
        attempts: attempts.collect(),
        base: base(site, repo, detail).await,
    };
    let mut all: Vec<JobTests> =
        site.node().tests(repo, of).await?.into_iter().map(JobTests::from).collect();
    all.sort_by_key(|job| std::cmp::Reverse(job.failed > 0));
    Ok(all)
}

/// The branch that it goes to, if it is built.
async fn base(
    site: &Site,
    repo: &RepoName,
    detail: &PullDetail,
) -> Option<(BranchName, BuildNumber)> {
    let name = BranchName::new(detail.pull.base.as_deref()?).ok()?;
    let view = site.branch(repo, &name).await.ok()?;
    let last = view.as_ref().as_ref()?.last_build;
    Some((name, last))
}

impl From<ci_build::JobTests> for JobTests {
    fn from(tests: ci_build::JobTests) -> Self {
        let ci_build::JobTests { job, attempt, passed, failed, skipped, judged } = tests;
        let judged = judged.into_iter().map(|one| JudgedTest {
            judgement: one.judgement.into(),
            name: one.name,
            fails: one.failure.is_some(),
            message: one.failure.as_ref().map(|failure| failure.message.clone()),
            file: one.failure.as_ref().and_then(|failure| failure.file.clone()),
            line: one.failure.and_then(|failure| failure.line),
        });
        Self {
            job: job.to_string(),
            attempt: attempt.to_string(),
            passed: passed as u64,
            failed: failed as u64,
            skipped: skipped as u64,
            tests: judged.collect(),
        }
    }
}

impl From<test_report::Judgement> for Judgement {
    fn from(judgement: test_report::Judgement) -> Self {
        match judgement {
            test_report::Judgement::New => Self::New,
            test_report::Judgement::Known => Self::Known,
            test_report::Judgement::Flaky => Self::Flaky,
        }
    }
}
