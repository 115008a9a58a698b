//! What the forge should say about a pull request, as a value: the reporter makes it so.

use std::collections::BTreeMap;

use crate::forge::{StatusState, StatusWrite};
use crate::gate::Verdict;
use crate::ids::{AttemptId, CommitSha, ComponentName, JobId, PullNumber};
use crate::outcome::JobResult;
use crate::outline::Outline;
use crate::pull::Pull;
use crate::wording;

/// Where people are sent for details, and under which name the node speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voice {
    /// The node's name, part of every status context.
    pub node: String,
    /// The address of the dashboard, without a slash at its end.
    pub public_url: String,
}

/// What the forge should say about one pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The pull request.
    pub number: PullNumber,
    /// The commit that the statuses belong to.
    pub head: CommitSha,
    /// Whether the umbrella counts where open pull requests share the head.
    pub open: bool,
    /// The umbrella.
    pub umbrella: StatusWrite,
    /// The status of each affected component.
    pub components: BTreeMap<ComponentName, StatusWrite>,
    /// The comments that should exist.
    pub comments: Vec<CommentWish>,
}

/// A comment that should exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentWish {
    /// What it is for; with the pull request and the head it makes the comment's marker.
    pub topic: Topic,
    /// What it says.
    pub content: CommentContent,
}

/// What a comment is for: there is one of each for a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Green tests while approval is missing.
    TestsPassed,
    /// Nothing is missing.
    Mergeable,
    /// What failed; edited in place.
    Failures,
    /// The actors were given up.
    Quarantine,
}

/// What a comment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommentContent {
    /// Just this.
    Text(String),
    /// Failed jobs with the ends of their logs, which only the disk knows.
    Failures(Vec<FailureEntry>),
}

/// A job that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureEntry {
    /// The job.
    pub job: JobId,
    /// How it ended.
    pub result: JobResult,
    /// The attempt whose log tells more.
    pub attempt: Option<AttemptId>,
    /// Where the log is.
    pub log_url: String,
}

impl Topic {
    /// The word in the marker.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TestsPassed => "tests-passed",
            Self::Mergeable => "mergeable",
            Self::Failures => "failures",
            Self::Quarantine => "quarantine",
        }
    }

    /// The hidden line by which a comment is found again.
    #[must_use]
    pub fn marker(self, node: &str, head: &CommitSha) -> String {
        format!("<!-- ci-node:{node}:{}:{head} -->", self.as_str())
    }
}

impl Pull {
    /// What the forge should say; `None` while the forge has not been read.
    #[must_use]
    pub fn report(&self, voice: &Voice) -> Option<Report> {
        let facts = self.facts()?;
        let verdict = self.verdict();
        let url = self.url(voice);
        let umbrella = StatusWrite {
            context: wording::umbrella_context(&voice.node),
            state: verdict.state,
            description: verdict.description.clone(),
            target_url: Some(url),
        };
        Some(Report {
            number: facts.number,
            head: facts.head.sha.clone(),
            open: self.is_open(),
            umbrella,
            components: self.component_statuses(voice),
            comments: if self.is_silent() { Vec::new() } else { self.comments(voice, &verdict) },
        })
    }

    fn url(&self, voice: &Voice) -> String {
        format!("{}/{}/pull/{}", voice.public_url, self.config().repo, self.config().number)
    }

    fn component_statuses(&self, voice: &Voice) -> BTreeMap<ComponentName, StatusWrite> {
        let Some(outline) = self.outline() else { return BTreeMap::new() };
        let status = |component: &ComponentName| {
            let (state, description) = self.component_state(outline, component);
            StatusWrite {
                context: wording::component_context(&voice.node, component),
                state,
                description: wording::cut(&description),
                target_url: Some(self.url(voice)),
            }
        };
        outline.affected.iter().map(|component| (component.clone(), status(component))).collect()
    }

    fn component_state(
        &self,
        outline: &Outline,
        component: &ComponentName,
    ) -> (StatusState, String) {
        let outcomes = self.outcomes();
        let own = Outline {
            affected: [component.clone()].into(),
            missing: outline
                .missing
                .iter()
                .filter(|id| id.component == *component)
                .cloned()
                .collect(),
            jobs: outline.jobs.clone(),
        };
        let jobs = own.sort_required(&outcomes, self.is_approved());
        let rows = [
            (StatusState::Failure, wording::jobs_are(&jobs.failed, "failed")),
            (StatusState::Failure, wording::jobs_are(&jobs.missing, "missing")),
            (StatusState::Error, wording::jobs_are(&jobs.crashed, "crashed")),
            (StatusState::Error, wording::jobs_are(&jobs.cancelled, "cancelled")),
            (StatusState::Pending, wording::awaiting_jobs(&jobs.unfinished)),
        ];
        let worst = rows.into_iter().find_map(|(state, words)| Some((state, words?)));
        let is_blocked = || own.required().any(|(id, _)| outline.is_blocked(id, &outcomes));
        worst.unwrap_or_else(|| {
            if is_blocked() {
                (StatusState::Pending, "blocked by a job of another component".to_owned())
            } else {
                (StatusState::Success, "all jobs passed".to_owned())
            }
        })
    }

    fn comments(&self, voice: &Voice, verdict: &Verdict) -> Vec<CommentWish> {
        let Some(facts) = self.facts() else { return Vec::new() };
        let head = &facts.head.sha;
        let text = |topic, text| CommentWish { topic, content: CommentContent::Text(text) };
        let mut comments = Vec::new();
        if let Some(reason) = self.quarantine() {
            comments.push(text(
                Topic::Quarantine,
                format!(
                    "This pull request is quarantined: {reason}\n\nA new head lifts it, and so does \
                     `ci-node quarantine lift {} --repo {}`.",
                    self.config().number,
                    self.config().repo
                ),
            ));
        }
        if verdict.state == StatusState::Success {
            comments.push(text(Topic::Mergeable, wording::can_be_merged(head)));
        } else if self.has_passed_standard_tests() && !self.is_approved() {
            comments.push(text(Topic::TestsPassed, wording::standard_tests_passed(head)));
        }
        comments.push(CommentWish {
            topic: Topic::Failures,
            content: CommentContent::Failures(self.failures(voice)),
        });
        comments
    }

    /// The jobs of the head that did not pass, blocked ones left out.
    #[must_use]
    pub fn failures(&self, voice: &Voice) -> Vec<FailureEntry> {
        let outcomes = self.outcomes();
        let is_blocked =
            |job: &JobId| self.outline().is_some_and(|outline| outline.is_blocked(job, &outcomes));
        let did_fail =
            |result: &JobResult| matches!(result, JobResult::Failed | JobResult::Crashed { .. });
        let failed = outcomes.iter().filter(|(job, outcome)| {
            did_fail(&outcome.result) && (outcome.result == JobResult::Failed || !is_blocked(job))
        });
        let url = |job: &JobId, attempt: Option<&AttemptId>| match attempt {
            Some(attempt) => format!("{}/jobs/{attempt}", self.url(voice)),
            None => format!("{}#{job}", self.url(voice)),
        };
        failed
            .map(|(job, outcome)| FailureEntry {
                job: job.clone(),
                result: outcome.result.clone(),
                attempt: outcome.attempt.clone(),
                log_url: url(job, outcome.attempt.as_ref()),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
