//! What the pages of pull requests and of branches have in common.

mod meter;
mod past;

use super::html::{Html, Show, html};
use super::icon::{self, Tone};
use super::time::lasting;
use crate::ask::Usual;
use crate::moment::words;
use crate::wire::{Job, JobState};

pub(super) use self::meter::meter;
pub(super) use self::past::{row as past, standing};

/// Digits of a commit that people are shown.
const SHORT: usize = 12;

/// The beginning of a commit.
pub(super) fn short(commit: &str) -> String {
    commit.chars().take(SHORT).collect()
}

/// Text in which words to be typed, and names, stand between backticks, as in a comment.
pub(super) fn marked(text: &str) -> Html {
    let parts: Vec<&str> = text.split('`').collect();
    // An even number of parts has a backtick that nothing closes, and an empty one is longer than one sign.
    if parts.len().is_multiple_of(2) || parts.iter().skip(1).step_by(2).any(|part| part.is_empty())
    {
        return html!("{}", text);
    }
    let part = |(at, part): (usize, &&str)| match at % 2 {
        0 => html!("{}", part),
        _ => html!("<code>{}</code>", part),
    };
    parts.iter().enumerate().map(part).collect()
}

/// What is wrong with the pipeline and with the policy.
pub(super) fn findings(findings: &[String], policy_error: Option<&String>) -> Html {
    let list = |title: &str, texts: &[String]| {
        let items: Html = texts.iter().map(|text| html!("<li><pre>{}</pre></li>", text)).collect();
        html!(r#"<h2>{}</h2><ul class="trouble">{}</ul>"#, title, items)
    };
    let mut found = Html::default();
    if !findings.is_empty() {
        found.push(&list("What is wrong with the pipeline", findings));
    }
    if let Some(error) = policy_error {
        let title = "The newest policy does not hold";
        found.push(&list(title, std::slice::from_ref(error)));
    }
    found
}

/// Of several jobs one wants to know this first: the higher, the sooner.
pub(super) fn urgency(state: JobState) -> u8 {
    match state {
        JobState::Crashed => 9,
        JobState::Failed => 8,
        JobState::Cancelled => 7,
        JobState::Running | JobState::Cancelling => 6,
        JobState::Waiting => 5,
        JobState::AwaitingApproval => 4,
        JobState::Pending => 3,
        JobState::Blocked => 2,
        JobState::Passed => 1,
    }
}

/// Jobs in the order in which one wants to know of them.
pub(super) fn urgent_first(jobs: &[Job]) -> Vec<&Job> {
    let mut jobs: Vec<&Job> = jobs.iter().collect();
    jobs.sort_by_key(|job| std::cmp::Reverse(urgency(job.state)));
    jobs
}

/// The rows of a table of jobs.
pub(super) struct Jobs<'a> {
    /// Where the page of what they are for is.
    pub(super) page: &'a str,
    /// How long they usually take.
    pub(super) usual: &'a Usual,
}

impl Jobs<'_> {
    /// One row.
    pub(super) fn row(&self, job: &Job, note: impl Show, form: Option<Html>) -> Html {
        let name = match &job.attempt {
            Some(attempt) => {
                html!(r#"<a class="name" href="{}/jobs/{}">{}</a>"#, self.page, attempt, job.job)
            }
            None => html!(r#"<span class="name">{}</span>"#, job.job),
        };
        let usual = self.usual.get(&job.job).copied();
        html!(
            r#"<tr class="{}"><td>{}</td><td>{}<span class="note">{}</span><span class="note">{}</span></td><td>{}{}</td><td>{}</td></tr>"#,
            Tone::from(job.state).class(),
            icon::badge(job.state.into(), job.state.words()),
            name,
            note,
            why(job),
            meter(job, usual),
            time(job, usual),
            form.unwrap_or_default()
        )
    }
}

/// What a job waits for, or why it broke.
fn why(job: &Job) -> Html {
    match (&job.queue, &job.reason) {
        (Some(queue), Some(reason)) => html!("in queue {}, {}", queue, reason),
        (Some(queue), None) => html!("in queue {}", queue),
        (None, Some(reason)) => html!("{}", reason),
        (None, None) => Html::default(),
    }
}

/// How long a job took or takes, beside how long it usually does.
pub(super) fn time(job: &Job, usual_ms: Option<u64>) -> Html {
    let usual =
        usual_ms.map(|usual| html!(r#" <span class="quiet">usually {}</span>"#, words(usual)));
    let usual = usual.unwrap_or_default();
    match (job.since_ms, job.duration_ms, job.state) {
        (Some(since), ..) => html!("{}{}", lasting(since), usual),
        (_, Some(_), JobState::Cancelled) => Html::default(),
        (_, Some(duration), _) => html!("{}{}", words(duration), usual),
        (None, None, _) => usual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_typed_is_shown_as_code_and_nothing_else_is_markup() {
        for (text, expected) in [
            ("`/ci retry`, or a new head", "<code>/ci retry</code>, or a new head"),
            ("a `b` and `<c>`", "a <code>b</code> and <code>&lt;c&gt;</code>"),
            ("one ` alone", "one ` alone"),
            ("``` x ```", "``` x ```"),
            ("<b>", "&lt;b&gt;"),
        ] {
            assert_eq!(marked(text).as_str(), expected, "{text}");
        }
    }
}
