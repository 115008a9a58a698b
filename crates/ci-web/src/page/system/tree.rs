//! The supervision tree.

use std::collections::BTreeMap;

use heights::{Crash, ProcessId, ProcessInfo, ProcessState, TreeSnapshot, WaitingInfo};

use super::super::html::{Html, html};
use super::super::icon::{Tone, badge};
use super::super::time::lasting;
use crate::moment::{date, duration_ms, millis, words};

/// Crashes that are shown, the newest first.
const CRASHES: usize = 20;
/// Deepest indentation that the stylesheet knows.
const DEEPEST: usize = 9;

/// Children that wait to be started again.
pub(super) fn waiting(tree: &TreeSnapshot) -> Html {
    if tree.waiting.is_empty() {
        return Html::default();
    }
    let row = |waiting: &WaitingInfo| {
        let remaining = words(duration_ms(waiting.remaining));
        html!("<li><code>{}</code> is started again in {}</li>", waiting.path, remaining)
    };
    let rows: Html = tree.waiting.iter().map(row).collect();
    html!(r#"<h2>Waiting to be restarted</h2><ul class="trouble">{}</ul>"#, rows)
}

/// Every living process, below its supervisor.
pub(super) fn living(tree: &TreeSnapshot) -> Html {
    let mut families: BTreeMap<Option<ProcessId>, Vec<&ProcessInfo>> = BTreeMap::new();
    for process in &tree.processes {
        families.entry(process.parent).or_default().push(process);
    }
    let mut rows = Html::default();
    // Those whose rows come next, the first one last: siblings in the order of their start.
    let mut next: Vec<&ProcessInfo> = families.remove(&None).unwrap_or_default();
    while let Some(process) = next.pop() {
        rows.push(&row(process));
        let children = families.remove(&Some(process.pid)).unwrap_or_default();
        next.extend(children.into_iter().rev());
    }
    html!(
        "<h2>Processes</h2><div class=\"wide\" tabindex=\"0\"><table><thead><tr><th>Process</th><th>Age</th>\
         <th>Restarts</th><th>Handled</th><th>Waiting</th><th>Now</th></tr></thead>\
         <tbody>{}</tbody></table></div>",
        rows
    )
}

fn row(process: &ProcessInfo) -> Html {
    let depth = process.path.matches('/').count().min(DEEPEST);
    let state = match process.state {
        ProcessState::Running => Html::default(),
        ProcessState::Starting => badge(Tone::Wait, "starting"),
        ProcessState::Stopping => badge(Tone::Wait, "stopping"),
    };
    let figures = &process.figures;
    let queued = figures.queued.map(|queued| html!("{}", queued)).unwrap_or_default();
    let working = figures.working.as_ref();
    let working = working.map(|now| html!("<code>{}</code> for {}", now.label, since(now.since)));
    html!(
        r#"<tr><td class="depth{}" title="{}">{} {}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"#,
        depth,
        process.type_name,
        process.id,
        state,
        since(process.age),
        restarts(process.restarts()),
        figures.handled,
        queued,
        working.unwrap_or_default()
    )
}

/// How often it was started again, so that it is seen.
fn restarts(count: u32) -> Html {
    match count {
        0 => html!("0"),
        count => badge(Tone::Broken, &count.to_string()),
    }
}

/// How long something has lasted by now.
fn since(age: std::time::Duration) -> Html {
    lasting(millis(std::time::SystemTime::now()).saturating_sub(duration_ms(age)))
}

/// The newest crashes.
pub(super) fn crashes(tree: &TreeSnapshot) -> Html {
    if tree.crashes.is_empty() {
        return html!("<h2>Crashes</h2><p>There were none.</p>");
    }
    let row = |crash: &Crash| {
        let during = crash.last_label.map(|label| html!(" at <code>{}</code>", label));
        html!(
            "<li><code>{}</code>{}, {}<pre>{}</pre></li>",
            crash.path,
            during.unwrap_or_default(),
            date(millis(crash.at)),
            crash.exit
        )
    };
    let rows: Html = tree.crashes.iter().rev().take(CRASHES).map(row).collect();
    html!(r#"<h2>Crashes</h2><ul class="trouble">{}</ul>"#, rows)
}
