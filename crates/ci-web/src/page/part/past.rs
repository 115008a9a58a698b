//! Builds that there were, as rows of a history.

use ci_build::{PastBuild, PastJob};
use ci_domain::ids::JobId;
use ci_domain::outcome::JobResult;

use super::super::html::{Html, html};
use super::super::icon::{self, Tone};
use super::short;

/// What became of a build.
pub(in crate::page) fn standing(build: &PastBuild) -> (Tone, String) {
    let count = |is_meant: fn(&JobResult) -> bool| {
        build.jobs.values().filter(|job| is_meant(&job.result)).count()
    };
    let passed = count(JobResult::is_passed);
    let failed = count(|result| matches!(result, JobResult::Failed));
    let crashed = count(|result| matches!(result, JobResult::Crashed { .. }));
    let cancelled = count(|result| matches!(result, JobResult::Cancelled));
    let mut words = match build.jobs.len() {
        0 => "no job has ended".to_owned(),
        all => format!("{passed} of {all} jobs passed"),
    };
    if cancelled > 0 {
        words += &format!(", {cancelled} cancelled");
    }
    if build.superseded {
        words += ", given up for a newer build";
    }
    let tone = match (crashed, failed, build.jobs.len() - passed) {
        (1.., ..) => Tone::Broken,
        (_, 1.., _) => Tone::Bad,
        (_, _, 1..) => Tone::Mute,
        _ if build.superseded || build.jobs.is_empty() => Tone::Mute,
        _ => Tone::Good,
    };
    (tone, words)
}

/// One build of what has its page at `page`, with the ways to the jobs that did not pass. The build
/// `under_way` has not come to its end.
pub(in crate::page) fn row(
    page: &str,
    build: &PastBuild,
    under_way: Option<u64>,
    note: &str,
) -> Html {
    let (tone, words) = match standing(build) {
        (Tone::Good | Tone::Mute, words) if under_way == Some(build.number.0) => {
            (Tone::Live, words)
        }
        standing => standing,
    };
    let is_bad = |job: &PastJob| !matches!(job.result, JobResult::Passed | JobResult::Cancelled);
    let bad = build.jobs.iter().filter(|(_, job)| is_bad(job));
    html!(
        r#"<li class="{}">{}<div><p><code>{}</code> <span class="quiet">build {}{}</span></p><p class="quiet">{}{}</p></div></li>"#,
        tone.class(),
        icon::shape(tone),
        short(build.head.as_str()),
        build.number,
        note,
        words,
        bad.map(|(id, job)| link(page, id, job)).collect::<Html>()
    )
}

fn link(page: &str, id: &JobId, job: &PastJob) -> Html {
    html!(r#" · <a href="{}/jobs/{}">{} {}</a>"#, page, job.attempt, id, job.result.word())
}
