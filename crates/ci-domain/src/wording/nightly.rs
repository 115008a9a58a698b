//! What is said of nightly jobs.

use std::fmt::Write as _;

use super::comments::{MAX_COMMENT, entry};
use super::outside::{inline, shell_word};
use super::{FailedJob, names, needs};
use crate::branch::NightStanding;
use crate::ids::{CommitSha, JobId};
use crate::nightly::{Day, Mention};
use crate::subject::Subject;

/// The comment about a nightly job that failed. Who is called stands before all that comes from outside,
/// and nothing of that can call anybody: names are in code, and so are logs.
#[must_use]
pub fn nightly_failure(
    subject: &Subject,
    head: &CommitSha,
    night: (Day, Option<&Mention>),
    failed: &FailedJob,
) -> String {
    let (day, mention) = night;
    let mut text = mention.map(|mention| format!("{mention}: ")).unwrap_or_default();
    let name = match subject {
        Subject::Branch(name) => name.to_string(),
        Subject::Pull(number) => number.to_string(),
    };
    let _ = writeln!(text, "nightly job of {day} on {}, at {}:", inline(&name), head.short());
    let command = format!("ci-node nightly force {} {}", shell_word(&name), failed.job);
    let again = format!("say {}", inline(&command));
    let budget = MAX_COMMENT.saturating_sub(text.len());
    text + &entry(failed, &again, budget)
}

/// How a nightly job stands.
#[must_use]
pub fn night_standing(standing: &NightStanding) -> String {
    let all = |jobs: &[JobId]| names(&jobs.iter().collect::<Vec<_>>());
    match standing {
        NightStanding::UnderWay => "under way".to_owned(),
        NightStanding::Due => "due".to_owned(),
        NightStanding::Blocked(by) => needs(&by.iter().collect::<Vec<_>>()),
        NightStanding::Awaits(jobs) => format!("awaiting {}", all(jobs)),
        NightStanding::AwaitsTip => "awaiting the branch's own jobs".to_owned(),
        NightStanding::RanToday => "has run today".to_owned(),
        NightStanding::RanOnTip => "has run on this commit".to_owned(),
        NightStanding::AwaitsWindow => "awaiting the night".to_owned(),
    }
}
