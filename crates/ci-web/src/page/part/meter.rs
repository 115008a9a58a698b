//! How far a job is beside how long it usually takes.

use std::time::SystemTime;

use super::super::html::{Html, html};
use crate::moment::millis;
use crate::wire::{Job, JobState};

/// The steps in which it grows, so that a page is not another one every second.
const STEPS: u64 = 20;
/// How wide it is drawn.
const WIDTH: u64 = 140;

/// A bar as long as the job took, with a line where it usually ends.
pub(in crate::page) fn meter(job: &Job, usual_ms: Option<u64>) -> Html {
    let passed = match (job.since_ms, job.duration_ms) {
        (Some(since), _) => millis(SystemTime::now()).saturating_sub(since),
        (None, Some(duration)) if job.state != JobState::Cancelled => duration,
        (None, _) => return Html::default(),
    };
    let Some(usual) = usual_ms.filter(|usual| *usual > 0) else { return Html::default() };
    let (part, line) = lengths(passed, usual);
    html!(
        r#"<svg class="meter hide-phone" viewBox="0 0 {} 10" preserveAspectRatio="none" aria-hidden="true"><rect class="rest" width="{}" height="10" rx="3"/><rect class="part" width="{}" height="10" rx="3"/><rect class="usual" x="{}" width="2" height="10"/></svg> "#,
        WIDTH,
        WIDTH,
        part,
        line
    )
}

/// How long the bar is, and where the line.
fn lengths(passed: u64, usual: u64) -> (u64, u64) {
    // What takes longer than usual fills all of it, and the line moves to the left.
    let whole = (usual * 5 / 4).max(passed).max(1);
    let step = |time: u64| time.saturating_mul(STEPS).div_ceil(whole).min(STEPS) * WIDTH / STEPS;
    (step(passed), (usual.saturating_mul(WIDTH) / whole).min(WIDTH - 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_where_the_job_usually_ends() {
        assert_eq!(lengths(0, 1000), (0, 112));
        assert_eq!(lengths(500, 1000), (56, 112));
        assert_eq!(lengths(1250, 1000), (140, 112));
        assert_eq!(lengths(4000, 1000), (140, 35));
    }
}
