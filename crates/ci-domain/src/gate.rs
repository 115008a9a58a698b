//! Whether a pull request can be merged, as one state and one sentence, and what is missing.
//!
//! The first row that applies decides:
//!
//! | condition | state |
//! |---|---|
//! | quarantined | error |
//! | conflict with the base | failure |
//! | not merged and planned yet, or no room or isolation for what is left to run | pending |
//! | pipeline files invalid | failure |
//! | commands of the head may not run, and it has jobs | pending, or failure where they never may |
//! | a required job failed or is missing | failure |
//! | a required job crashed or was cancelled | error |
//! | a required job unfinished | pending |
//! | draft, changes requested, not approved | pending |
//! | otherwise | success |

mod people;
mod required;

use crate::forge::StatusState;
use crate::ids::JobId;
use crate::may_run::{Disk, MayRun, Reason};
use crate::outline::{Outline, Preparation};
use crate::pipeline::When;
use crate::pull::Pull;
use crate::wording;

pub use required::Required;

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
            let outcomes = self.outcomes();
            let required = outline.sort_required(&outcomes, self.is_approved());
            let blocked = outline.blocked(&outcomes);
            let is_stuck = required.unfinished.iter().any(|id| blocked.contains(id));
            let (about_head, about_node) = self.may_run_findings(outline, &required);
            findings.extend(about_head);
            let of_jobs = job_findings(&required, is_stuck);
            // A known failure is told even while other jobs cannot start.
            let is_known =
                of_jobs.first().is_some_and(|finding| finding.state != StatusState::Pending);
            let (before, after) = if is_known { (None, about_node) } else { (about_node, None) };
            findings.extend(before.into_iter().chain(of_jobs).chain(after));
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
            let words = match self.disk() {
                Disk::Low => wording::WAITING_FOR_DISK,
                Disk::Ok => wording::INITIALIZING,
            };
            return Some(Finding::new(StatusState::Pending, words, met_by));
        };
        match &prepared.result {
            Preparation::Conflict { paths } => Some(Finding::new(
                StatusState::Failure,
                wording::CONFLICTS,
                wording::mend_conflicts(paths),
            )),
            Preparation::Invalid { first, findings } => Some(Finding::new(
                StatusState::Failure,
                first.clone(),
                format!("{} that mends:\n{}", wording::who_mends(first), findings.join("\n")),
            )),
            Preparation::Planned { .. } => None,
        }
    }

    /// What keeps commands from running: about the head, and about the node. The state of the node is
    /// of no interest once all have run; leave to run a fork's head is asked for in any case.
    fn may_run_findings(
        &self,
        outline: &Outline,
        required: &Required<'_>,
    ) -> (Option<Finding>, Option<Finding>) {
        let MayRun::No(reason) = self.may_run() else { return (None, None) };
        if matches!(reason, Reason::ForksNever | Reason::AwaitingApproval) {
            (outline.required().next().map(|_| self.obstacle(reason)), None)
        } else {
            (None, required.unfinished.first().map(|_| self.obstacle(reason)))
        }
    }

    fn obstacle(&self, reason: Reason) -> Finding {
        let head = self.facts().map(|facts| facts.head.sha.short()).unwrap_or_default();
        let (state, description, met_by) = match reason {
            Reason::PolicyUnknown => (
                StatusState::Pending,
                wording::INITIALIZING.to_owned(),
                "a valid policy".to_owned(),
            ),
            Reason::DiskLow => (
                StatusState::Pending,
                wording::WAITING_FOR_DISK.to_owned(),
                "free space above the node's reserve".to_owned(),
            ),
            Reason::NoIsolation | Reason::ForkWithoutIsolation => (
                StatusState::Pending,
                wording::no_isolation(
                    &self
                        .policy()
                        .sandbox
                        .trouble_on(self.config().isolation, &self.config().isolation_trouble),
                ),
                "a node that can isolate jobs".to_owned(),
            ),
            Reason::ForksNever => (
                StatusState::Failure,
                wording::FORKS_ARE_NOT_BUILT.to_owned(),
                "the same change on a branch of this repository".to_owned(),
            ),
            Reason::AwaitingApproval => (
                StatusState::Pending,
                format!("awaiting approval to run {head}"),
                format!("`/ci run {head}` or an approving review by someone with write access"),
            ),
        };
        Finding::new(state, description, met_by)
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
fn job_findings(required: &Required<'_>, is_stuck: bool) -> Vec<Finding> {
    let failed = "a new head that mends it, or `/ci retry`";
    let end = match is_stuck {
        true => "their end; `/ci retry` runs the optional job that blocks them",
        false => "their end",
    };
    let missing = "a new head that defines the job, or a policy that does not require it";
    let means = [failed, missing, "`/ci retry`", "`/ci retry`", end];
    let mut findings: Vec<Finding> = required
        .rows()
        .into_iter()
        .zip(means)
        .filter_map(|((state, words), met_by)| Some(Finding::new(state, words?, met_by)))
        .collect();
    let all: Vec<String> = findings.iter().map(|finding| finding.description.clone()).collect();
    if let Some(first) = findings.first_mut() {
        first.description = all.join("; ");
    }
    findings
}

#[cfg(test)]
mod tests;
