//! The commands of an attempt on a common line of time.

use std::time::SystemTime;

use super::super::html::{Html, html};
use super::super::icon;
use super::super::time::lasting;
use super::{local_id, standing};
use crate::moment::{millis, words};
use crate::wire::{Command, JobRun};

/// How wide the line is drawn.
const WIDTH: u64 = 1000;
/// The steps in which what runs grows, so that the page is not another one every second.
const STEPS: u64 = 50;
/// Nothing is drawn narrower.
const NARROWEST: u64 = 6;
/// The deepest indentation that the stylesheet knows.
const DEEPEST: usize = 9;

/// A table with a bar for each.
pub(super) fn table(run: &JobRun) -> Html {
    let Some(first) = run.commands.iter().map(|command| command.started_ms).min() else {
        return html!("<p>No command has started.</p>");
    };
    let now = millis(SystemTime::now());
    let end = |command: &Command| match command.duration_ms {
        Some(duration) => command.started_ms + duration,
        None if run.ended => command.started_ms,
        None => now,
    };
    let last = run.commands.iter().map(end).max().unwrap_or(first);
    let whole = last.saturating_sub(first).max(1);
    let shallowest = run.commands.iter().map(depth).min().unwrap_or_default();
    let row = |command: &Command| {
        let from = place(command.started_ms.saturating_sub(first), whole);
        let to = place(end(command).saturating_sub(first), whole);
        row(command, run.ended, (from, to), depth(command) - shallowest)
    };
    html!(
        r#"<h2>Commands</h2><div class="wide" tabindex="0"><table class="steps"><thead><tr><th>Command</th><th>When</th><th>Time</th><th>Ended</th></tr></thead><tbody>{}</tbody></table></div>"#,
        run.commands.iter().map(row).collect::<Html>()
    )
}

/// Where a moment is on the line, to a step.
fn place(passed: u64, whole: u64) -> u64 {
    (passed.saturating_mul(STEPS) / whole).min(STEPS) * WIDTH / STEPS
}

/// How deep in the tree a command is: `0.2-1` is below `0-1`.
fn depth(command: &Command) -> usize {
    local_id(command).matches('.').count()
}

fn row(command: &Command, has_ended: bool, (from, to): (u64, u64), depth: usize) -> Html {
    let (tone, state) = standing(command, has_ended);
    let time = match command.duration_ms {
        Some(duration) => html!("{}", words(duration)),
        None if has_ended => Html::default(),
        None => lasting(command.started_ms),
    };
    let from = from.min(WIDTH - NARROWEST);
    html!(
        r##"<tr class="{}"><td class="depth{}">{} <a href="#{}"><code>{}</code></a></td><td><svg class="span" viewBox="0 0 {} 10" preserveAspectRatio="none" aria-hidden="true"><rect class="rest" width="{}" height="10"/><rect class="part" x="{}" width="{}" height="10"/></svg></td><td>{}</td><td>{}</td></tr>"##,
        tone.class(),
        depth.min(DEEPEST),
        icon::shape(tone),
        local_id(command),
        command.title,
        WIDTH,
        WIDTH,
        from,
        to.saturating_sub(from).max(NARROWEST),
        time,
        state
    )
}
