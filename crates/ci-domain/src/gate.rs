//! Whether a pull request can be merged, as one state and one sentence, and what is missing.
//!
//! The first row that applies decides:
//!
//! | condition | state |
//! |---|---|
//! | quarantined | error |
//! | conflict with the base | failure |
//! | not merged and planned yet | pending |
//! | pipeline files invalid | failure |
//! | commands of the head may not run, and it has jobs | pending, or failure where they never may |
//! | a required job failed or is missing | failure |
//! | a required job crashed or was cancelled | error |
//! | a required job unfinished | pending |
//! | draft, changes requested, not approved | pending |
//! | otherwise | success |

use std::collections::BTreeMap;

use crate::forge::StatusState;
use crate::ids::JobId;
use crate::may_run::{MayRun, Reason};
use crate::outcome::{JobResult, Outcome};
use crate::outline::{Outline, Preparation};
use crate::pipeline::When;
use crate::pull::Pull;
use crate::wording;

/// What the gate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The state of the umbrella status.
    pub state: StatusState,
    /// Its words.
    pub description: String,
    /// Every condition that is not met, the deciding one first; empty where it can be merged.
    pub unmet: Vec<Unmet>,
}

/// A condition that is not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// The condition as it stands.
    pub condition: String,
    /// The event that would meet it.
    pub met_by: String,
}

/// The required jobs, by what keeps each from counting as passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Required<'a> {
    /// Their commands failed.
    pub failed: Vec<&'a JobId>,
    /// The policy wants them and the merge does not have them.
    pub missing: Vec<&'a JobId>,
    /// The machinery broke under them.
    pub crashed: Vec<&'a JobId>,
    /// Somebody stopped them.
    pub cancelled: Vec<&'a JobId>,
    /// They have not ended; blocked ones are left out.
    pub unfinished: Vec<&'a JobId>,
}

impl Pull {
    /// What the gate says of the pull request as it stands.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let mut findings = self.findings();
        if findings.is_empty() {
            return Verdict {
                state: StatusState::Success,
                description: wording::CAN_BE_MERGED.to_owned(),
                unmet: Vec::new(),
            };
        }
        let state = findings[0].state;
        let description = wording::cut(&findings[0].description);
        let unmet = findings.drain(..).map(|finding| finding.unmet).collect();
        Verdict { state, description, unmet }
    }

    /// Whether every required job that waits for nothing has passed.
    #[must_use]
    pub fn has_passed_standard_tests(&self) -> bool {
        let Some(outline) = self.outline() else { return false };
        let outcomes = self.outcomes();
        let has_passed = |id: &JobId| outcomes.get(id).is_some_and(|o| o.result.is_passed());
        let mut standard =
            outline.required().filter(|(_, job)| job.when == When::Always).peekable();
        standard.peek().is_some()
            && outline.missing.is_empty()
            && standard.all(|(id, _)| has_passed(id))
    }

    /// Everything that keeps it from being merged, the deciding row first.
    fn findings(&self) -> Vec<Finding> {
        let blocker = self.quarantine_finding().or_else(|| self.preparation_finding());
        let mut findings: Vec<Finding> = blocker.into_iter().collect();
        if let Some(outline) = self.outline() {
            findings.extend(self.may_run_finding(outline));
            findings
                .extend(job_findings(&outline.sort_required(&self.outcomes(), self.is_approved())));
        }
        findings.extend(self.people_findings());
        findings
    }

    fn quarantine_finding(&self) -> Option<Finding> {
        let reason = self.quarantine()?;
        let met_by = format!(
            "a new head, or `ci-node quarantine lift {} --repo {}`",
            self.config().number,
            self.config().repo
        );
        Some(Finding::new(StatusState::Error, format!("quarantined: {reason}"), met_by))
    }

    fn preparation_finding(&self) -> Option<Finding> {
        let Some(prepared) = self.prepared() else {
            let met_by = match (self.trouble(), self.wanted_basis()) {
                (Some(trouble), _) => format!("the merge, which is tried again: {trouble}"),
                (None, None) => "the return of the base branch, which is gone".to_owned(),
                (None, Some(_)) => "the merge with the base and the plan, under way".to_owned(),
            };
            return Some(Finding::new(StatusState::Pending, wording::INITIALIZING, met_by));
        };
        match &prepared.result {
            Preparation::Conflict { paths } => Some(Finding::new(
                StatusState::Failure,
                wording::CONFLICTS,
                format!("a new head that merges, see {}", paths.join(", ")),
            )),
            Preparation::Invalid { first, findings } => Some(Finding::new(
                StatusState::Failure,
                first.clone(),
                format!("a new head that mends:\n{}", findings.join("\n")),
            )),
            Preparation::Planned { .. } => None,
        }
    }

    fn may_run_finding(&self, outline: &Outline) -> Option<Finding> {
        let MayRun::No(reason) = self.may_run() else { return None };
        outline.required().next()?;
        let head = self.facts().map(|facts| facts.head.sha.short()).unwrap_or_default();
        let (state, description, met_by) = match reason {
            Reason::PolicyUnknown => (
                StatusState::Pending,
                wording::INITIALIZING.to_owned(),
                "a valid policy".to_owned(),
            ),
            Reason::DiskLow => (
                StatusState::Pending,
                "waiting for disk".to_owned(),
                "free space above the node's reserve".to_owned(),
            ),
            Reason::NoIsolation | Reason::ForkWithoutIsolation => (
                StatusState::Pending,
                format!("no isolation available: {}", self.config().isolation_trouble),
                "a node that can isolate jobs".to_owned(),
            ),
            Reason::ForksNever => (
                StatusState::Failure,
                "forks are not built".to_owned(),
                "the same change on a branch of this repository".to_owned(),
            ),
            Reason::AwaitingApproval => (
                StatusState::Pending,
                format!("awaiting approval to run {head}"),
                format!("`/ci run {head}` or an approving review by someone with write access"),
            ),
        };
        Some(Finding::new(state, description, met_by))
    }

    fn people_findings(&self) -> Vec<Finding> {
        let pending = |description: &str, met_by: String| {
            Finding::new(StatusState::Pending, description, met_by)
        };
        let mut findings = Vec::new();
        if self.facts().is_some_and(|facts| facts.draft) {
            findings.push(pending("draft", "marking it as ready for review".to_owned()));
        }
        let rule = self.policy().mergeable;
        let objectors: Vec<String> = self.objectors().iter().map(ToString::to_string).collect();
        if rule.block_on_changes_requested && !objectors.is_empty() {
            let who = objectors.join(", ");
            findings.push(pending("changes requested", format!("approval or dismissal of {who}")));
        }
        let approvals = self.approvers().len();
        let wanted = usize::try_from(rule.approvals).unwrap_or(usize::MAX);
        if approvals < wanted {
            let met_by = format!(
                "approval by {} more with write access (has {approvals} of {wanted})",
                wanted - approvals
            );
            findings.push(pending("awaiting approval", met_by));
        }
        findings
    }
}

impl Outline {
    /// Sorts the required jobs by what keeps them from counting as passed.
    #[must_use]
    pub fn sort_required<'a>(
        &'a self,
        outcomes: &BTreeMap<JobId, Outcome>,
        is_approved: bool,
    ) -> Required<'a> {
        let mut required =
            Required { missing: self.missing.iter().collect(), ..Required::default() };
        for (id, job) in self.required() {
            let is_blocked = self.is_blocked(id, outcomes);
            match outcomes.get(id).map(|outcome| &outcome.result) {
                Some(JobResult::Passed) => {}
                Some(JobResult::Failed) => required.failed.push(id),
                Some(JobResult::Crashed { .. } | JobResult::Cancelled) if is_blocked => {}
                Some(JobResult::Crashed { .. }) => required.crashed.push(id),
                Some(JobResult::Cancelled) => required.cancelled.push(id),
                None if is_blocked || (job.when == When::Approved && !is_approved) => {}
                None => required.unfinished.push(id),
            }
        }
        required
    }
}

/// A row that applies, with its words.
struct Finding {
    state: StatusState,
    description: String,
    unmet: Unmet,
}

impl Finding {
    fn new(state: StatusState, description: impl Into<String>, met_by: impl Into<String>) -> Self {
        let description = description.into();
        let unmet = Unmet { condition: description.clone(), met_by: met_by.into() };
        Self { state, description, unmet }
    }
}

/// One finding for each kind of job trouble; the words of the first hold those of the others too.
fn job_findings(required: &Required<'_>) -> Vec<Finding> {
    let failed = "a new head that mends it, or `/ci retry`";
    let rows = [
        (StatusState::Failure, wording::jobs_are(&required.failed, "failed"), failed),
        (
            StatusState::Failure,
            wording::jobs_are(&required.missing, "missing"),
            "a new head that defines the job, or a policy that does not require it",
        ),
        (StatusState::Error, wording::jobs_are(&required.crashed, "crashed"), "`/ci retry`"),
        (StatusState::Error, wording::jobs_are(&required.cancelled, "cancelled"), "`/ci retry`"),
        (StatusState::Pending, wording::awaiting_jobs(&required.unfinished), "their end"),
    ];
    let mut findings: Vec<Finding> = rows
        .into_iter()
        .filter_map(|(state, words, met_by)| Some(Finding::new(state, words?, met_by)))
        .collect();
    let all: Vec<String> = findings.iter().map(|finding| finding.description.clone()).collect();
    if let Some(first) = findings.first_mut() {
        first.description = all.join("; ");
    }
    findings
}

#[cfg(test)]
mod tests;
