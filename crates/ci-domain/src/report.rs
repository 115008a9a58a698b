//! What the forge should say about a pull request or a branch, as a value: the reporter makes it so.

mod checks;

use std::collections::BTreeMap;

use crate::forge::{StatusState, StatusWrite};
use crate::gate::Verdict;
use crate::ids::{AttemptId, BuildNumber, CommitSha, ComponentName, JobId};
use crate::nightly::{Day, Mention};
use crate::outcome::{JobResult, Outcome};
use crate::outline::{Outline, OutlineJob};
use crate::pull::Pull;
use crate::subject::Subject;
use crate::wording;

pub use checks::{CheckWish, Standing};

/// Where people are sent for details, and under which name the node speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voice {
    /// The node's name, part of every status context.
    pub node: String,
    /// The address of the dashboard, without a slash at its end.
    pub public_url: String,
}

/// What the forge should say about one pull request or branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The pull request or branch.
    pub subject: Subject,
    /// The commit that the statuses belong to.
    pub head: CommitSha,
    /// Whether it is open. Nothing is written for one that is not: what stands when it closes stays,
    /// and does not count any more where open pull requests share the head.
    pub open: bool,
    /// The umbrella; a branch has none unless it is of the merge queue.
    pub umbrella: Option<StatusWrite>,
    /// The status of each affected component; `None` where it is not known which are affected, and
    /// what stands shall stay.
    pub components: Option<BTreeMap<ComponentName, StatusWrite>>,
    /// The check runs of its jobs, for forges that have them; `None` where it is not known which jobs
    /// there are.
    pub checks: Option<BTreeMap<JobId, CheckWish>>,
    /// The comments that should exist.
    pub comments: Vec<CommentWish>,
}

/// A comment that should exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentWish {
    /// What it is for; with the subject and the head it makes the comment's marker.
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
    /// What failed in this build of a nightly job.
    Nightly(BuildNumber),
}

/// What a comment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommentContent {
    /// Just this.
    Text(String),
    /// Failed jobs with the ends of their logs, which only the disk knows.
    Failures(Vec<FailureEntry>),
    /// A nightly job that failed.
    Nightly {
        /// The day on which it ran.
        day: Day,
        /// Who is called.
        mention: Option<Mention>,
        /// The job.
        entry: FailureEntry,
    },
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
    pub fn word(self) -> String {
        match self {
            Self::TestsPassed => "tests-passed".to_owned(),
            Self::Mergeable => "mergeable".to_owned(),
            Self::Failures => "failures".to_owned(),
            Self::Quarantine => "quarantine".to_owned(),
            Self::Nightly(build) => format!("nightly-{build}"),
        }
    }

    /// The hidden line by which a comment is found again. Nothing in it can end it early.
    #[must_use]
    pub fn marker(self, node: &str, subject: &Subject, head: &CommitSha) -> String {
        let slug = subject.slug().replace("--", "-%2D");
        format!("<!-- ci-node:{node}:{}:{slug}:{head} -->", self.word())
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
            subject: Subject::Pull(facts.number),
            head: facts.head.sha.clone(),
            open: self.is_open(),
            umbrella: Some(umbrella),
            components: self.component_statuses(voice),
            checks: self.checks(voice),
            comments: self.comments(voice, &verdict),
        })
    }

    fn url(&self, voice: &Voice) -> String {
        format!("{}/{}/pull/{}", voice.public_url, self.config().repo, self.config().number)
    }

    fn component_statuses(&self, voice: &Voice) -> Option<BTreeMap<ComponentName, StatusWrite>> {
        let (outcomes, is_approved) = (self.outcomes(), self.is_approved());
        Some(component_statuses(self.outline()?, &outcomes, is_approved, &self.place(voice)))
    }

    fn place<'a>(&self, voice: &'a Voice) -> Place<'a> {
        Place { voice, url: self.url(voice) }
    }

    fn comments(&self, voice: &Voice, verdict: &Verdict) -> Vec<CommentWish> {
        let Some(facts) = self.facts().filter(|_| self.is_open() && !self.is_silent()) else {
            return Vec::new();
        };
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
        failures(self.outline(), &self.outcomes(), &self.place(voice))
    }
}

/// Where people are sent for details about one pull request or branch.
pub(crate) struct Place<'a> {
    pub(crate) voice: &'a Voice,
    pub(crate) url: String,
}

impl Place<'_> {
    /// Where the log of an attempt is, or what is known of a job that had none.
    fn log_url(&self, job: &JobId, attempt: Option<&AttemptId>) -> String {
        match attempt {
            Some(attempt) => format!("{}/jobs/{attempt}", self.url),
            None => format!("{}#{job}", self.url),
        }
    }
}

/// The status of each affected component. Each job is looked at once: who writes a pipeline decides on how
/// many there are.
pub(crate) fn component_statuses(
    outline: &Outline,
    outcomes: &BTreeMap<JobId, Outcome>,
    is_approved: bool,
    place: &Place<'_>,
) -> BTreeMap<ComponentName, StatusWrite> {
    let mut unmet = outline.sort_required(outcomes, is_approved).by_component();
    let blocked = outline.blocked(outcomes);
    let mut jobs: BTreeMap<&ComponentName, Vec<(&JobId, &OutlineJob)>> = BTreeMap::new();
    for (id, job) in outline.jobs.iter().filter(|(id, _)| outline.is_affected(id)) {
        jobs.entry(&id.component).or_default().push((id, job));
    }
    let has_passed = |id: &JobId| outcomes.get(id).is_some_and(|o| o.result.is_passed());
    let mut status = |component: &ComponentName| {
        let own = jobs.remove(component).unwrap_or_default();
        let open = own.iter().find(|(id, job)| !job.optional && !has_passed(id));
        let unmet = unmet.remove(component).and_then(|unmet| unmet.worst());
        let (state, description) = unmet.unwrap_or_else(|| match open {
            Some((id, _)) if blocked.contains(id) => {
                (StatusState::Pending, wording::BLOCKED.to_owned())
            }
            Some(_) => (StatusState::Pending, wording::AWAITING_APPROVAL.to_owned()),
            None => (StatusState::Success, passed(own.iter().copied(), outcomes)),
        });
        StatusWrite {
            context: wording::component_context(&place.voice.node, component),
            state,
            description: wording::cut(&description),
            target_url: Some(place.url.clone()),
        }
    };
    outline.affected.iter().map(|name| (name.clone(), status(name))).collect()
}

/// What is said of these jobs once the required ones of them have passed.
pub(crate) fn passed<'a>(
    jobs: impl Iterator<Item = (&'a JobId, &'a OutlineJob)>,
    outcomes: &'a BTreeMap<JobId, Outcome>,
) -> String {
    let (optional, required): (Vec<_>, Vec<_>) = jobs.partition(|(_, job)| job.optional);
    let result = |id| outcomes.get(id).map(|outcome| &outcome.result);
    let optional: Vec<_> = optional.into_iter().map(|(id, _)| (id, result(id))).collect();
    wording::passed(!required.is_empty(), &optional)
}

/// The jobs that did not pass, blocked ones left out.
pub(crate) fn failures(
    outline: Option<&Outline>,
    outcomes: &BTreeMap<JobId, Outcome>,
    place: &Place<'_>,
) -> Vec<FailureEntry> {
    let blocked = outline.map(|outline| outline.blocked(outcomes)).unwrap_or_default();
    let is_told = |(job, outcome): &(&JobId, &Outcome)| {
        outcome.result == JobResult::Failed || !blocked.contains(job)
    };
    let told = outcomes.iter().filter(is_told);
    told.filter_map(|(job, outcome)| failure(job, outcome, place)).collect()
}

/// A job that did not pass; `None` where it did, or was cancelled.
pub(crate) fn failure(job: &JobId, outcome: &Outcome, place: &Place<'_>) -> Option<FailureEntry> {
    let did_fail = matches!(outcome.result, JobResult::Failed | JobResult::Crashed { .. });
    let log_url = place.log_url(job, outcome.attempt.as_ref());
    let (result, attempt) = (outcome.result.clone(), outcome.attempt.clone());
    did_fail.then(|| FailureEntry { job: job.clone(), result, attempt, log_url })
}

#[cfg(test)]
mod tests;
