//! Builds that there were, and how long jobs usually take.

use std::collections::BTreeMap;
use std::sync::Arc;

use ci_build::PastBuild;
use ci_domain::ids::{BranchName, RepoName};
use ci_domain::outcome::JobResult;
use ci_domain::subject::Subject;

use crate::moment::duration_ms;
use crate::problem::Problem;
use crate::site::Site;

/// Builds of a branch that say what is usual.
const RECENT: u64 = 20;

/// How long jobs usually take, in milliseconds, by their names.
pub(crate) type Usual = BTreeMap<String, u64>;

/// The builds of `subject` up to number `last`, the newest first and no more than `most`.
pub(crate) async fn past(
    site: &Site,
    repo: &RepoName,
    subject: &Subject,
    (last, most): (u64, u64),
) -> Result<Arc<Vec<PastBuild>>, Problem> {
    Ok(site.builds(repo, subject, (last, most)).await?)
}

/// What is usual for the jobs of something that had the builds `own` and goes to the branch `base`.
pub(crate) async fn usual(
    site: &Site,
    repo: &RepoName,
    base: Option<&str>,
    own: &[PastBuild],
) -> Result<Usual, Problem> {
    let base = base.and_then(|base| BranchName::new(base).ok());
    let view = match &base {
        Some(base) => site.branch(repo, base).await.ok(),
        None => None,
    };
    let of_base = match view.as_ref().and_then(|view| view.as_ref().as_ref()) {
        Some(view) => {
            let last = (view.last_build.0, RECENT);
            past(site, repo, &Subject::Branch(view.name.clone()), last).await?
        }
        None => Arc::default(),
    };
    Ok(medians(of_base.iter().chain(own)))
}

/// The middle of the times that each job took when it passed.
fn medians<'a>(builds: impl Iterator<Item = &'a PastBuild>) -> Usual {
    let mut times: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (id, job) in builds.flat_map(|build| &build.jobs) {
        if job.result == JobResult::Passed {
            times.entry(id.to_string()).or_default().push(duration_ms(job.duration));
        }
    }
    let middle = |mut times: Vec<u64>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    times.into_iter().map(|(job, times)| (job, middle(times))).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ci_build::PastJob;
    use ci_domain::ids::{BuildNumber, CommitSha};

    use super::*;

    fn build(number: u64, result: JobResult, seconds: u64) -> PastBuild {
        let duration = Duration::from_secs(seconds);
        let job = PastJob { attempt: "x-1".parse().unwrap(), result, duration };
        PastBuild {
            number: BuildNumber(number),
            head: CommitSha::new("a".repeat(40)).unwrap(),
            jobs: BTreeMap::from([("app:test".parse().unwrap(), job)]),
            superseded: false,
        }
    }

    #[test]
    fn what_is_usual_is_in_the_middle_of_what_passed() {
        let builds = [
            build(1, JobResult::Passed, 10),
            build(2, JobResult::Failed, 1),
            build(3, JobResult::Passed, 1000),
            build(4, JobResult::Passed, 12),
        ];
        assert_eq!(medians(builds.iter()), Usual::from([("app:test".to_owned(), 12_000)]));
        assert_eq!(medians(builds[1..2].iter()), Usual::new());
    }
}
