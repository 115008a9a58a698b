//! The words of check runs.

use std::fmt::Write as _;

use super::comments::{MAX_COMMENT, fit};
use super::outside::{fence_around, inline};
use super::statuses::cut;
use crate::ids::{ComponentName, JobId, JobName};
use crate::outcome::JobResult;
use crate::report::Standing;

/// What is known of the marks of a check run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// How many it has, or will have.
    pub shown: usize,
    /// How many lines of code were found to be marked.
    pub found: usize,
}

/// What the check run of a job is called.
#[must_use]
pub fn check_name(node: &str, job: &JobId) -> String {
    format!("continuous-integration/{node}/{job}")
}

/// The job whose check run is called that, if it is one of the node's.
#[must_use]
pub fn job_of_check(node: &str, name: &str) -> Option<JobId> {
    let rest = name.strip_prefix("continuous-integration/")?.strip_prefix(node)?;
    let (component, job) = rest.strip_prefix('/')?.rsplit_once(':')?;
    Some(JobId { component: ComponentName::new(component).ok()?, job: JobName::new(job).ok()? })
}

/// The title of the check run of a job that stands so.
#[must_use]
pub fn check_title(stands: &Standing) -> String {
    match stands {
        Standing::Running => "running".to_owned(),
        Standing::Unwanted => "not needed any more".to_owned(),
        Standing::Ended { result: JobResult::Failed, optional: true, .. } => {
            "failed, which does not block".to_owned()
        }
        Standing::Ended { result: JobResult::Crashed { reason }, .. } => {
            cut(&format!("crashed: {}", super::plain(reason)))
        }
        Standing::Ended { result, .. } => result.word().to_owned(),
    }
}

/// What stands below the title: where the log is, how its end reads, and how many lines are marked.
#[must_use]
pub fn check_summary(
    stands: &Standing,
    url: Option<&str>,
    tail: &[String],
    marks: Marks,
) -> String {
    let mut text = match (stands, url) {
        (Standing::Unwanted, _) | (_, None) => "Nothing waits for this job any more.\n".to_owned(),
        (Standing::Running, Some(url)) => format!("[How far it is]({url})\n"),
        (Standing::Ended { .. }, Some(url)) => format!("[Log]({url})\n"),
    };
    if let Standing::Ended { result: JobResult::Crashed { reason }, .. } = stands {
        let _ = writeln!(text, "\nThe machinery broke, not the work: {}", inline(reason));
    }
    if marks.found > marks.shown {
        let Marks { shown, found } = marks;
        let _ = writeln!(text, "\n{found} lines of code were found to be marked; {shown} are.");
    }
    let lines = fit(tail, MAX_COMMENT / 2);
    if !lines.is_empty() {
        let fence = fence_around(&lines);
        let _ = write!(text, "\n{fence}text\n{lines}{fence}\n");
    }
    text
}
