//! What an attempt was for.

use ci_domain::ids::{AttemptId, PullNumber};
use ci_domain::subject::Subject;

use super::super::act::Button;
use super::super::html::{Html, html};
use super::super::{branch, pull, repo};
use crate::api::{BranchPath, PullPath};
use crate::ask::{self, Usual};
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{Job, JobState, JobTests};

/// Builds of a pull request that say what is usual for it.
const RECENT: u64 = 10;

/// What an attempt was for.
pub(in crate::page) struct Place {
    pub(in crate::page) title: String,
    pub(in crate::page) trail: Html,
    /// Where its page is.
    pub(in crate::page) page: String,
    pub(in crate::page) jobs: Vec<Job>,
    pub(in crate::page) usual: Usual,
    /// How the tests of its jobs went.
    pub(in crate::page) tests: Vec<JobTests>,
    /// Whether its jobs can be run again by a button.
    has_buttons: bool,
}

impl Place {
    /// The pull request that had this attempt.
    pub(in crate::page) async fn of_pull(
        site: &Site,
        PullPath(repo, number): PullPath,
        attempt: &AttemptId,
    ) -> Result<Self, Problem> {
        let detail = ask::pull(site, &repo, number).await?;
        if !is_of(attempt, number) {
            let text = format!("{attempt} is not an attempt of pull request {number}");
            return Err(Problem::not_found(text));
        }
        let last = (detail.last_build, RECENT);
        let builds = ask::past(site, &repo, &Subject::Pull(number), last).await?;
        let usual = ask::usual(site, &repo, detail.pull.base.as_deref(), &builds).await?;
        let tests = ask::tests(site, &repo, &detail).await?;
        Ok(Self {
            title: format!("#{number}"),
            trail: pull::trail(&repo, number),
            page: format!("/{repo}/pull/{number}"),
            usual,
            tests,
            jobs: detail.jobs,
            has_buttons: true,
        })
    }

    /// The branch that had this attempt.
    pub(in crate::page) async fn of_branch(
        site: &Site,
        BranchPath(repo, name): BranchPath,
        attempt: &AttemptId,
    ) -> Result<Self, Problem> {
        let view = ask::branch(site, &repo, &name).await?;
        if !view.owns(attempt) {
            let text = format!("{attempt} is not an attempt of branch {name}");
            return Err(Problem::not_found(text));
        }
        let mut detail = ask::branch_detail(&repo, &view);
        // The latest runs say how they stand, and so do those that are remembered.
        for night in detail.nightly {
            detail.jobs.push(night.job);
            detail.jobs.extend(night.runs.into_iter().map(|run| run.job));
        }
        let usual = ask::usual(site, &repo, Some(name.as_str()), &[]).await?;
        Ok(Self {
            title: name.to_string(),
            trail: html!("{}{}", repo::trail(&repo), branch::trail(&detail.branch)),
            page: detail.branch.page,
            usual,
            tests: Vec::new(),
            jobs: detail.jobs,
            has_buttons: false,
        })
    }

    /// The job whose newest attempt it is.
    pub(in crate::page) fn job(&self, attempt: &AttemptId) -> Option<&Job> {
        self.jobs.iter().find(|job| job.attempt.as_deref() == Some(attempt.as_str()))
    }

    /// What the attempt is called.
    pub(in crate::page) fn name(&self, attempt: &AttemptId) -> String {
        self.job(attempt).map_or_else(|| "an earlier attempt".to_owned(), |job| job.job.clone())
    }

    /// What can be asked for about a job.
    pub(super) fn button<'a>(&self, job: &'a Job) -> Option<Button<'a>> {
        match job.state {
            _ if !self.has_buttons => None,
            state if state.is_under_way() => Some(Button::Cancel(Some(&job.job))),
            JobState::Failed | JobState::Crashed | JobState::Cancelled => {
                Some(Button::Retry(Some(&job.job)))
            }
            _ => None,
        }
    }
}

/// Whether the attempt's id is of a build of this pull request: `<repository>-p<number>-b…`.
fn is_of(attempt: &AttemptId, number: PullNumber) -> bool {
    let (_, rest) = attempt.as_str().split_once('-').unwrap_or_default();
    rest.starts_with(&format!("p{number}-b"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_belongs_to_one_pull_request() {
        let attempt: AttemptId = "a1b2c3-p7-b1-2".parse().unwrap();
        assert!(is_of(&attempt, PullNumber(7)));
        assert!(!is_of(&attempt, PullNumber(70)));
        assert!(!is_of(&"a1b2c3-p70-b1-2".parse().unwrap(), PullNumber(7)));
    }
}
