//! How tests went, on the page of a pull request and on that of a job.

use super::html::{Html, html};
use super::icon::{self, Tone};
use crate::wire::{JobTests, JudgedTest, Judgement};

/// More tests of one job than this are for programs.
const MAX_SHOWN: usize = 50;

/// A section with what is to be said of the tests; nothing where nobody told of any.
pub(super) fn section(page: &str, all: &[JobTests]) -> Html {
    if all.is_empty() {
        return Html::default();
    }
    let jobs: Html = all.iter().map(|tests| job(page, tests)).collect();
    html!(r#"<h2>Tests</h2><ul class="rows">{}</ul>"#, jobs)
}

/// How the tests of one attempt went, beside what else is on its page.
pub(super) fn of_attempt(tests: &JobTests) -> Html {
    let list = list(&tests.tests);
    html!("<h2>Tests</h2><p>{}</p>{}", counts(tests), list)
}

fn job(page: &str, tests: &JobTests) -> Html {
    let tone = match tests.failed {
        0 => Tone::Good,
        _ => Tone::Bad,
    };
    let words = if tests.failed == 0 { "passed" } else { "failed" };
    html!(
        r#"<li>{}<div><p><a href="{}/jobs/{}">{}</a> {}</p>{}</div></li>"#,
        icon::telling(tone, words),
        page,
        tests.attempt,
        tests.job,
        counts(tests),
        list(&tests.tests)
    )
}

/// The numbers, those of no interest left out.
fn counts(tests: &JobTests) -> String {
    let of = |judgement| tests.tests.iter().filter(|test| test.judgement == judgement).count();
    let new = of(Judgement::New);
    let new = if new > 0 { format!(" ({new} new)") } else { String::new() };
    let parts = [
        (tests.failed > 0).then(|| format!("{} failed{new}", tests.failed)),
        Some(format!("{} passed", tests.passed)),
        (tests.skipped > 0).then(|| format!("{} skipped", tests.skipped)),
        Some(of(Judgement::Flaky)).filter(|flaky| *flaky > 0).map(|flaky| format!("{flaky} flaky")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn list(tests: &[JudgedTest]) -> Html {
    let shown: Html = tests.iter().take(MAX_SHOWN).map(test).collect();
    let more = match tests.len().checked_sub(MAX_SHOWN) {
        Some(more) if more > 0 => html!(r#"<p class="quiet">And {} more.</p>"#, more),
        _ => Html::default(),
    };
    html!("{}{}", shown, more)
}

fn test(test: &JudgedTest) -> Html {
    let tone = match (test.judgement, test.fails) {
        (Judgement::New, _) => Tone::Bad,
        (Judgement::Known, _) => Tone::Broken,
        (Judgement::Flaky, _) => Tone::Wait,
    };
    let end = match (test.judgement, test.fails) {
        (Judgement::Flaky, true) => {
            ": passed and failed on the same inputs, the last time it failed"
        }
        (Judgement::Flaky, false) => {
            ": failed and passed on the same inputs, the last time it passed"
        }
        _ => "",
    };
    let place = match (&test.file, test.line) {
        (Some(file), Some(line)) => html!(r#" <span class="quiet">{}:{}</span>"#, file, line),
        (Some(file), None) => html!(r#" <span class="quiet">{}</span>"#, file),
        _ => Html::default(),
    };
    let summary =
        html!("{} <code>{}</code>{}", icon::badge(tone, test.judgement.words()), test.name, place);
    match test.message.as_deref().filter(|message| !message.is_empty()) {
        Some(message) => {
            html!("<details><summary>{}{}</summary><pre>{}</pre></details>", summary, end, message)
        }
        None => html!("<p>{}{}</p>", summary, end),
    }
}
