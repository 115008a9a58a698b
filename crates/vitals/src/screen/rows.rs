//! The rows of each view.

use heights_vitals::wire::{Actor, State};

use super::model::{Model, Order, View};
use crate::text::{self, known, span};

/// One line of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What stays the same when the row moves.
    pub key: String,
    /// The actor, if it is about one.
    pub path: Option<String>,
    pub cells: Vec<String>,
    /// Whether it deserves to be seen.
    pub alarming: bool,
}

/// A column: its head, and how wide it is; none is as wide as it can be.
pub type Column = (&'static str, Option<u16>);

/// Returns the columns of a view that fit, those that matter most first to stay.
pub fn columns(view: View, width: u16) -> Vec<(usize, Column)> {
    let all: &[(Column, u16)] = match view {
        // With each, the width of the screen from which it is shown.
        View::Tree => &[
            (("ACTOR", None), 0),
            (("PID", Some(7)), 60),
            (("STATE", Some(13)), 0),
            (("MBOX", Some(8)), 50),
            (("RESTARTS", Some(8)), 90),
            (("REMARKS", Some(40)), 110),
        ],
        View::Top => &[
            (("PID", Some(7)), 60),
            (("STATE", Some(13)), 0),
            (("MBOX", Some(8)), 0),
            (("OLDEST", Some(8)), 70),
            (("PEAK", Some(8)), 90),
            (("HANDLED", Some(10)), 100),
            (("HANDLING", Some(20)), 80),
            (("RST", Some(5)), 110),
            (("ACTOR", None), 0),
        ],
        View::Queues => &[
            (("LENGTH", Some(8)), 0),
            (("PEAK", Some(8)), 60),
            (("OLDEST", Some(8)), 0),
            (("DROPPED", Some(8)), 90),
            (("EACH", Some(9)), 70),
            (("DRAIN", Some(9)), 50),
            (("ACTOR", None), 0),
        ],
        View::Crashes => &[
            (("AGO", Some(8)), 0),
            (("FINGERPRINT", Some(11)), 100),
            (("MESSAGE", Some(14)), 80),
            (("ACTOR", Some(30)), 60),
            (("EXIT", None), 0),
        ],
        View::System => &[(("FIGURE", Some(24)), 0), (("VALUE", None), 0)],
    };
    let fits = all.iter().enumerate().filter(|(_, (_, from))| width >= *from);
    fits.map(|(at, (column, _))| (at, *column)).collect()
}

/// Returns the rows of the view, with a cell for each column that there is.
pub fn rows(model: &Model) -> Vec<Row> {
    match model.view {
        View::Tree => tree(model),
        View::Top => top(model),
        View::Queues => queues(model),
        View::Crashes => crashes(model),
        View::System => system(model),
    }
}

fn is_meant(model: &Model, path: &str) -> bool {
    model.filter.is_empty() || path.contains(&model.filter)
}

fn row(actor: &Actor, cells: Vec<String>) -> Row {
    let alarming = matches!(actor.state, State::Restarting | State::Suspended);
    Row { key: actor.path.clone(), path: Some(actor.path.clone()), cells, alarming }
}

fn tree(model: &Model) -> Vec<Row> {
    let actors = &model.picture.tree.actors;
    let mut hidden_below: Option<&str> = None;
    let mut rows = Vec::new();
    for actor in actors {
        if let Some(path) = hidden_below {
            if actor.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')) {
                continue;
            }
            hidden_below = None;
        }
        let folded = model.folded.contains(&actor.path);
        if folded {
            hidden_below = Some(&actor.path);
        }
        if is_meant(model, &actor.path) {
            rows.push(row(actor, tree_cells(actor, folded)));
        }
    }
    rows
}

fn tree_cells(actor: &Actor, folded: bool) -> Vec<String> {
    let mark = match (actor.supervision.is_some(), folded) {
        (true, true) => "▸ ",
        (true, false) => "▾ ",
        (false, _) => "  ",
    };
    vec![
        format!("{}{mark}{}", "  ".repeat(actor.depth), actor.id),
        known(actor.pid.clone()),
        text::state(actor.state).to_owned(),
        known(actor.mailbox),
        known(actor.restarts),
        text::remarks(actor).join("  "),
    ]
}

fn top(model: &Model) -> Vec<Row> {
    let actors = model.picture.tree.actors.iter();
    let mut actors: Vec<&Actor> = actors.filter(|actor| is_meant(model, &actor.path)).collect();
    let figure = |actor: &Actor| match model.order {
        Order::Mailbox => actor.mailbox,
        Order::Wait => actor.oldest_ms,
        Order::Busy => actor.working.as_ref().map(|working| working.since_ms),
        Order::Restarts => actor.restarts.map(u64::from),
    };
    actors.sort_by_key(|actor| std::cmp::Reverse(figure(actor)));
    if model.reversed {
        actors.reverse();
    }
    actors.into_iter().map(|actor| row(actor, top_cells(actor))).collect()
}

fn top_cells(actor: &Actor) -> Vec<String> {
    vec![
        known(actor.pid.clone()),
        text::state(actor.state).to_owned(),
        known(actor.mailbox),
        known(actor.oldest_ms.map(span)),
        known(actor.mailbox_peak),
        known(actor.handled),
        text::handling(actor),
        known(actor.restarts),
        actor.path.clone(),
    ]
}

fn queues(model: &Model) -> Vec<Row> {
    let waiting = model.picture.tree.actors.iter();
    let mut waiting: Vec<&Actor> =
        waiting.filter(|actor| actor.mailbox > Some(0) && is_meant(model, &actor.path)).collect();
    waiting.sort_by_key(|actor| std::cmp::Reverse(actor.mailbox));
    waiting.into_iter().map(|actor| row(actor, crate::queues::cells(actor))).collect()
}

fn crashes(model: &Model) -> Vec<Row> {
    let crashes = model.picture.crashes.iter().filter(|crash| is_meant(model, &crash.path));
    crashes
        .map(|crash| Row {
            key: format!("{} {}", crash.pid, crash.at_ms),
            path: Some(crash.path.clone()),
            cells: vec![
                span(model.picture.tree.taken_ms.saturating_sub(crash.at_ms)),
                crash.fingerprint.clone(),
                known(crash.message.clone()),
                crash.path.clone(),
                crash.exit.clone(),
            ],
            alarming: false,
        })
        .collect()
}

fn system(model: &Model) -> Vec<Row> {
    let (hello, runtime) = (&model.picture.hello, model.picture.runtime.as_ref());
    let up = model.picture.tree.taken_ms.saturating_sub(hello.started_ms);
    let restarts: u64 =
        model.picture.tree.actors.iter().filter_map(|actor| actor.restarts).map(u64::from).sum();
    let figures = [
        ("name", hello.name.clone()),
        ("version", hello.version.clone()),
        ("process", hello.os_pid.to_string()),
        ("inspected for", span(up)),
        ("actors", model.picture.tree.total.to_string()),
        ("restarts", restarts.to_string()),
        ("crashes remembered", model.picture.crashes.len().to_string()),
        ("threads", known(runtime.map(|runtime| runtime.workers))),
        ("tasks", known(runtime.map(|runtime| runtime.tasks))),
        ("tasks that wait", known(runtime.map(|runtime| runtime.queued))),
        ("silent for", known(runtime.map(|runtime| span(runtime.silent_ms)))),
        (
            "inspector's time",
            known(
                runtime
                    .and_then(|runtime| runtime.inspector_cpu_us)
                    .map(|used| format!("{} ms", used / 1000)),
            ),
        ),
    ];
    let row = |(name, value): (&str, String)| Row {
        key: name.to_owned(),
        path: None,
        cells: vec![name.to_owned(), value],
        alarming: false,
    };
    figures.into_iter().map(row).collect()
}
