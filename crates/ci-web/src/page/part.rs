//! What the pages of pull requests and of branches have in common.

use std::time::SystemTime;

use super::html::{Html, Show, html};
use super::layout::job_badge;
use crate::moment::{millis, words};
use crate::wire::Job;

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

/// The components that are affected.
pub(super) fn affected(names: &[String]) -> Html {
    if names.is_empty() {
        return Html::default();
    }
    let one = |name: &String| html!("<li><code>{}</code></li>", name);
    let all: Html = names.iter().map(one).collect();
    html!(r#"<h2>Affected components</h2><ul class="inline">{}</ul>"#, all)
}

/// One row of the jobs of what has its page at `page`.
pub(super) fn job(page: &str, job: &Job, note: impl Show, form: Option<Html>) -> Html {
    let name = match &job.attempt {
        Some(attempt) => html!(r#"<a href="{}/jobs/{}">{}</a>"#, page, attempt, job.job),
        None => html!("{}", job.job),
    };
    html!(
        "<tr><td>{}</td><td>{}</td><td>{}{}</td><td>{}</td></tr>",
        job_badge(job.state),
        name,
        time(job),
        note,
        form.unwrap_or_default()
    )
}

/// How long a job took or takes, or what it waits for.
pub(super) fn time(job: &Job) -> Html {
    match (&job.queue, job.since_ms, job.duration_ms, &job.reason) {
        (.., Some(reason)) => html!("{}", reason),
        (Some(queue), ..) => html!("in queue {}", queue),
        (_, Some(since), ..) => {
            html!("for {}", words(millis(SystemTime::now()).saturating_sub(since)))
        }
        (_, _, Some(duration), _) => html!("{}", words(duration)),
        (None, None, None, None) => Html::default(),
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
