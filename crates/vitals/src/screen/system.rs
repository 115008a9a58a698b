//! The figures of the process, its runtime and its inspector.

use heights_vitals::wire::Tier;

use super::model::Model;
use crate::text::{blocks, known, share, span};

/// One figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    pub name: &'static str,
    pub value: String,
    /// Whether it deserves to be seen.
    pub alarming: bool,
}

/// A runtime that is silent for longer is worth a word.
pub const SILENT_MS: u64 = 1_000;

/// Returns all figures in the order in which they are shown.
pub fn figures(model: &Model) -> Vec<Figure> {
    let mut figures = process(model);
    figures.extend(runtime(model));
    figures.extend(inspector(model));
    figures
}

fn process(model: &Model) -> Vec<Figure> {
    let (hello, tree) = (&model.picture.hello, &model.picture.tree);
    let restarts: u64 = tree.actors.iter().filter_map(|actor| actor.restarts).map(u64::from).sum();
    let waiting: u64 = tree.actors.iter().filter_map(|actor| actor.mailbox).sum();
    vec![
        calm("name", hello.name.clone()),
        calm("version", hello.version.clone()),
        calm("process", hello.os_pid.to_string()),
        calm("inspected for", span(tree.taken_ms.saturating_sub(hello.started_ms))),
        calm("actors", tree.total.to_string()),
        calm("messages that wait", waiting.to_string()),
        calm("messages a second", known(model.paces.back())),
        calm("restarts", restarts.to_string()),
        calm("crashes remembered", model.picture.crashes.len().to_string()),
    ]
}

fn runtime(model: &Model) -> Vec<Figure> {
    let runtime = model.picture.runtime.as_ref();
    let silent = runtime.map(|runtime| runtime.silent_ms);
    let mut figures = vec![
        calm("threads", known(runtime.map(|runtime| runtime.workers))),
        calm("tasks", known(runtime.map(|runtime| runtime.tasks))),
        calm("tasks that wait", known(runtime.map(|runtime| runtime.queued))),
        Figure {
            name: "silent for",
            value: known(silent.map(span)),
            alarming: silent > Some(SILENT_MS),
        },
    ];
    let blocked = runtime.map(|runtime| runtime.blocked.as_slice()).unwrap_or_default();
    figures.extend(blocked.iter().map(|blocked| Figure {
        name: "blocked thread",
        value: blocks(blocked),
        alarming: true,
    }));
    figures
}

fn inspector(model: &Model) -> Vec<Figure> {
    let runtime = model.picture.runtime.as_ref();
    let used = runtime.and_then(|runtime| runtime.inspector_cpu_us);
    let tier = match model.picture.hello.tier {
        Tier::Read => "read",
        Tier::Trace => "read, trace",
        Tier::Control => "read, trace, control",
    };
    let mut figures = vec![
        calm("it allows", tier.to_owned()),
        calm("inspector's time", known(used.map(|used| format!("{} ms", used / 1_000)))),
    ];
    if let Some(cost) = runtime.and_then(|runtime| runtime.cost) {
        let value =
            format!("{} of one core, {} at most", share(cost.cpu_ppm), share(cost.budget_ppm));
        let alarming = cost.cpu_ppm > cost.budget_ppm;
        figures.push(Figure { name: "inspector's cost", value, alarming });
        figures.push(calm("clients", format!("{} of {}", cost.clients, cost.clients_max)));
        let kept = format!("{} delayed, {} refused", cost.delayed, cost.refused);
        figures.push(calm("answers kept in budget", kept));
    }
    figures
}

fn calm(name: &'static str, value: String) -> Figure {
    Figure { name, value, alarming: false }
}
