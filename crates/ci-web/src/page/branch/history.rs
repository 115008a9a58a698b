//! What became of earlier pushes and nights.

use ci_build::PastBuild;

use super::super::html::{Html, html};
use super::super::part::{self, standing};
use super::chart::{self, Run};
use crate::moment::duration_ms;
use crate::wire::{NightlyJob, NightlyRun};

/// Pushes of which there is a row; the charts show more.
const ROWS: usize = 15;

/// How long the builds took, and what share of them passed.
pub(super) fn charts(builds: &[PastBuild]) -> Html {
    // What was given up says nothing about how long it takes.
    let has_ended = |build: &&PastBuild| !build.superseded && !build.jobs.is_empty();
    let ended = builds.iter().rev().filter(has_ended);
    let run = |build: &PastBuild| Run {
        name: format!("build {}, {}", build.number, standing(build).1),
        tone: standing(build).0,
        duration_ms: build.jobs.values().map(|job| duration_ms(job.duration)).sum(),
    };
    let runs: Vec<Run> = ended.map(run).collect();
    if runs.is_empty() {
        return Html::default();
    }
    html!(
        r#"<h2>Time in jobs</h2><div class="sheet">{}</div><h2>Builds that passed</h2><div class="sheet">{}</div>"#,
        chart::durations("durations", "Time in jobs of each build", &runs),
        chart::pass_rate("passed", "Share of builds that passed, over ten each", &runs)
    )
}

/// The newest builds.
pub(super) fn list(page: &str, under_way: Option<u64>, builds: &[PastBuild]) -> Html {
    if builds.is_empty() {
        return Html::default();
    }
    let rows: Html =
        builds.iter().take(ROWS).map(|build| part::past(page, build, under_way, "")).collect();
    html!(r#"<h2>History</h2><ul class="rows">{}</ul>"#, rows)
}

/// How long the nights of one job took.
pub(super) fn nights(night: &NightlyJob) -> Html {
    if night.runs.is_empty() {
        return Html::default();
    }
    let run = |run: &NightlyRun| Run {
        name: format!("{}, {}", run.day, run.job.state.words()),
        tone: run.job.state.into(),
        duration_ms: run.job.duration_ms.unwrap_or(0),
    };
    let runs: Vec<Run> = night.runs.iter().rev().map(run).collect();
    let id: String = night.job.job.chars().filter(char::is_ascii_alphanumeric).collect();
    let title = format!("Nights of {}", night.job.job);
    html!(
        r#"<h3>{}</h3><div class="sheet">{}</div>"#,
        title,
        chart::durations(&format!("nights-{id}"), &title, &runs)
    )
}
