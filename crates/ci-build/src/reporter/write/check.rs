//! How a check run is written: what it shows, and which of its marks are next.

use ci_domain::forge::{CheckState, CheckWrite};
use ci_domain::ids::RepoName;
use ci_domain::report::Standing;
use ci_domain::wording::{self, Marks};
use ci_github::{Forge, ForgeError};

use super::{Findings, TAIL_LINES, TailSource, Written};
use crate::reporter::book::{DueCheck, ToldCheck, reference};

/// Adds a check run or changes one; where it turns out to show everything already, nothing is sent.
pub(super) async fn carry_out(
    due: &DueCheck,
    forge: &dyn Forge,
    repo: &RepoName,
    tails: &dyn TailSource,
) -> Result<Written, ForgeError> {
    let (stands, state) = (&due.wish.stands, due.wish.stands.state());
    let reference = match (stands, &due.upon) {
        (Standing::Unwanted, Some(told)) => told.reference.clone(),
        _ => reference(stands),
    };
    let findings = stands.attempt().map(|attempt| tails.findings(attempt)).unwrap_or_default();
    let is_same = |told: &&ToldCheck| told.state.has_ended() && told.reference == reference;
    let there = due.upon.as_ref().filter(is_same);
    let sent = there.map_or(0, |told| told.marks);
    let next = findings.marks.iter().skip(sent).take(CheckWrite::MARKS_AT_ONCE);
    let annotations: Vec<_> = next.cloned().collect();
    let marks = sent + annotations.len();
    let is_complete = marks >= findings.marks.len();
    let is_shown = annotations.is_empty() && there.is_some_and(|told| told.state == state);
    let id = match &due.upon {
        Some(told) if is_shown => told.id,
        upon => {
            let check = CheckWrite {
                name: due.key.1.clone(),
                reference: reference.clone(),
                state,
                details_url: due.wish.url.clone(),
                title: wording::check_title(stands),
                summary: summary(due, repo, tails, &findings),
                annotations,
            };
            match upon {
                Some(told) => forge.update_check(repo, told.id, &check).await.map(|()| told.id)?,
                None => forge.create_check(repo, &due.key.0, &check).await?,
            }
        }
    };
    let told = ToldCheck { id, reference, state, marks, is_complete };
    Ok(Written::Check { key: due.key.clone(), told })
}

fn summary(due: &DueCheck, repo: &RepoName, tails: &dyn TailSource, findings: &Findings) -> String {
    let stands = &due.wish.stands;
    let is_well = matches!(stands.state(), CheckState::Success | CheckState::Cancelled);
    let attempt = stands.attempt().filter(|_| !is_well);
    let tail = attempt.map(|attempt| tails.tail(repo, attempt, TAIL_LINES)).unwrap_or_default();
    let marks = Marks { shown: findings.marks.len(), found: findings.found };
    wording::check_summary(stands, due.wish.url.as_deref(), &tail, marks)
}
